"""A person's walk through the pages, in a real browser, at a desk and on a phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered, delivered_news
from tests.builders.elements import an_element
from tests.builders.notifications import an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_front_page_to_a_company(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now() + timedelta(minutes=5))
    delivered_news()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    expect(page.locator(".dm-front")).to_contain_text("Needs attention")
    expect(page.locator(".dm-front")).to_contain_text("Out of business")
    see(page, "front")
    page.get_by_role("link", name="View all changes").click()
    expect(page.locator(".dm-feed")).to_contain_text("Operating status Active → Out of business")
    see(page, "changes")
    page.locator(".dm-company").first.click()
    expect(page.locator(".dm-title")).to_have_text("Acme Ltd")
    expect(page.locator(".dm-head")).to_contain_text(DUNS)
    see(page, "company")
    page.get_by_role("link", name="Timeline", exact=True).click()
    expect(page.locator("[aria-label=Timeline]")).to_contain_text("Active → Out of business")
    see(page, "company-timeline")
    page.locator("[aria-label=Timeline] .dm-told").first.click()
    expect(page.locator(".dm-compare")).to_contain_text("Out of business")
    see(page, "change")
    assert heard == []


def test_news_appear_without_a_click(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(last_pulled_at=timezone.now())
    delivered_news()
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
    page.get_by_role("link", name="Pause", exact=True).click()
    expect(page.locator(".dm-page")).to_contain_text("in 2 d 23 h")
    see(page, "pause")
    page.get_by_role("button", name="Pause pulling").click()
    expect(page.locator("#result_list")).to_contain_text("Paused")
    see(page, "registrations")
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".dm-badges")).to_contain_text("Active")
    assert heard == []
