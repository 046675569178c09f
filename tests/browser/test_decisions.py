"""A walk through proposals, the contract year, exports and the audit, at a desk and on a phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from portfolio.imports.planned_removals import plan_removal
from portfolio.models import Contract, ProposalKind, SubjectState
from portfolio.proposals.create import Sign, propose
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.companies import DUNS, a_company
from tests.builders.contracts import a_contract
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.builders.times import MOMENT

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
OTHER, THIRD = "150483782", "012345678"


def a_portfolio() -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    day = timezone.now().date()
    a_contract(anniversary=day - timedelta(days=365 - 53), contracted_number=5)
    registration = a_registration(adopted=True, last_pulled_at=timezone.now())
    names = {DUNS: "Acme Supplies Ltd", OTHER: "Örsted Papier AG", THIRD: "Gardner Steel Holdings Incorporated"}
    for duns, name in names.items():
        a_company(duns, name, city="Leeds", country="GB")
        a_subject(duns, registration, customer_reference=f"K-{duns[:3]}", owner="Eve")
    for number in range(4):
        a_subject(f"30000000{number}", registration, state=SubjectState.UNKNOWN)
    words = {"code": "40003", "message": "The number was transferred.", "replacement": "300000001"}
    a_subject("400000000", registration, state=SubjectState.REFUSED, **words)
    plan_removal(subjects=[a_subject(THIRD, registration)], day=day + timedelta(days=20), by=an_actor("ann"))
    propose(
        [
            Sign(ProposalKind.TRANSFER, registration.pk, DUNS, "300000009", "1", MOMENT),
            Sign(ProposalKind.DELETE, registration.pk, OTHER, "", "1", MOMENT),
        ]
    )


def test_a_merger_is_accepted(page: Page, live_server: Any) -> None:
    a_portfolio()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    expect(page.locator(".dm-front")).to_contain_text("2 proposals to review")
    see(page, "needs")
    page.goto(f"{live_server.url}/portfolio/proposal/")
    expect(page.locator("#result_list")).to_contain_text("Replace with")
    see(page, "proposals")
    page.get_by_role("link", name="Acme Supplies Ltd").first.click()
    see(page, "proposal")
    page.get_by_role("link", name="Accept").click()
    expect(page.locator(".dm-lead").first).to_contain_text("1 new billable company")
    see(page, "decide")
    page.get_by_label("enter the number").fill("2")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert")).to_contain_text("you entered 2")
    page.get_by_label("enter the number").fill("1")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".dm-badges").first).to_contain_text("Accepted")
    see(page, "accepted")
    page.goto(f"{live_server.url}/portfolio/company/300000009/change/")
    expect(page.locator(".dm-head")).to_contain_text("Acme Supplies Ltd was merged into this company")
    see(page, "continues")
    page.goto(f"{live_server.url}/core/auditentry/")
    expect(page.locator("#result_list")).to_contain_text("Accepted")
    see(page, "audit")
    page.get_by_role("link", name="minutes ago").or_(page.get_by_role("link", name="just now")).first.click()
    see(page, "audit-entry")
    assert heard == []


def test_the_year_is_looked_at_and_a_removal_planned(page: Page, live_server: Any) -> None:
    a_portfolio()
    # One of eight is more than a person may plan alone by default.
    Contract.objects.update(removal_share=100)
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/contract/year/")
    expect(page.locator(".dm-head")).to_contain_text("53 days left")
    expect(page.locator(".dm-head")).to_contain_text("2 over")
    see(page, "contract-year")
    page.goto(f"{live_server.url}/portfolio/subject/")
    see(page, "subjects")
    page.locator("#result_list input.action-select").first.check()
    page.locator("select[name=action]").select_option("plan_selected")
    page.locator("button[name=index], button:has-text('Run')").first.click()
    expect(page.locator(".dm-head")).to_contain_text("Schedule removal of 1 company")
    see(page, "plan-removal")
    page.get_by_role("button", name="Schedule removal").click()
    expect(page.locator("#result_list")).to_contain_text("Until")
    assert heard == []


def test_a_list_is_exported(page: Page, live_server: Any) -> None:
    a_portfolio()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/subject/?requested=yes")
    page.get_by_role("link", name="Export", exact=True).last.click()
    expect(page.locator(".dm-lead")).to_contain_text("8 rows, filtered as in the list")
    see(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.goto(f"{live_server.url}/core/export/")
    expect(page.locator("#result_list")).to_contain_text("8 rows")
    see(page, "exports")
    assert heard == []
