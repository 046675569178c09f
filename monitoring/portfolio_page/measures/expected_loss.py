"""What defaults could cost within a year: the incidence of default that D&B reports, times your exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.portfolio_page.measures.counts import Count, count_of
from monitoring.portfolio_page.measures.world import Cents, Mask, World

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
    rated = is_rated(world) & world.is_exposed
    unrated = ~rated & world.is_exposed
    loss = _loss(world.cents[rated], world["failure_incidence"][rated].astype(np.int64))
    return ExpectedLoss(loss, count_of(world, rated), count_of(world, unrated), int((~world.is_exposed).sum()))


def is_rated(world: World) -> Mask:
    return np.asarray(world["failure_incidence"] != NO_INCIDENCE)


def _loss(cents: Cents, incidence: NDArray[np.int64]) -> int:
    """Rounded once; divided before it is multiplied, as 64 bits do not hold the product of large amounts."""
    whole, rest = np.divmod(cents, WHOLE)
    return int((whole * incidence).sum()) + round(int((rest * incidence).sum()) / WHOLE)
