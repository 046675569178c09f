"""Today's numbers lead to the list of companies, with exactly that many rows."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict
from django.utils import timezone

from core.exports.files import rows_as
from monitoring.figures.catalog import Figures
from monitoring.figures.record import ENTRY, pack, words_in
from monitoring.figures.words import numbers_of
from monitoring.models import FigureMonth
from monitoring.portfolio_page.asked import read_asked
from monitoring.portfolio_page.overview import overview_of
from monitoring.portfolio_page.view_data import page_context
from portfolio.models import Registration
from tests.builders.companies import a_company
from tests.builders.people import a_person
from tests.builders.portfolios import cells_in
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
COMPANIES = "/portfolio/company/"
COMPANY_COUNT = 40
LONG_AGO = date(2026, 1, 5)
FILTERS = (
    "",
    "country=DE&country=FR",
    "country=unknown",
    "industry_code=2821",
    "owner=ann",
    "tag=key",
    "registration={one}",
)


def some_figures(chance: Random) -> Figures:
    return Figures(
        failure_class=chance.choice((None, 1, 2, 3, 4, 5)),
        failure_percentile=chance.choice((None, 7, 50)),
        failure_incidence=chance.choice((None, 120)),
        delinquency_class=chance.choice((None, 1, 2, 3, 4, 5)),
        rating=chance.choice(("", "5A1", "CC4")),
        industry_code=chance.choice(("", "2821", "5045")),
        industry_scheme=chance.choice(("399", "37788")),
        size=chance.choice(("", "micro", "large")),
        country=chance.choice(("", "DE", "FR", "GB")),
        operating_status=chance.choice(("", "Active", "Out of business")),
        flags=chance.choice((None, 0, 1, 5, 64)),
        global_ultimate=chance.choice(("", "100000001", "100000002")),
    )


def a_world(seed: int) -> Registration:
    """Companies in one registration or another, or in none any more, with the columns of their last figures."""
    chance = Random(seed)
    one, other = a_registration("ONE", adopted=True), a_registration("OTHER", adopted=True)
    for number in range(COMPANY_COUNT):
        duns, figures = f"{100_000_000 + number * 7:09d}", some_figures(chance)
        a_company(duns, **figures._asdict())
        for registration in chance.choice(((one,), (other,), (one, other))):
            until = LONG_AGO + timedelta(days=3) if chance.random() < 0.2 else None
            more = {"owner": chance.choice(("ann", "ben", "")), "tags": chance.choice(("key, north", "monkey", ""))}
            a_subject(duns, registration, monitored_since=LONG_AGO, monitored_until=until, **more)
        record = pack(duns, figures, numbers_of(words_in([figures])))
        month = LONG_AGO.replace(day=1)
        FigureMonth.objects.create(
            key=FigureMonth.key_of(duns, month),
            company_id=duns,
            month=month,
            entries=ENTRY.pack(LONG_AGO.day, record),
            changed_at=timezone.now(),
        )
    return one


@pytest.mark.parametrize("seed", range(3))
def test_the_list_of_companies_has_as_many(seed: int) -> None:
    one, person = a_world(seed), a_person("view_company")
    for filters in FILTERS:
        asked = read_asked(QueryDict(filters.format(one=one.pk)), person)
        cells = list(cells_in(page_context(overview_of(asked, with_money=False))))
        in_list = [cell for cell in cells if cell.link.startswith(COMPANIES)]
        assert len(in_list) > 15
        queries = {cell: urlsplit(cell.link).query for cell in in_list}
        found = {cell: rows_as(person, "portfolio.company", query).count() for cell, query in queries.items()}
        assert [cell for cell, count in found.items() if count != cell.companies] == []
