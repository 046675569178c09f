"""Where the risk moved between two days: from each class to each class, in and out of the portfolio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.portfolio_page.measures.counts import Count, tally_of, total
from monitoring.portfolio_page.measures.dimensions import CLASS_NUMBERS, NO_CLASS
from monitoring.portfolio_page.measures.world import Cents, Mask, World, found_in

# Beside the classes and `NO_CLASS`: not in the portfolio.
OUTSIDE = 0
BETTER, WORSE, SAME, UNRATED, NEW, GONE = "better", "worse", "same", "unrated", "new", "gone"
DIRECTIONS = (WORSE, BETTER, SAME, UNRATED, NEW, GONE)
STATES = (OUTSIDE, *CLASS_NUMBERS, NO_CLASS)
States = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Companies of either day: those of the later day, then those that are gone, with their state on both days."""

    later: World
    gone: World
    was: States
    now: States

    @property
    def cents(self) -> Cents:
        return np.concatenate((self.later.cents, self.gone.cents))

    def only(self, mask: Mask) -> Pairs:
        first, last = mask[: len(self.later)], mask[len(self.later) :]
        return Pairs(self.later.only(first), self.gone.only(last), self.was[mask], self.now[mask])


def pairs_of(before: World, after: World, column: str) -> Pairs:
    stays, place = found_in(after["duns"], before["duns"])
    was = np.full(len(after), OUTSIDE, np.uint8)
    was[place[stays]] = before[column][stays]
    gone = before.only(~stays)
    outside = np.full(len(gone), OUTSIDE, np.uint8)
    return Pairs(after, gone, np.concatenate((was, gone[column])), np.concatenate((after[column], outside)))


def direction_of(was: int, now: int) -> str:
    if was == OUTSIDE:
        return NEW
    if now == OUTSIDE:
        return GONE
    if NO_CLASS in (was, now):
        return UNRATED
    return SAME if was == now else BETTER if now < was else WORSE


@dataclass(frozen=True, slots=True)
class Movement:
    """`cells` by the states on both days, `directions` by what that means."""

    cells: Mapping[tuple[int, int], Count]
    directions: Mapping[str, Count]

    def cell(self, was: int, now: int) -> Count:
        return self.cells.get((was, now), Count())


def movement_of(pairs: Pairs) -> Movement:
    keys = pairs.was.astype(np.uint16) * 256 + pairs.now
    cells = {divmod(key, 256): count for key, count in tally_of(keys, pairs.cents).counts().items()}
    directions = {
        name: total(count for (was, now), count in cells.items() if direction_of(was, now) == name)
        for name in DIRECTIONS
    }
    return Movement(cells, directions)


def mask_of(pairs: Pairs, *, direction: str = "", was: int | None = None, now: int | None = None) -> Mask:
    """The companies of one direction, or of one cell; all without either."""
    mask = np.ones(len(pairs.was), np.bool_)
    if direction:
        states = [(one, other) for one in STATES for other in STATES if direction_of(one, other) == direction]
        wanted = np.array([one * 256 + other for one, other in states], np.uint16)
        mask &= np.isin(pairs.was.astype(np.uint16) * 256 + pairs.now, wanted)
    if was is not None:
        mask &= pairs.was == was
    if now is not None:
        mask &= pairs.now == now
    return mask
