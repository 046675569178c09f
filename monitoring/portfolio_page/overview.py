"""The portfolio in numbers: one computation that page, API, PDF and spreadsheet show, so that their numbers agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.filters import FLAGS, NO_FLAGS, has_data
from monitoring.portfolio_page.measures.concentration import Concentration, concentration_of
from monitoring.portfolio_page.measures.counts import Count, count_of, tally_of, total
from monitoring.portfolio_page.measures.dimensions import (
    CLASS_NUMBERS,
    COUNTRY,
    DELINQUENCY,
    FAILURE,
    GROUP,
    INDUSTRY,
    RATING,
    SIZE,
    STATUS,
    UNKNOWN,
)
from monitoring.portfolio_page.measures.expected_loss import ExpectedLoss, expected_loss_of
from monitoring.portfolio_page.measures.world import World
from monitoring.portfolio_page.worlds import Money, read_days
from monitoring.scores.bands import HIGH_RISK_CLASSES

CLASSES = (*map(str, CLASS_NUMBERS), UNKNOWN)
HIGH_FAILURE_RISK = tuple(map(str, HIGH_RISK_CLASSES))
# Divided further by who is at high failure risk; the others are themselves about risk.
WITH_RISK = (COUNTRY, INDUSTRY, GROUP, SIZE)
CONCENTRATIONS = (*WITH_RISK, RATING, STATUS)


@dataclass(frozen=True, slots=True)
class Overview:
    """`money` is None where the reader may not see it."""

    asked: Asked
    world: World
    whole: Count
    exposed: Count
    high_failure_risk: Count
    without_data: Count
    matrix: Mapping[tuple[str, str], Count]
    failure: Mapping[str, Count]
    delinquency: Mapping[str, Count]
    flags: Mapping[str, Count]
    concentrations: list[Concentration]
    loss: ExpectedLoss | None
    money: Money | None

    @property
    def day(self) -> date:
        return self.asked.day


def overview_of(asked: Asked, *, with_money: bool) -> Overview:
    reading = read_days(asked, asked.past)
    money = reading.money(asked.past)[0] if with_money else None
    world = reading.world(asked.past, asked.filters, money)
    failure = FAILURE.counts(world)
    return Overview(
        asked=asked,
        world=world,
        whole=count_of(world),
        exposed=count_of(world, world.is_exposed),
        high_failure_risk=total(failure.get(value, Count()) for value in HIGH_FAILURE_RISK),
        without_data=count_of(world, ~has_data(world)),
        matrix=matrix_of(world),
        failure=failure,
        delinquency=DELINQUENCY.counts(world),
        flags=flags_of(world),
        concentrations=[concentration_of(world, one) for one in CONCENTRATIONS],
        loss=expected_loss_of(world) if money else None,
        money=money,
    )


def matrix_of(world: World) -> dict[tuple[str, str], Count]:
    """By failure class and delinquency class."""
    keys = FAILURE.keys(world).astype(np.uint16) * 256 + DELINQUENCY.keys(world)
    found = tally_of(keys, world.cents).counts()
    return {_classes(world, *divmod(key, 256)): count for key, count in found.items()}


def flags_of(world: World) -> dict[str, Count]:
    """By sign: a company with several is in each."""
    sets = tally_of(world["flags"], world.cents).counts().items()
    return {
        name: total(count for flags, count in sets if flags & flag and flags != NO_FLAGS)
        for name, flag in FLAGS.items()
    }


def _classes(world: World, failure: int, delinquency: int) -> tuple[str, str]:
    return FAILURE.value(world.snapshot, failure), DELINQUENCY.value(world.snapshot, delinquency)
