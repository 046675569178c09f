"""A morning's work in one go: what changed, who it was, how they stood before, seen to, and passed on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from dnbmon_site.accounts.models import User
from monitoring.jobs import count_days, update_all_counts
from monitoring.models import Alert
from tests.builders.alerts import raised
from tests.builders.browser_pages import complaints_of, log_in, see, serious
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.times import stamp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_from_the_front_page_to_an_export(page: Page, live_server: Any, tmp_path: Path) -> None:  # noqa: F811
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    a_registration(last_pulled_at=timezone.now(), next_pull_at=timezone.now() + timedelta(minutes=5))
    a_rule(name="Out of business")
    out_of_business()
    heard = complaints_of(page)
    log_in(page, live_server.url)
    look(page, "front")
    page.get_by_role("link", name="Critical").first.click()
    expect(page.locator(".dm-feed")).to_contain_text("Operating status Active → Out of business")
    assert "severity=4" in page.url
    look(page, "critical")
    page.locator(".dm-company").first.click()
    expect(page.locator(".dm-title")).to_have_text("Acme Ltd")
    look(page, "company")
    before_it_happened(page)
    see_to_the_alert(page, live_server.url)
    assert exported(page, live_server.url, tmp_path)[1][:2] == [DUNS, "Acme Ltd"]
    assert heard == []


def out_of_business() -> None:
    now = timezone.now()
    status = {"operatingStatus": ACTIVE}
    delivered(
        a_seed(delivered=stamp(now, days=-3), primaryName="Acme Ltd", dunsControlStatus=status),
        an_update(an_element(STATUS, ACTIVE, OUT, stamp(now, hours=-2)), delivered=stamp(now)),
        at=stamp(now),
    )
    raised()
    count_days()
    update_all_counts()


def look(page: Page, name: str) -> None:  # noqa: F811
    see(page, f"morning-{name}")
    assert serious(page) == [], name


def before_it_happened(page: Page) -> None:  # noqa: F811
    page.fill("#as_of", f"{timezone.localtime() - timedelta(days=2):%Y-%m-%d}")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".dm-past")).to_contain_text("1 value differs from today")
    look(page, "as-of")


def see_to_the_alert(page: Page, url: str) -> None:  # noqa: F811
    page.goto(url)
    page.get_by_role("link", name="View alerts").click()
    look(page, "inbox")
    page.locator("#result_list tbody tr", has_text="Acme Ltd").get_by_role("link").first.click()
    look(page, "alert")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".dm-head .dm-badges")).to_contain_text("Acknowledged")
    assert Alert.objects.get().acknowledged_by == "ann"


def exported(page: Page, url: str, folder: Path) -> list[list[Any]]:  # noqa: F811
    """The rows of the file that the list of companies leaves."""
    page.goto(f"{url}/portfolio/company/")
    page.get_by_role("link", name="Export", exact=True).click()
    look(page, "export")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(folder / "companies.xlsx")
    return CalamineWorkbook.from_path(folder / "companies.xlsx").get_sheet_by_index(0).to_python()
