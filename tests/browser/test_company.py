"""The page of a company in a browser: today, as of a day, a note; nothing that keeps anybody out."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.utils import timezone
from playwright.sync_api import Page, expect

from dnbmon_site.accounts.models import User
from portfolio.models import CompanyNote
from tests.builders.browser_pages import complaints_of, log_in, see
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.times import stamp

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCORE = "organization.dnbAssessment.failureScore.nationalPercentile"


def serious(page: Page) -> list[str]:  # noqa: F811
    found = Axe().run(page, context=".dm-page").response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]


def test_today_a_day_before_and_a_note(page: Page, live_server: Any) -> None:  # noqa: F811
    User.objects.create_superuser("ann", "ann@example.com", "secret words")
    now = timezone.now()
    score = {"failureScore": {"nationalPercentile": 80}}
    status = {"operatingStatus": ACTIVE}
    seed = a_seed(delivered=stamp(now, days=-9), dnbAssessment=score, dunsControlStatus=status)
    news = an_element(SCORE, 80, 40, stamp(now, days=-3)), an_element(STATUS, ACTIVE, OUT, stamp(now, hours=-1))
    delivered(seed, an_update(*news, delivered=stamp(now)), at=stamp(now))
    heard = complaints_of(page)
    log_in(page, f"{live_server.url}/portfolio/company/{DUNS}/change/")
    expect(page.get_by_role("img", name="Failure score: national percentile, 40 now, Moderate risk.")).to_be_visible()
    see(page, "company-today")
    assert serious(page) == []
    page.fill("#as_of", f"{timezone.localtime(now) - timedelta(days=5):%Y-%m-%d}")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".dm-past")).to_contain_text("2 values differ from today")
    see(page, "company-as-of")
    assert "as_of=" in page.url and serious(page) == []
    page.get_by_role("link", name="Back to today").click()
    page.fill("#text", "Prepay only.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".dm-notes")).to_contain_text("Prepay only.")
    page.get_by_role("link", name="Timeline", exact=True).click()
    page.get_by_role("link", name="View source notification").first.click()
    expect(page.locator("#raw")).to_contain_text("Out of business")
    assert CompanyNote.objects.count() == 1 and heard == []
