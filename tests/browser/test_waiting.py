"""Pages that promise to show results without a reload, in a real browser."""

from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from monitoring.models import Delivery, DeliveryState, Source
from portfolio.models import Registration
from tests.builders.browser_pages import complaints_of, log_in
from tests.builders.registrations import a_registration

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def pull(row: Registration) -> None:
    """As a worker does that has taken the request."""
    OrmQ.objects.all().delete()
    Registration.objects.filter(pk=row.pk).update(last_pulled_at=timezone.now())
    Delivery.objects.create(
        registration=row, source=Source.PULL, state=DeliveryState.PUBLISHED, notification_count=7, new_count=7
    )


def test_a_requested_pull_appears_on_the_page_and_in_the_list_without_a_reload(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    row = a_registration()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    page.get_by_role("button", name="Pull now").click()
    page.get_by_role("button", name="Pull now").first.click()
    expect(page.locator(".dm-badges")).to_contain_text("Pull requested")
    pull(row)
    expect(page.locator(".dm-badges")).not_to_contain_text("Pull requested")
    expect(page.get_by_text("7 notifications, 7 new")).to_be_visible()
    assert heard == []


def test_rows_of_the_list_stay_selected_while_they_are_refreshed(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    row = a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now())
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    page.get_by_role("button", name="Pull now").click()
    page.goto(f"{live_server.url}/portfolio/registration/")
    box = page.locator("input.action-select").first
    box.check()
    expect(page.locator("#live")).to_contain_text("Pull requested")
    pull(row)
    expect(page.locator("#live")).not_to_contain_text("Pull requested")
    expect(box).to_be_checked()


def test_health_checks_again_while_it_is_open(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/health/")
    first = page.locator("[data-part=state] .dm-quiet").first.inner_text()
    assert first.startswith("Checked at ")
    expect(page.locator("[data-part=state] .dm-quiet").first).not_to_have_text(first, timeout=40_000)
