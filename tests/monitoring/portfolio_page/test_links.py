"""Every number of the page is a link to a list with exactly that many rows."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from dnbmon_site.accounts.models import User
from monitoring.portfolio_page.asked import read_asked
from monitoring.portfolio_page.comparison import comparison_of
from monitoring.portfolio_page.listed import OF_LIST, listed, read_choice
from monitoring.portfolio_page.movement_data import movement_context
from monitoring.portfolio_page.overview import overview_of
from monitoring.portfolio_page.trend import trend_of
from monitoring.portfolio_page.view_data import page_context
from tests.builders.portfolios import EARLIER, LATER, REGISTRATIONS, cells_in

pytestmark = pytest.mark.django_db
A_DAY = f"&day={LATER}"
# Without a day it is today: what the list of companies has no filter for, and movement.
FILTERS = (
    A_DAY,
    f"{A_DAY}&country=AE&country=BF",
    "&industry_code=5045",
    f"{A_DAY}&registration={REGISTRATIONS[0]}&score=delinquency",
    f"{A_DAY}&country=unknown",
)
LIST = "/portfolio/risk/companies/"
READER = User(username="ann", is_superuser=True)


def rows_behind(link: str, *, with_money: bool) -> int:
    query = QueryDict(urlsplit(link).query)
    return len(
        listed(
            read_asked(query, READER, *OF_LIST),
            read_choice(query),
            with_money=with_money,
        )
    )


@pytest.mark.every_engine
@pytest.mark.parametrize("with_money", [True, False])
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("seed", range(4))
def test_every_number_leads_to_as_many_rows(portfolio: Any, seed: int, filters: str, with_money: bool) -> None:
    portfolio(seed)
    query = QueryDict(f"since={EARLIER}{filters}")
    asked = read_asked(query, READER)
    page = page_context(overview_of(asked, with_money=with_money))
    comparison = comparison_of(asked, with_money=with_money)
    movement = movement_context(comparison)
    cells = [cell for cell in cells_in([page, movement]) if cell.companies]
    assert len(cells) > 30 and all(cell.link for cell in cells)
    # Those of today's list of companies are followed there, with companies that are stored.
    here = [cell for cell in cells if cell.link.startswith(LIST)]
    assert len(here) == len(cells) or A_DAY not in filters
    assert [cell for cell in here if rows_behind(cell.link, with_money=with_money) != cell.companies] == []
    moved = list(zip(trend_of(asked, with_money=with_money).parts, ("worse", "better"), strict=True))
    for part, direction in moved:
        number = comparison.movement.directions[direction].companies
        assert part.words.startswith(str(number)), "of the sentence on top of the page"
        assert (rows_behind(part.link, with_money=with_money) if part.link else 0) == number


def test_what_counts_nothing_leads_nowhere(portfolio: Any) -> None:
    portfolio(0)
    query = QueryDict(f"day={LATER}&since={EARLIER}&country=ZZ")
    cells = list(cells_in(page_context(overview_of(read_asked(query, READER), with_money=True))))
    assert {cell.link for cell in cells if not cell.companies} == {""}
