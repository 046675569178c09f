"""The companies of a day, filtered as asked, with your exposure to them as of that day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.figures.snapshot import figures_at
from monitoring.portfolio_page.filters import Filters
from monitoring.portfolio_page.world import World, world_of
from portfolio.exposure.totals import exposures_at


@dataclass(frozen=True, slots=True)
class Money:
    """The reporting currency; and by other currency, the companies and the amount without an exchange rate."""

    currency: str
    unconverted: Mapping[str, tuple[int, int]]


def world_at(day: date | None, filters: Filters, *, with_money: bool) -> tuple[World, Money | None]:
    """`None` is today. Without money no exposure is read at all."""
    snapshot = figures_at(day)
    if not with_money:
        world, money = world_of(snapshot, np.zeros(0, np.uint32), np.zeros(0, np.int64)), None
    else:
        exposures = exposures_at(day)
        world = world_of(snapshot, exposures.duns, exposures.cents)
        money = Money(exposures.currency, exposures.unconverted)
    return filters.applied(world), money
