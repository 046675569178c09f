"""A family tree is opened, and a member goes to monitoring, at a desk and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from monitoring.models import TreeKind
from portfolio.imports.resume import work_on
from portfolio.models import Subject, SubjectImport, SubjectState
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.companies import a_company
from tests.builders.contracts import a_contract
from tests.builders.family_trees import FIRST, FOURTH, THIRD, TOP, a_tree
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = [pytest.mark.browser, pytest.mark.one_engine, pytest.mark.django_db(transaction=True)]


def a_world() -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    contract = a_contract(cap=10)
    registration = a_registration(contract=contract, adopted=True)
    a_company(THIRD, "Third SAS", country="FR", failure_class=4, failure_percentile=21, exposure=99_000_00)
    a_subject(THIRD, registration, state=SubjectState.MONITORED)
    a_tree(contract, {THIRD: FIRST, FIRST: TOP, TOP: ""}, kind=TreeKind.UPWARD, duns=THIRD)
    a_tree(contract)


def test_a_member_goes_from_the_tree_to_monitoring(page: Page, live_server: Any) -> None:
    a_world()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/company/{THIRD}/change/?tab=ownership")
    expect(page.locator("#upward-chain")).to_contain_text("First GmbH")
    see(page, "upward-chain")
    page.get_by_role("link", name="View family tree").click()
    tree = page.locator(".dm-family")
    expect(tree).to_contain_text("Monitored in")
    fourth = tree.get_by_text("Fourth Inc")
    expect(fourth).to_be_visible()
    tree.get_by_text("2 companies directly below").last.click()
    expect(fourth).to_be_hidden()
    tree.get_by_text("2 companies directly below").last.click()
    expect(tree.get_by_label("Select Third SAS")).to_be_disabled()
    tree.get_by_label("Select Fourth Inc").check()
    see(page, "family-tree")
    assert serious(page) == []
    page.get_by_role("button", name="Add to monitoring").click()
    work_on(SubjectImport.objects.select_related("registration__contract").get())
    page.get_by_label("enter the number of new billable").fill("1")
    page.get_by_role("button", name="Confirm import").click()
    expect(page.locator(".dm-badges")).to_contain_text("Being applied")
    work_on(SubjectImport.objects.select_related("registration__contract").get())
    assert Subject.objects.get(company=FOURTH).requested
    assert heard == []
