"""A report's section about the portfolio's risk: the numbers of its page at the end of the period, without money, as
the recipients of an email need no permission."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext

from core.text import day_text
from monitoring.reports.periods import Period


@dataclass(frozen=True, slots=True)
class Figure:
    words: str
    companies: int
    link: str


@dataclass(frozen=True, slots=True)
class RiskSection:
    """`figures` of the last day, and of the movement since the day before the period."""

    since: date
    day: date
    link: str
    figures: list[Figure]

    @property
    def days_words(self) -> str:
        """Of the period's last day, or of today while it is running."""
        days = {"day": day_text(self.day), "since": day_text(self.since)}
        return gettext("On %(day)s, compared with %(since)s.") % days


def risk_in(period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool) -> RiskSection:
    # numpy is loaded with the first report, not with the program.
    from monitoring.portfolio_page.asked import asked_for
    from monitoring.portfolio_page.filters import Filters
    from monitoring.portfolio_page.overview import overview_of
    from monitoring.portfolio_page.view_data import figures_for_report

    filters = Filters({} if is_all else {"registration": tuple(map(str, registrations))})
    asked = asked_for(period.last_day, period.start - timedelta(days=1), "failure", filters)
    link, figures = figures_for_report(overview_of(asked, with_money=False))
    return RiskSection(asked.since, asked.day, link, [Figure(*figure) for figure in figures])
