"""The portfolio in numbers: one computation that page, API, PDF and spreadsheet show, so that their numbers agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.concentration import Concentration, concentration_of
from monitoring.portfolio_page.counts import Count, count_of, tally_of
from monitoring.portfolio_page.dimensions import (
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
from monitoring.portfolio_page.expected_loss import ExpectedLoss, expected_loss_of
from monitoring.portfolio_page.filters import FLAGS, has_data, has_flag
from monitoring.portfolio_page.movement import Movement, movement_of, pairs_of
from monitoring.portfolio_page.world import World
from monitoring.portfolio_page.worlds import Money, world_at

CLASSES = (*map(str, CLASS_NUMBERS), UNKNOWN)
HIGH_RISK = ("4", "5")
CONCENTRATIONS = (COUNTRY, INDUSTRY, GROUP, SIZE, RATING, STATUS)


@dataclass(frozen=True, slots=True)
class Overview:
    """`money` is None where the reader may not see it. `before` are the companies of the earlier day."""

    asked: Asked
    world: World
    whole: Count
    exposed: Count
    high_risk: Count
    without_data: Count
    matrix: Mapping[tuple[str, str], Count]
    failure: Mapping[str, Count]
    delinquency: Mapping[str, Count]
    flags: Mapping[str, Count]
    before: Count
    movement: Movement
    concentrations: list[Concentration]
    loss: ExpectedLoss | None
    money: Money | None

    @property
    def day(self) -> date:
        return self.asked.day


def overview_of(asked: Asked, *, with_money: bool) -> Overview:
    after, money = world_at(asked.past, asked.filters, with_money=with_money)
    before, _ = world_at(asked.since, asked.filters, with_money=with_money)
    failure = FAILURE.counts(after)
    return Overview(
        asked=asked,
        world=after,
        whole=count_of(after),
        exposed=count_of(after, after.is_exposed),
        high_risk=count_of(after, FAILURE.mask(after, HIGH_RISK)),
        without_data=count_of(after, ~has_data(after)),
        matrix=matrix_of(after),
        failure=failure,
        delinquency=DELINQUENCY.counts(after),
        flags={name: count_of(after, has_flag(after, flag)) for name, flag in FLAGS.items()},
        before=count_of(before),
        movement=movement_of(pairs_of(before, after, asked.dimension.column)),
        concentrations=[concentration_of(after, one) for one in CONCENTRATIONS],
        loss=expected_loss_of(after) if money else None,
        money=money,
    )


def matrix_of(world: World) -> dict[tuple[str, str], Count]:
    """By failure class and delinquency class."""
    keys = FAILURE.keys(world).astype(np.uint16) * 256 + DELINQUENCY.keys(world)
    found = tally_of(keys, world.cents).counts()
    return {_classes(world, *divmod(key, 256)): count for key, count in found.items()}


def _classes(world: World, failure: int, delinquency: int) -> tuple[str, str]:
    return FAILURE.value(world.snapshot, failure), DELINQUENCY.value(world.snapshot, delinquency)
