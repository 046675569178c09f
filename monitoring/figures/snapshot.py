"""All companies' figures as of a day, as one array: what pages and reports count in."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from monitoring.figures.record import record_dtype, unknown_values
from monitoring.figures.records import records_and_words
from monitoring.figures.words import Words
from portfolio.registrations.memberships import distinct, numbers_at

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


class Industry(NamedTuple):
    code: str
    scheme: str
    description: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Of the companies that were in the portfolio on that day. `rows` are sorted by `duns`, each company once; one of
    which nothing is known has every figure unknown."""

    day: date | None
    rows: Array
    words: Words
    numbers: dict[uuid.UUID, Array]
    # Whether it is a part of what is known of the day.
    is_limited: bool = False

    def only(self, registrations: Collection[uuid.UUID]) -> Snapshot:
        """The companies of these registrations."""
        import numpy

        numbers = {key: found for key, found in self.numbers.items() if key in registrations}
        rows = self.rows[numpy.isin(self.rows["duns"], together(numbers))]
        return Snapshot(self.day, rows, self.words, numbers, is_limited=True)

    def members(self, registration: uuid.UUID) -> Array:
        """Which of the rows are in the registration on that day."""
        import numpy

        mask = numpy.zeros(len(self.rows), dtype=bool)
        if registration in self.numbers:
            mask[numpy.searchsorted(self.rows["duns"], self.numbers[registration])] = True
        return mask

    def word(self, kind: str, number: int) -> str:
        """The text that stands as a number in a record; "" for 0, which is unknown. Of an industry, its code."""
        row = self.words.get((kind, int(number)))
        return row.text.rpartition("\t")[2] if row else ""

    def industry(self, number: int) -> Industry:
        row = self.words.get(("industry", int(number)))
        scheme, _, code = row.text.partition("\t") if row else ("", "", "")
        return Industry(code, scheme, row.label if row else "")


def together(numbers: Mapping[uuid.UUID, Array]) -> Array:
    """The D-U-N-S numbers of several registrations."""
    import numpy

    return distinct(numpy.concatenate([numpy.empty(0, numpy.uint32), *numbers.values()]))


def figures_at(day: date | None) -> Snapshot:
    """At the end of that day in UTC, as known now; None is the last that is known."""
    numbers = numbers_at(day)
    members = together(numbers)
    records, words = records_and_words(day)
    return Snapshot(day, _of(members, records), words, numbers)


def _of(members: Array, known: Array) -> Array:
    """Their records; unknown figures where there is none."""
    import numpy

    if not len(known):
        return _unknown(members)
    numbers = numpy.ascontiguousarray(known["duns"])
    if numpy.array_equal(numbers, members):
        return known
    places = numpy.searchsorted(numbers, members)
    rows: Array = known[numpy.minimum(places, len(known) - 1)]
    is_unknown = rows["duns"] != members
    rows[is_unknown] = _unknown(members[is_unknown])
    return rows


def _unknown(numbers: Array) -> Array:
    import numpy

    rows = numpy.empty(len(numbers), dtype=record_dtype())
    for name, value in unknown_values().items():
        rows[name] = value
    rows["duns"] = numbers
    return rows
