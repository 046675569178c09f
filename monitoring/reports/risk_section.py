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

if TYPE_CHECKING:
    from monitoring.portfolio_page.view_data import Cell


@dataclass(frozen=True, slots=True)
class RiskSection:
    """`figures` of the last day, and of the movement since the day before the period."""

    since: date
    day: date
    link: str
    figures: list[Cell]

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
    shown = [cell for cell, _ in tiles(overview, cells)] + directions(compared(asked, overview.world, None), cells)
    return RiskSection(asked.since, asked.day, cells.links.page(), shown)
