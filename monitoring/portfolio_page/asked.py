"""What a reader asks of the portfolio, as it stands in the address: a day, an earlier day, and filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from core.dates import read_day
from monitoring.portfolio_page.filters import OF_PAGE, Filters
from monitoring.portfolio_page.measures.dimensions import DELINQUENCY, FAILURE, Dimension
from monitoring.portfolio_page.numbers import with_numbers

USUAL_SPAN = timedelta(days=30)
SCORES = {"failure": FAILURE, "delinquency": DELINQUENCY}


@dataclass(frozen=True, slots=True)
class Asked:
    """`past` is the day unless it is today; `since` is the day that it is compared with."""

    today: date
    past: date | None
    since: date
    score: str
    filters: Filters

    @property
    def day(self) -> date:
        return self.past or self.today

    @property
    def dimension(self) -> Dimension:
        return SCORES[self.score]


def read_asked(query: QueryDict, person: Any, *names: str) -> Asked:
    """Wrong values are ignored."""
    filters = with_numbers(Filters.read(query, (*OF_PAGE, *names)), person)
    return asked_for(read_day(query.get("day", "")), read_day(query.get("since", "")), query.get("score", ""), filters)


def asked_for(day: date | None, since: date | None, score: str, filters: Filters) -> Asked:
    """A day is one of UTC, like all days of the figures; one to come is today."""
    today = timezone.now().astimezone(UTC).date()
    past = day if day and day < today else None
    if since is None or since >= (past or today):
        since = (past or today) - USUAL_SPAN
    return Asked(today, past, since, score if score in SCORES else "failure", filters)
