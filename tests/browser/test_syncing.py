"""A registration's list in a real browser: adopted, synced while somebody watches, and decided on."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import start_sandbox
from dnbmon_site.accounts.models import User
from portfolio.models import Company, Registration, Subject, SubjectState, SyncRun
from portfolio.registrations.adopt import start_check
from portfolio.sync.run import sync
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.registrations import a_registration
from tests.builders.subjects import request_monitoring

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAMES = ("Northwind Traders", "Contoso Manufacturing GmbH", "Fabrikam & Söhne", "Adventure Works Cycles SA")


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Any:
    with start_sandbox(switches={"calls_per_second": 0}) as running:
        for name, value in {"BASE_URL": running.url, "API_KEY": "sandbox-key", "API_SECRET": "sandbox-secret"}.items():
            monkeypatch.setenv(f"DNB_{name}", value)
        monkeypatch.setenv("DNB_CALLS_PER_SECOND", "1000")
        running.control.add_registration("ACME_LOD_01")
        yield running.control


def there(registration: Registration, duns: str, name: str = "", **fields: Any) -> None:
    Company.objects.update_or_create(duns=duns, defaults={"name": name})
    fields = {"state": SubjectState.MONITORED, "checked_at": timezone.now(), "monitored_since": "2026-02-03", **fields}
    Subject.objects.create(id=Subject.key(registration.pk, duns), registration=registration, company_id=duns, **fields)


def test_a_list_is_adopted_and_differences_decided(page: Page, live_server: Any) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    row = a_registration(contract=a_contract())
    for duns, name in zip(duns_numbers(4), NAMES, strict=True):
        there(row, duns, name)
    check = start_check(row, duns_numbers(9000, first=400_000_000), by="ann")
    type(check).objects.update(position=3400, present=3120)
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/registration/{row.pk}/change/")
    see(page, "registration-list")
    page.get_by_role("link", name="Adopt D&B's list").click()
    expect(page.locator(".dm-page")).to_contain_text("3,400 of 9,000 numbers checked")
    see(page, "adopt")
    # As pasted: typing two thousand lines takes the browser long.
    pasted = "\n".join(duns_numbers(2000, first=500_000_000))
    page.get_by_label("D-U-N-S numbers").evaluate("(field, text) => { field.value = text }", pasted)
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".dm-page")).to_contain_text("about 7 min")
    see(page, "adopt-confirm")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Adopt these 4 companies").click()
    expect(page.locator(".dm-page")).to_contain_text("complete list has not been received")
    see(page, "adopt-incomplete")
    page.get_by_role("button", name="Adopt 4 companies").click()
    expect(page.locator(".dm-badges")).to_contain_text("No differences")
    there(row, "700000001", "Litware Inc")
    there(row, "700000002", "Proseware Ltd")
    there(row, "700000003", "Tailspin Toys", requested=True, state=SubjectState.REMOVED, monitored_until="2026-08-17")
    refused = {"requested": True, "state": SubjectState.REFUSED, "monitored_since": None}
    there(row, "700000004", "Wingtip Toys", code="40003", replacement="700000009", **refused)
    there(row, "700000005", "", code="10001", **refused)
    page.reload()
    see(page, "drift")
    page.get_by_label("Litware Inc").check()
    page.get_by_role("button", name="Request", exact=True).click()
    expect(page.locator("#extra")).not_to_contain_text("Litware")
    assert heard == []


def test_a_sync_is_watched(page: Page, live_server: Any, control: SandboxControl) -> None:
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    row = a_registration(contract=a_contract(), adopted=True)
    requested = duns_numbers(40)
    control.mark(requested[3], "invalid")
    control.mark(requested[5], "transferred", retained="700000009")
    request_monitoring(row, requested)
    run = sync(row, until=timezone.now() + timedelta(seconds=0.2))
    assert run is not None
    SyncRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=2))
    heard = complaints_of(page)
    log_in(page, live_server.url)
    page.goto(f"{live_server.url}/portfolio/syncrun/{run.pk}/change/")
    expect(page.locator(".dm-lead")).to_contain_text("of 40 sent")
    see(page, "sync-under-way")
    page.evaluate("window.stayed = true")
    sync(row)
    expect(page.locator(".dm-lead")).to_have_text("Done: 38 accepted, 2 refused.")
    assert page.evaluate("window.stayed") is True
    expect(page.locator("[aria-label=Refused]")).to_contain_text("The company continues as 700000009")
    see(page, "sync-done")
    page.goto(f"{live_server.url}/portfolio/syncrun/")
    see(page, "syncs")
    page.goto(f"{live_server.url}/portfolio/syncrun/suppress/{row.pk}/")
    see(page, "suppress")
    assert heard == []
