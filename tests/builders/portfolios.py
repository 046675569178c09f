"""Made-up portfolios: the figures of random companies on two days, and exposures to some of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import numpy as np

from monitoring.figures.record import record_dtype, unknown_values
from monitoring.figures.snapshot import Snapshot
from monitoring.figures.words import Text
from monitoring.portfolio_page.view_data import Cell
from portfolio.exposure.totals import Exposures

EARLIER, LATER = date(2026, 3, 1), date(2026, 3, 31)
FIRST_NUMBER = 100_000_000
REGISTRATIONS = (uuid.UUID(int=1), uuid.UUID(int=2))
TEXTS = {
    "country": [f"{letter}{other}" for letter in "ABCD" for other in "EFGH"],
    "rating": ["5A1", "4A2", "3A3", "2A4", "BB3"],
    "status": ["Active", "Out of business"],
    # The same code in two classifications is one industry to a list.
    "industry": ["399\t2821", "399\t5045", "37788\t325211", "3599\t5045"],
    "legal_form": ["GmbH"],
    "currency": ["EUR"],
}
WORDS = {
    (kind, number): Text(text, f"{text} in words")
    for kind, texts in TEXTS.items()
    for number, text in enumerate(texts, 1)
}


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What `figures_on` and `exposures_on` give: the earlier day's, and the later day's for every other day."""

    earlier: Snapshot
    later: Snapshot
    exposed: dict[int, int]

    def figures_on(self, days: Sequence[date | None]) -> list[Snapshot]:
        return [self.earlier if day == EARLIER else self.later for day in days]

    def exposures_on(self, days: Sequence[date | None], among: Any = None) -> list[Exposures]:
        duns, cents = sorted(self.exposed), [self.exposed[number] for number in sorted(self.exposed)]
        unconverted = np.zeros(0, "u4"), {"SEK": (2, 9_000)}
        return [Exposures("EUR", np.array(duns, "u4"), np.array(cents, "i8"), *unconverted) for _ in days]


def a_portfolio(chance: Random, companies: int = 80) -> Portfolio:
    """Most companies are in it on both days, and half of them have the same figures on both."""
    numbers = sorted(chance.sample(range(FIRST_NUMBER, FIRST_NUMBER + 2 * companies), companies))
    before = {number: a_record(chance, number) for number in numbers if chance.random() < 0.8}
    after = {
        number: before[number] if number in before and chance.random() < 0.5 else a_record(chance, number)
        for number in numbers
        if chance.random() < 0.8
    }
    exposed = {number: chance.choice((0, 1, chance.randrange(10**9))) for number in numbers if chance.random() < 0.6}
    return Portfolio(_snapshot(chance, EARLIER, before), _snapshot(chance, None, after), exposed)


def a_record(chance: Random, duns: int, **fields: Any) -> dict[str, Any]:
    """Any figure may be unknown; of some companies nothing is known."""
    found = {**unknown_values(), "duns": duns}
    if chance.random() < 0.9:
        found |= {name: value for name, value in _some_figures(chance).items() if chance.random() < 0.8}
    return {**found, **fields}


def _some_figures(chance: Random) -> dict[str, Any]:
    return {
        "failure_percentile": chance.randint(1, 100),
        "failure_class": chance.randint(1, 5),
        "failure_incidence": chance.randrange(10_001),
        "delinquency_class": chance.randint(1, 5),
        "size": chance.randrange(4),
        "flags": chance.randrange(128),
        "global_ultimate": FIRST_NUMBER + chance.randrange(30),
        **{name: chance.randint(1, len(TEXTS[name])) for name in ("country", "rating", "status", "industry")},
    }


def _snapshot(chance: Random, day: date | None, records: dict[int, dict[str, Any]]) -> Snapshot:
    rows = np.zeros(len(records), record_dtype())
    for place, number in enumerate(sorted(records)):
        for name, value in records[number].items():
            rows[name][place] = value
    duns = rows["duns"]
    # Each company in one of the registrations at least.
    lots = np.array([chance.randint(0, 2) for _ in duns], int)
    numbers = {REGISTRATIONS[0]: duns[lots != 1], REGISTRATIONS[1]: duns[lots != 0]}
    return Snapshot(day, rows, WORDS, numbers)


def cells_in(thing: Any) -> Iterator[Cell]:
    """Every number that a page's context holds."""
    if isinstance(thing, Cell):
        yield thing
        yield from cells_in(thing.high)
    elif isinstance(thing, dict):
        yield from (cell for value in thing.values() for cell in cells_in(value))
    elif isinstance(thing, (list, tuple)):
        yield from (cell for value in thing for cell in cells_in(value))
