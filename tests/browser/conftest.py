"""A browser, at a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"desk": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One for all tests of a file: each has a page of its own, which knows nothing of the others."""
    with (
        pytest.MonkeyPatch.context() as patch,
        sync_playwright() as play,
        play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        # Playwright runs an event loop in this thread, which Django would take for an asynchronous caller.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield browser


@pytest.fixture(params=["desk", "phone"])
def page(request: Any, browser: Browser) -> Iterator[Page]:
    width, height = SIZES[request.param]
    with browser.new_page(viewport={"width": width, "height": height}) as page:
        page.set_default_timeout(15_000)
        yield page
