"""A person's walk through the pages, in a real browser, at a desk and on a phone."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect, sync_playwright

from dnbmon_site.models import User
from monitoring.jobs import count_days
from tests.builders import DUNS, a_registration, a_seed, an_element, an_update, delivered, stamp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STATUS = "organization.dunsControlStatus.operatingStatus"
ACTIVE, OUT = {"description": "Active", "dnbCode": 9074}, {"description": "Out of business", "dnbCode": 403}
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
# Set to a folder to look at what the browser saw.
SHOTS = os.environ.get("BROWSER_SHOTS", "")


@pytest.fixture(params=["desk", pytest.param("phone", marks=pytest.mark.one_engine)])
def page(request: Any, chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright runs an event loop in this thread, which Django would take for an asynchronous caller.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    width, height = SIZES[request.param]
    with sync_playwright() as play, play.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(15_000)
        yield page


def complaints_of(page: Page) -> list[str]:
    """Errors in the console and of scripts, as they come."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return heard


def see(page: Page, name: str) -> None:
    """Nothing sticks out to the side; a picture where one is wanted."""
    assert page.viewport_size is not None
    page.wait_for_selector("body", state="attached")
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], name
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}-{page.viewport_size['width']}.png"), full_page=True)


def log_in(page: Page, url: str) -> None:
    page.goto(url)
    page.fill("#id_username", "ann")
    page.fill("#id_password", "secret words")
    page.click("button[type=submit]")


def news(name: str = "Acme Ltd", hours: float = 2) -> None:
    now = timezone.now()
    delivered(
        a_seed(delivered=stamp(now, days=-3), primaryName=name),
        an_update(an_element(STATUS, ACTIVE, OUT, stamp(now, hours=-hours)), delivered=stamp(now)),
        at=stamp(now),
    )
    count_days()


def test_from_the_front_page_to_a_company(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now() + timedelta(minutes=5))
    news()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    expect(page.locator(".dm-front")).to_contain_text("What needs you")
    expect(page.locator(".dm-front")).to_contain_text("Out of business")
    see(page, "front")
    page.get_by_role("link", name="All changes").click()
    expect(page.locator(".dm-feed")).to_contain_text("Operating status Active → Out of business")
    see(page, "changes")
    page.locator(".dm-company").first.click()
    expect(page.locator(".dm-title")).to_have_text("Acme Ltd")
    expect(page.locator("[aria-label=Timeline]")).to_contain_text("Active → Out of business")
    expect(page.locator("[aria-label=Profile]")).to_contain_text(DUNS)
    see(page, "company")
    page.locator("[aria-label=Timeline] .dm-told").first.click()
    expect(page.locator(".dm-compare")).to_contain_text("Out of business")
    see(page, "change")
    assert heard == []


def test_news_appear_without_a_click(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(last_pulled_at=timezone.now())
    news()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/monitoring/change/")
    expect(page.locator(".dm-line")).to_have_count(2)
    page.evaluate("window.stayed = true")
    now = timezone.now()
    delivered(an_update(an_element(current="Newer Ltd", timestamp=stamp(now)), delivered=stamp(now)), at=stamp(now))
    expect(page.locator(".dm-new")).to_contain_text("Newer Ltd", timeout=15_000)
    assert page.evaluate("window.stayed") is True
    assert heard == []


def test_a_registration_is_paused_and_started(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    row = a_registration(last_pulled_at=timezone.now() - timedelta(days=1), next_pull_at=timezone.now())
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    see(page, "registration")
    page.get_by_role("link", name="Pause until…").click()
    expect(page.locator(".dm-page")).to_contain_text("drops what waits in 2 d 23 h")
    see(page, "pause")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#result_list")).to_contain_text("Paused")
    see(page, "registrations")
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".dm-badges")).to_contain_text("Active")
    assert heard == []
