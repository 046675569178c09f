"""A review from due to decided: proposed by one person in a browser, confirmed by a second one in another."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from core.cached_counts import update_counts
from dnbmon_site.accounts.models import User
from monitoring.models import Decision, DecisionState, Review
from portfolio.exposure.days import today
from portfolio.models import Company, Tier
from tests.builders.alerts import an_alert
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.companies import DUNS
from tests.builders.decisions import a_tiered_company, days_ago
from tests.builders.people import a_person

pytestmark = [pytest.mark.browser, pytest.mark.one_engine, pytest.mark.django_db(transaction=True)]


def test_a_review_from_due_to_decided(page: Page, browser: Browser, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_tiered_company(DUNS, Tier.CRITICAL, name="Acme Supplies Ltd", set_days_ago=100, failure_class=4, country="DE")
    an_alert(title="Failure score fell from 60 to 20")
    update_counts()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    expect(page.locator(".dm-front")).to_contain_text("1 company to review")
    page.get_by_role("link", name="View reviews").click()
    expect(page.locator("#result_list")).to_contain_text("Overdue since")
    see(page, "reviews")
    assert serious(page) == []
    page.get_by_role("link", name="Acme Supplies Ltd").first.click()
    expect(page.locator("#decision")).to_contain_text("Overdue")
    see(page, "company-decision")
    page.get_by_role("link", name="Decide", exact=True).click()
    page.check("input[value=limit]")
    page.fill("#id_amount", "250000")
    page.fill("#id_reason", "Score fell. Reduced until the next accounts.")
    see(page, "decide")
    assert serious(page) == []
    page.get_by_role("button", name="Propose decision").click()
    expect(page.locator(".dm-head")).to_contain_text("another user must confirm it")
    see(page, "decision-proposed")
    assert serious(page) == []
    assert Decision.objects.get().state == DecisionState.PROPOSED

    Company.objects.update(failure_class=5)
    second = second_person(browser, live_server.url)
    second.goto(f"{live_server.url}/monitoring/decision/?state=proposed")
    second.get_by_role("link", name="Acme Supplies Ltd").first.click()
    expect(second.locator(".dm-page")).to_contain_text("Failure score fell from 60 to 20")
    expect(second.locator("#then-and-today tbody tr").first).to_have_text(re.compile(r"Failure score class\s*4\s*5"))
    see(second, "decision-compared")
    assert serious(second) == []
    second.get_by_role("button", name="Confirm decision").click()
    expect(second.locator(".dm-head")).to_contain_text("Confirmed by")
    see(second, "decision-confirmed")
    second.context.close()

    page.goto(f"{live_server.url}/portfolio/company/{DUNS}/change/")
    expect(page.locator("#decision")).to_contain_text("confirmed by bob")
    expect(page.locator("#decision")).not_to_contain_text("Overdue")
    row = Decision.objects.get()
    assert (row.state, row.amount_cents, row.confirmed_by) == (DecisionState.FINAL, 25_000_000, "bob")
    assert Review.objects.get().due_on == days_ago(10)
    assert Company.objects.get().next_review_on == today() + timedelta(days=90)
    assert heard == []


def second_person(browser: Browser, url: str) -> Page:
    """An approver, signed in, in a browser of their own on a phone."""
    client = Client()
    client.force_login(a_person(role="Approver"))
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
    return context.new_page()
