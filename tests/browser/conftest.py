"""A browser, at a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(params=["desk", pytest.param("phone", marks=pytest.mark.one_engine)])
def page(request: Any, chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright runs an event loop in this thread, which Django would take for an asynchronous caller.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    width, height = SIZES[request.param]
    with sync_playwright() as play, play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(15_000)
        yield page
