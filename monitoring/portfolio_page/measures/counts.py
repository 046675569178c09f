"""Companies and exposure, counted by whatever divides them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.portfolio_page.measures.world import Cents, Keys, Mask, World

# Keys below this are counted by position; above, they are sorted first.
DENSE = 1 << 20


@dataclass(frozen=True, slots=True)
class Count:
    """Companies, and the sum of your exposure to them in cents of the reporting currency."""

    companies: int = 0
    cents: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.companies + other.companies, self.cents + other.cents)

    def __sub__(self, other: Count) -> Count:
        return Count(self.companies - other.companies, self.cents - other.cents)


def total(counts: Iterable[Count]) -> Count:
    return sum(counts, Count())


def count_of(world: World, mask: Mask | None = None) -> Count:
    cents = world.cents if mask is None else world.cents[mask]
    return Count(len(cents), int(cents.sum()))


@dataclass(frozen=True, slots=True)
class Tally:
    """For each key that occurs: its companies and their exposure. Sums are of whole numbers, so they are exact."""

    keys: Keys
    companies: NDArray[np.int64]
    cents: Cents

    def counts(self) -> dict[int, Count]:
        rows = zip(self.keys.tolist(), self.companies.tolist(), self.cents.tolist(), strict=True)
        return {key: Count(companies, cents) for key, companies, cents in rows}

    def only(self, chosen: Mask | NDArray[np.intp]) -> Tally:
        return Tally(self.keys[chosen], self.companies[chosen], self.cents[chosen])

    def total(self) -> Count:
        return Count(int(self.companies.sum()), int(self.cents.sum()))

    def largest(self, number: int, *, by_money: bool) -> Tally:
        """The largest first; of equal ones the first by key. Only they are sorted: there may be very many others."""
        sizes = self.cents if by_money else self.companies
        if len(sizes) > number:
            least = _nth_largest(sizes, number)
            above = np.flatnonzero(sizes > least)
            chosen = np.concatenate((above, np.flatnonzero(sizes == least)[: number - len(above)]))
        else:
            chosen = np.arange(len(sizes))
        return self.only(chosen[np.lexsort((self.keys[chosen], -sizes[chosen]))])


def _nth_largest(sizes: NDArray[np.int64], number: int) -> int:
    """Looked for among the larger ones only: most groups have one company, or no exposure."""
    larger = sizes[sizes > sizes.min()]
    return int(np.partition(larger, -number)[-number]) if len(larger) >= number else int(sizes.min())


def tally_of(keys: Keys, cents: Cents) -> Tally:
    if int(keys.max(initial=0)) >= DENSE:
        return tally_at(*np.unique(keys, return_inverse=True), cents)
    companies = np.bincount(keys)
    present = np.flatnonzero(companies)
    return Tally(present, companies[present], _sums(keys, cents, len(companies))[present])


def tally_at(present: Keys, places: NDArray[np.intp], cents: Cents) -> Tally:
    """Of keys that were looked up before: those that occur, and which of them each row has."""
    return Tally(present, np.bincount(places, minlength=len(present)), _sums(places, cents, len(present)))


def _sums(places: Keys, cents: Cents, size: int) -> Cents:
    sums = np.zeros(size, np.int64)
    if cents.any():
        np.add.at(sums, places, cents)
    return sums


def occurring(keys: Keys) -> list[int]:
    """The numbers of a column with few of them."""
    found: list[int] = np.flatnonzero(np.bincount(keys)).tolist()
    return found
