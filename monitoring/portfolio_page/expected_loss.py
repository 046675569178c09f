"""What defaults could cost within a year: the incidence of default that D&B reports, times your exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.portfolio_page.counts import Count, count_of
from monitoring.portfolio_page.world import Mask, World

# An incidence is a whole number of hundredths of a percent.
WHOLE = 10_000
NO_INCIDENCE = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """`cents` of `rated`. The others are counted apart: their loss is unknown, not 0."""

    cents: int
    rated: Count
    unrated: Count
    unexposed: int


def expected_loss_of(world: World) -> ExpectedLoss:
    has_incidence = is_rated(world)
    rated = world.only(has_incidence & world.is_exposed)
    unrated = count_of(world, ~has_incidence & world.is_exposed)
    return ExpectedLoss(_loss(rated), count_of(rated), unrated, int((~world.is_exposed).sum()))


def is_rated(world: World) -> Mask:
    return np.asarray(world.rows["failure_incidence"] != NO_INCIDENCE)


def _loss(world: World) -> int:
    """Rounded once; divided before it is multiplied, as 64 bits do not hold the product of large amounts."""
    incidence = world.rows["failure_incidence"].astype(np.int64)
    whole, rest = np.divmod(world.cents, WHOLE)
    return int((whole * incidence).sum()) + round(int((rest * incidence).sum()) / WHOLE)
