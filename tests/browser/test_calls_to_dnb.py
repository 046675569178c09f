"""Calls to D&B that may cost, in a browser: a company is found by name, and another one's data fetched."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from direct_plus.sandbox.control.client import SandboxControl
from dnbmon_site.accounts.models import User
from monitoring.models import DataFetch, FetchedCompany, FetchedState
from portfolio.models import SubjectImport
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.companies import duns_numbers
from tests.builders.company_searches import NAMES, known_at_dnb
from tests.builders.contracts import a_contract
from tests.builders.data_fetches import monitored, run
from tests.builders.deliveries import delivered
from tests.builders.notifications import a_seed
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.times import stamp

pytestmark = [pytest.mark.browser, pytest.mark.one_engine, pytest.mark.django_db(transaction=True)]


def test_a_company_is_found_by_name_and_leads_to_an_import(
    page: Page, live_server: Any, control: SandboxControl
) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(contract=a_contract(cap=100))
    known_at_dnb(control)
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/portfolio/companysearch/find/")
    expect(page.locator(".dm-page")).to_contain_text("This action makes 1 Match call; 500 of 500 are left")
    page.fill("#id_name", "nordwind logistik")
    page.select_option("#id_country", "DE")
    see(page, "find")
    assert serious(page) == []
    page.get_by_role("button", name="Find candidates").click()
    expect(page.locator(".dm-page")).to_contain_text(NAMES[0])
    see(page, "candidates")
    assert serious(page) == []
    page.get_by_role("button", name="Choose").first.click()
    expect(page.locator("#live")).to_contain_text(REFERENCE)
    assert SubjectImport.objects.count() == 1 and heard == []


def test_fetched_data_is_shown_before_it_is_accepted(page: Page, live_server: Any, control: SandboxControl) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    registration = a_registration(contract=a_contract(recovery_delay=timedelta(0)))
    [duns] = duns_numbers(1)
    monitored(registration, duns)
    seed = a_seed(duns, primaryName="Stored Ltd", delivered=stamp(timezone.now(), days=-20))
    delivered(seed, registration=registration)
    control.add_companies(REFERENCE, [{"duns": duns, "primaryName": "Fetched Ltd", "countryISOAlpha2Code": "GB"}])
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/portfolio/company/{duns}/change/")
    page.get_by_role("link", name="Refresh from D&B").click()
    see(page, "fetch-request")
    page.get_by_role("button", name="Fetch data").click()
    expect(page.locator("#live")).to_be_visible()
    run(DataFetch.objects.get())
    expect(page.locator("#live")).to_contain_text("Waiting for a decision")
    see(page, "fetch")
    assert serious(page) == []
    page.get_by_role("link", name="Stored Ltd").click()
    expect(page.locator(".dm-turns")).to_contain_text("Fetched Ltd")
    see(page, "fetched-company")
    assert serious(page) == []
    page.get_by_role("button", name="Accept", exact=True).click()
    expect(page.locator("#live")).to_contain_text("Completed")
    assert FetchedCompany.objects.get().state == FetchedState.ACCEPTED and heard == []
