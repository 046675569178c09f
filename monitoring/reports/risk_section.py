"""A report's section about the portfolio's risk: the numbers of its page at the end of the period, without money, as
the recipients of an email need no permission."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext

from core.text import day_text
from monitoring.reports.periods import Period
from portfolio.models import Company

if TYPE_CHECKING:
    from monitoring.portfolio_page.comparison import Comparison
    from monitoring.portfolio_page.view_data import Cell


MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """A company and its failure score class on both days."""

    duns: str
    name: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class RiskSection:
    """`figures` of the last day, and of the movement since the day before the period."""

    since: date
    day: date
    link: str
    figures: list[Cell]
    # Those of the last day, each once.
    companies: int
    # The companies of “Higher risk”: those that are now at the highest, and fell furthest, first.
    worse: list[Moved]
    more_worse: int

    @property
    def days_words(self) -> str:
        """Of the period's last day, or of today while it is running."""
        days = {"day": day_text(self.day), "since": day_text(self.since)}
        return gettext("On %(day)s, compared with %(since)s.") % days


def risk_in(period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool) -> RiskSection:
    # numpy is loaded with the first report, not with the program.
    from monitoring.portfolio_page.asked import asked_for
    from monitoring.portfolio_page.comparison import compared
    from monitoring.portfolio_page.filters import Filters
    from monitoring.portfolio_page.links import Links
    from monitoring.portfolio_page.movement_data import directions
    from monitoring.portfolio_page.overview import overview_of
    from monitoring.portfolio_page.view_data import Cells, tiles

    filters = Filters({} if is_all else {"registration": tuple(map(str, registrations))})
    asked = asked_for(period.last_day, period.start - timedelta(days=1), "failure", filters)
    overview, cells = overview_of(asked, with_money=False), Cells(Links(asked), None)
    comparison = compared(asked, overview.world, None)
    shown = [cell for cell, _ in tiles(overview, cells)] + directions(comparison, cells)
    worse, more = _worse(comparison)
    return RiskSection(asked.since, asked.day, cells.links.page(), shown, overview.whole.companies, worse, more)


def _worse(comparison: Comparison) -> tuple[list[Moved], int]:
    """The first of them, and how many more there are."""
    import numpy as np

    from monitoring.portfolio_page.measures.movement import WORSE, mask_of
    from monitoring.portfolio_page.movement_data import state_words

    pairs = comparison.pairs.only(mask_of(comparison.pairs, direction=WORSE))
    order = np.lexsort((pairs.later["duns"], pairs.was, -pairs.now.astype(np.int16)))[:MOST_NAMED]
    numbers = [f"{number:09d}" for number in pairs.later["duns"][order].tolist()]
    names = dict(Company.objects.filter(pk__in=numbers).values_list("duns", "name")) if numbers else {}
    states = zip(numbers, pairs.was[order].tolist(), pairs.now[order].tolist(), strict=True)
    dimension = comparison.asked.dimension
    found = [
        Moved(duns, names.get(duns, ""), state_words(dimension, was), state_words(dimension, now))
        for duns, was, now in states
    ]
    return found, len(pairs.was) - len(found)
