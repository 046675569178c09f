"""The contract year so far: what the review is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from portfolio.billing.contract_year import next_anniversary, today
from portfolio.billing.new_billable import contract_year_start
from portfolio.models import Contract

A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Year:
    """From its first day to today. Without an anniversary, the last 365 days."""

    start: date
    end: date
    anniversary: date | None

    @property
    def began(self) -> datetime:
        return datetime.combine(self.start, time(), UTC)


def year_so_far() -> Year:
    """Of several contracts, from the first day of the one that began first to the anniversary that comes first."""
    contracts = list(Contract.objects.order_by("name"))
    starts = [day for day in map(contract_year_start, contracts) if day]
    anniversaries = [day for day in map(next_anniversary, contracts) if day]
    return Year(min(starts, default=today() - A_YEAR), today(), min(anniversaries, default=None))
