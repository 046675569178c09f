"""How much of the portfolio lies in few places: the first ten countries, industries or groups, and their share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring.portfolio_page.measures.counts import Count, Tally, total
from monitoring.portfolio_page.measures.dimensions import Dimension
from monitoring.portfolio_page.measures.world import Cents, Mask, World
from monitoring.scores.bands import HIGH_RISK_CLASSES

FIRST = 10


@dataclass(frozen=True, slots=True)
class Place:
    """One of the first ten. `high` of its companies are at high failure risk."""

    value: str
    label: str
    count: Count
    high: Count = Count()


@dataclass(frozen=True, slots=True)
class Concentration:
    """The first ten by exposure, or by companies where there is none. The rest, and what is unknown, are apart."""

    dimension: Dimension
    first: list[Place]
    rest: Count
    others: int
    unknown: Count
    by_money: bool

    @property
    def total(self) -> Count:
        return total(one.count for one in self.first) + self.rest + self.unknown

    @property
    def share(self) -> float:
        """Of the first ten, in the whole."""
        return self.share_of(total(one.count for one in self.first))

    def share_of(self, count: Count) -> float:
        part, whole = (count.cents, self.total.cents) if self.by_money else (count.companies, self.total.companies)
        return part / whole if whole else 0.0


def concentration_of(world: World, dimension: Dimension) -> Concentration:
    known, unknown = _known(world, dimension)
    first = known.largest(FIRST, by_money=by_money(world))
    keys, is_high = dimension.keys(world), np.isin(world["failure_class"], HIGH_RISK_CLASSES)
    keys, cents = keys[is_high], world.cents[is_high]
    places = [
        Place(
            dimension.value(world.snapshot, number),
            dimension.label(world.snapshot, number),
            count,
            _count_at(keys == number, cents),
        )
        for number, count in first.counts().items()
    ]
    rest, others = known.total() - first.total(), len(known.keys) - len(first.keys)
    return Concentration(dimension, places, rest, others, unknown.total(), by_money(world))


def rest_mask(world: World, dimension: Dimension) -> Mask:
    """The companies that are in none of the first ten, and not unknown."""
    known, _ = _known(world, dimension)
    first, keys = known.largest(FIRST, by_money=by_money(world)), dimension.keys(world)
    return np.asarray((keys != dimension.unknown) & ~np.isin(keys, first.keys))


def _count_at(mask: Mask, cents: Cents) -> Count:
    return Count(int(mask.sum()), int(cents[mask].sum()))


def largest_companies(world: World) -> World:
    """The ten with the largest exposure; of equal ones the first by number."""
    places = np.flatnonzero(world.cents > 0)
    if len(places) > FIRST:
        cents = world.cents[places]
        places = places[cents >= np.partition(cents, -FIRST)[-FIRST]]
    return world.only(places[np.lexsort((places, -world.cents[places]))][:FIRST])


def by_money(world: World) -> bool:
    return bool(world.cents.any())


def _known(world: World, dimension: Dimension) -> tuple[Tally, Tally]:
    tally = dimension.tally(world)
    is_known = tally.keys != dimension.unknown
    return tally.only(is_known), tally.only(~is_known)
