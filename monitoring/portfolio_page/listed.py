"""The companies behind a number of the portfolio, as of the page's days: filtered, ordered, and a page of them read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from django.http import QueryDict
from numpy.typing import NDArray

from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.filters import OF_PAGE, Filters
from monitoring.portfolio_page.measures.concentration import rest_mask
from monitoring.portfolio_page.measures.dimensions import DIMENSIONS, NO_CLASS, UNKNOWN
from monitoring.portfolio_page.measures.movement import DIRECTIONS, OUTSIDE, Pairs, mask_of, pairs_of
from monitoring.portfolio_page.measures.world import Mask, World
from monitoring.portfolio_page.worlds import Money, read_days

# What a list is filtered by, beside the page's filters.
OF_LIST = (*(name for name in DIMENSIONS if name not in OF_PAGE), "flag", "exposure", "failure_incidence", "data")
ABSENT = "none"
SORTS = ("risk", "exposure", "duns")
Order = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Choice:
    """Of movement: a direction, or the states on both days. `rest` names a dimension: all beyond its first ten."""

    direction: str = ""
    was: int | None = None
    now: int | None = None
    rest: str = ""

    @property
    def is_movement(self) -> bool:
        return bool(self.direction) or self.was is not None or self.now is not None


def read_choice(query: QueryDict) -> Choice:
    direction, rest = query.get("direction", ""), query.get("rest", "")
    return Choice(
        direction if direction in DIRECTIONS else "",
        state_of(query.get("was", "")),
        state_of(query.get("now", "")),
        rest if rest in DIMENSIONS else "",
    )


def state_of(text: str) -> int | None:
    """As in addresses: a class, `unknown`, or `none` where the company was not in the portfolio."""
    known = {UNKNOWN: NO_CLASS, ABSENT: OUTSIDE, **{str(number): number for number in range(1, 6)}}
    return known.get(text)


def state_text(state: int) -> str:
    return {NO_CLASS: UNKNOWN, OUTSIDE: ABSENT}.get(state, str(state))


@dataclass(frozen=True, slots=True)
class Listed:
    """`was` and `now` are there where the list is about movement. `money` is None where exposure is not shown."""

    world: World
    was: NDArray[np.uint8] | None
    now: NDArray[np.uint8] | None
    money: Money | None

    def __len__(self) -> int:
        return len(self.world)

    @property
    def sorts(self) -> list[str]:
        """By what it can be ordered."""
        return [name for name in SORTS if name != "exposure" or self.money]

    def ordered(self, sort: str) -> Order:
        world = self.world
        if sort == "duns":
            return np.arange(len(world))
        if sort == "exposure" and self.money:
            return np.lexsort((world["duns"], -world.cents, ~world.is_exposed))
        risk = np.where(world["failure_class"] == NO_CLASS, 0, world["failure_class"]).astype(np.int16)
        return np.lexsort((world["duns"], world["failure_percentile"], -risk))


def chosen_sort(query: QueryDict, found: Listed) -> str:
    return query.get("sort", "") if query.get("sort", "") in found.sorts else SORTS[0]


def listed(asked: Asked, choice: Choice, *, with_money: bool) -> Listed:
    """The page's filters hold on each day; those of the list, on the list's day."""
    of_page, of_list = _parted(asked.filters)
    reading = read_days(asked, asked.past, *([asked.since] if choice.is_movement else []))
    money = reading.money(asked.past)[0] if with_money else None
    world = reading.world(asked.past, of_page, money)
    if choice.is_movement:
        pairs = pairs_of(reading.world(asked.since, of_page, money), world, asked.dimension.column)
        mask = mask_of(pairs, direction=choice.direction, was=choice.was, now=choice.now)
        found = _moved(pairs.only(mask), money)
    else:
        found = Listed(world, None, None, money)
    mask = of_list.mask(found.world)
    # The first ten are those of all companies, whatever else the list is filtered by.
    return _only(found, mask & rest_mask(found.world, DIMENSIONS[choice.rest]) if choice.rest else mask)


def _parted(filters: Filters) -> tuple[Filters, Filters]:
    of_page = {name: values for name, values in filters.values.items() if name in OF_PAGE}
    of_list = {name: values for name, values in filters.values.items() if name not in OF_PAGE}
    return replace(filters, values=of_page), Filters(of_list)


def _moved(pairs: Pairs, money: Money | None) -> Listed:
    """Those that are gone stand here with their figures of the earlier day."""
    later, gone = pairs.later, pairs.gone
    rows = np.concatenate((later.rows, gone.rows))
    world = World(later.snapshot, rows, pairs.cents, np.concatenate((later.is_exposed, gone.is_exposed)))
    order = np.argsort(world["duns"])
    return Listed(world.only(order), pairs.was[order], pairs.now[order], money)


def _only(found: Listed, mask: Mask) -> Listed:
    was, now = (None if states is None else states[mask] for states in (found.was, found.now))
    return Listed(found.world.only(mask), was, now, found.money)
