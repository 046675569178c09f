"""The portfolio's risk in a report: the numbers of its page, for everyone who gets the report."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from core.text import day_text
from monitoring.portfolio_page import worlds
from monitoring.portfolio_page.asked import asked_for
from monitoring.portfolio_page.comparison import comparison_of
from monitoring.portfolio_page.filters import Filters
from monitoring.portfolio_page.overview import overview_of
from monitoring.reports import risk_section
from monitoring.reports.compute import make_report
from monitoring.reports.pdf import report_pdf
from monitoring.reports.periods import Period, read_period
from monitoring.reports.xlsx import report_xlsx
from tests.builders.companies import a_company
from tests.builders.pages import text_of
from tests.builders.portfolios import EARLIER, REGISTRATIONS, Portfolio, a_portfolio
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


@pytest.fixture
def portfolio(monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    found = a_portfolio(Random(0))
    monkeypatch.setattr(worlds, "figures_on", found.figures_on)
    # A report goes to people without permissions: no exposure is read for it.
    monkeypatch.setattr(worlds, "exposures_on", None)
    return found


def the_week() -> Period:
    """It begins on the day after the portfolio's earlier day."""
    week = read_period("2026-W10")
    assert week is not None
    return week


def numbers(report: Any) -> dict[str, int]:
    return {figure.label: figure.companies for figure in report.risk.figures}


def test_its_numbers_are_those_of_the_page(portfolio: Portfolio) -> None:
    report, week = make_report(the_week()), the_week()
    asked = asked_for(week.last_day, EARLIER, "failure", Filters({}))
    page, movement = overview_of(asked, with_money=False), comparison_of(asked, with_money=False).movement
    found = numbers(report)
    assert (report.risk.since, report.risk.day) == (EARLIER, week.last_day)
    assert found["Companies"] == len(portfolio.later.rows)
    assert found["High failure risk"] == page.high_failure_risk.companies
    assert found["Higher risk"] == movement.directions["worse"].companies > 0


def test_companies_that_moved_to_a_higher_risk_are_named(
    portfolio: Portfolio, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk_section, "MOST_NAMED", 2)
    report = make_report(the_week())
    first, second = report.risk.worse
    assert first.was < first.now and first.now >= second.now
    assert len(report.risk.worse) + report.risk.more_worse == numbers(report)["Higher risk"]
    a_company(first.duns, "Åkesson Ltd")
    page = admin.get("/monitoring/reportschedule/report/", {"period": the_week().name})
    assert f"Åkesson Ltd {first.duns} {first.was} → {first.now}" in text_of(page)
    assert f'href="/portfolio/company/{first.duns}/change/"' in page.content.decode()
    report = make_report(the_week())
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(report))).pages)
    assert f"Åkesson Ltd {first.duns}" in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    rows = book.get_sheet_by_name("Higher failure score class").to_python()
    assert rows[1] == ["Åkesson Ltd", first.duns, first.was, first.now]


def test_chosen_registrations_have_their_own(portfolio: Portfolio) -> None:
    registration = a_registration("ONE", id=REGISTRATIONS[0])
    assert numbers(make_report(the_week(), [registration.pk]))["Companies"] == len(
        portfolio.later.numbers[REGISTRATIONS[0]]
    )


def test_page_pdf_and_spreadsheet_show_it(portfolio: Portfolio, admin: Client) -> None:
    page = admin.get("/monitoring/reportschedule/report/", {"period": the_week().name})
    assert f"Companies {len(portfolio.later.rows)}" in text_of(page)
    assert f"/portfolio/risk/?day={the_week().last_day}&amp;since={EARLIER}&amp;score=failure" in page.content.decode()
    report = make_report(the_week())
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(report_pdf(report))).pages)
    assert "Portfolio risk" in text
    then = f"Companies that D&B monitored on {day_text(the_week().last_day)}: {len(portfolio.later.rows)}."
    assert report.listed != len(portfolio.later.rows) and then in " ".join(text.split())
    assert then.replace("&", "&amp;") in page.content.decode()
    book = CalamineWorkbook.from_filelike(io.BytesIO(report_xlsx(report)))
    assert book.get_sheet_by_name("Portfolio risk").to_python()[1] == ["Companies", len(portfolio.later.rows)]
