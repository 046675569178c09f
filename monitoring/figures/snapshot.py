"""All companies' figures as of a day, as one array: what pages and reports count in."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from monitoring.figures.checkpoints import made_of
from monitoring.figures.record import record_dtype, unknown_values
from monitoring.figures.records import Source, records_and_words, sources_on
from monitoring.figures.words import Words
from portfolio.registrations.memberships import Members, distinct, members_on, numbers_in

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
    # Columns of the rows that were asked for, side by side, and what was made of them: each once.
    columns: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def column(self, name: str) -> Array:
        """Side by side it is counted many times as fast as between the others."""
        import numpy

        if name not in self.columns:
            self.columns[name] = numpy.ascontiguousarray(self.rows[name])
        return self.columns[name]  # type: ignore[no-any-return]

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
    return figures_on([day])[0]


def figures_on(days: Sequence[date | None]) -> list[Snapshot]:
    """The same of several days, in as many queries as of one."""
    found = zip(days, members_on(days), sources_on(days), strict=True)
    return [_snapshot(day, members, source) for day, members, source in found]


def _snapshot(day: date | None, members: Members, source: Source) -> Snapshot:
    """The last one again where everything is as it was."""
    if source.checkpoint is None:
        return _made(day, members, source)
    place = made_of((day, members, source))
    if not place:
        place.append(_made(day, members, source))
    return cast(Snapshot, place[0])


def _made(day: date | None, members: Members, source: Source) -> Snapshot:
    numbers = numbers_in(members)
    records, words = records_and_words(source)
    return Snapshot(day, _of(together(numbers), records), words, numbers)


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
