"""The companies of a day, filtered as asked, with your exposure to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.figures.snapshot import Snapshot, figures_on
from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.filters import Filters
from monitoring.portfolio_page.measures.world import Cents, Keys, World, world_of
from portfolio.exposure.totals import exposures_on


@dataclass(frozen=True, slots=True)
class Money:
    """Exposure in the reporting currency: `duns` are sorted, `cents` beside them. `unconverted` has, by other currency,
    the companies and the amount without an exchange rate."""

    currency: str
    duns: Keys
    cents: Cents
    unconverted: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader sees of the days that were asked for, read together."""

    asked: Asked
    snapshots: Mapping[date | None, Snapshot]

    def money(self, *days: date | None) -> list[Money]:
        """With the exchange rates of each day; of companies that the reader sees on one of the days read."""
        limited = self.asked.filters.among is not None
        numbers = np.concatenate([one.rows["duns"] for one in self.snapshots.values()]) if limited else None
        return [Money(one.currency, one.duns, one.cents, one.unconverted) for one in exposures_on(days, numbers)]

    def world(self, day: date | None, filters: Filters, money: Money | None) -> World:
        """Without money no exposure is known."""
        duns, cents = (money.duns, money.cents) if money else (np.zeros(0, np.uint32), np.zeros(0, np.int64))
        return filters.applied(world_of(self.snapshots[day], duns, cents))


def read_days(asked: Asked, *days: date | None) -> Reading:
    """`None` is today. Who sees a part of the portfolio is shown the amounts of companies of both days."""
    among = asked.filters.among
    chosen = list(dict.fromkeys(days if among is None else (*days, asked.past, asked.since)))
    found = figures_on(chosen)
    snapshots = found if among is None else [one.only(among) for one in found]
    return Reading(asked, dict(zip(chosen, snapshots, strict=True)))
