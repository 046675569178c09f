"""The companies of one day: their figures, and your exposure to them where the reader may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from monitoring.figures.snapshot import Snapshot

Rows = NDArray[np.void]
Cents = NDArray[np.int64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]
Keys = NDArray[Any]


@dataclass(frozen=True, slots=True)
class World:
    """One row a company, sorted by D-U-N-S number. `cents` is 0 where `is_exposed` is false."""

    snapshot: Snapshot
    rows: Rows
    cents: Cents
    is_exposed: Mask
    # Columns that were asked for, side by side, and what was made of them.
    columns: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> Keys:
        if name not in self.columns:
            self.columns[name] = np.ascontiguousarray(self.rows[name])
        found: Keys = self.columns[name]
        return found

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What is made of its columns once."""
        if name not in self.columns:
            self.columns[name] = make()
        return self.columns[name]

    def only(self, chosen: Mask | Places) -> World:
        return World(self.snapshot, self.rows[chosen], self.cents[chosen], self.is_exposed[chosen])


def world_of(snapshot: Snapshot, exposed: NDArray[np.uint32], cents: Cents) -> World:
    """`exposed` are the D-U-N-S numbers with an exposure, sorted, and `cents` their exposures."""
    numbers = snapshot.rows["duns"]
    is_exposed, place = found_in(exposed, numbers)
    found = np.zeros(len(numbers), np.int64)
    found[is_exposed] = cents[place[is_exposed]]
    return World(snapshot, snapshot.rows, found, is_exposed, snapshot.columns)


def found_in(known: Keys, numbers: Keys) -> tuple[Mask, Places]:
    """Which of the numbers are among the known ones, which are sorted, and where."""
    if not len(known):
        return np.zeros(len(numbers), np.bool_), np.zeros(len(numbers), np.intp)
    place = np.minimum(np.searchsorted(known, numbers), len(known) - 1)
    return known[place] == numbers, place
