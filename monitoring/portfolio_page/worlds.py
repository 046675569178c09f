"""The companies of a day, filtered as asked, with your exposure to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.figures.snapshot import figures_at
from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.filters import Filters
from monitoring.portfolio_page.measures.world import Cents, Keys, World, world_of
from portfolio.exposure.totals import exposures_at


@dataclass(frozen=True, slots=True)
class Money:
    """Exposure in the reporting currency: `duns` are sorted, `cents` beside them. `unconverted` has, by other currency,
    the companies and the amount without an exchange rate."""

    currency: str
    duns: Keys
    cents: Cents
    unconverted: Mapping[str, tuple[int, int]]


def money_at(day: date | None, asked: Asked) -> Money:
    """Of all companies that the reader sees on one of the two days, with the exchange rates of the day."""
    found = exposures_at(day, _numbers_seen(asked))
    return Money(found.currency, found.duns, found.cents, found.unconverted)


def _numbers_seen(asked: Asked) -> Keys | None:
    """None stands for all."""
    among = asked.filters.among
    if among is None:
        return None
    days = [figures_at(day).only(among).rows["duns"] for day in (asked.past, asked.since)]
    return np.concatenate(days)


def world_at(day: date | None, filters: Filters, money: Money | None) -> World:
    """`None` is today. Without money no exposure is known."""
    snapshot = figures_at(day) if filters.among is None else figures_at(day).only(filters.among)
    duns, cents = (money.duns, money.cents) if money else (np.zeros(0, np.uint32), np.zeros(0, np.int64))
    return filters.applied(world_of(snapshot, duns, cents))
