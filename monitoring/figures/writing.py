"""Rows of figures as they were read, and what is to be written to them: each by its version.

First the state: who finds another version of it than was read has been overtaken, writes nothing else and begins again.
Then the rows of months and the company's columns. Who is killed before their end takes the same again, finds that the
state holds it already, and makes the figures anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from core.bulk import select_rows, update_versions
from core.db import database_now, insert_new
from monitoring.figures.catalog import Figures
from monitoring.figures.history import Months, Past
from monitoring.figures.stored import stored
from monitoring.models import FigureMonth, FigureState
from portfolio.models import Company

# History's own (company_projection.py).
OTHERS_COLUMNS = ("country", "operating_status", "global_ultimate")
COLUMNS = tuple(name for name in Figures._fields if name not in OTHERS_COLUMNS)
_columns = attrgetter(*COLUMNS)
Rows = Mapping[date, FigureMonth]


class NewMonth(NamedTuple):
    """A row of FigureMonth, to be inserted."""

    key: int
    company_id: str
    month: date
    entries: bytes
    changed_at: datetime
    version: int = 0


class NewState(NamedTuple):
    """A row of FigureState, to be inserted."""

    company_id: str
    projection: str
    before: bytes
    version: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be there of one company: in these months, in its columns, and for the next time."""

    past: Past
    months: Months
    before: bytes
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """Of some companies, read in this order."""

    states: Mapping[str, FigureState]
    months: Mapping[str, Rows]
    companies: Sequence[Company]

    def entries(self, duns: str) -> Months:
        return Months({month: bytes(row.entries) for month, row in self.months.get(duns, {}).items()})


def read_states(duns: Collection[str]) -> dict[str, FigureState]:
    return {row.pk: row for row in select_rows(FigureState, pk__in=list(duns))}


def read_months(**which: Any) -> dict[str, dict[date, FigureMonth]]:
    rows: dict[str, dict[date, FigureMonth]] = defaultdict(dict)
    for row in select_rows(FigureMonth, **which):
        rows[row.company_id][row.month] = row
    return rows


def read_companies(duns: Collection[str]) -> list[Company]:
    names = ("duns", "version", "last_critical_at", *COLUMNS)
    return sorted(select_rows(Company, names, pk__in=list(duns)), key=attrgetter("duns"))


def columns_of(past: Past) -> dict[str, Any]:
    return dict(zip(COLUMNS, _columns(past.latest), strict=True))


def write(read: Read, targets: Mapping[str, Target]) -> tuple[set[str], set[str]]:
    """Returns the companies of which anything was different, and those that somebody else has written meanwhile."""
    overtaken = _write_states(read, targets)
    won = {duns: target for duns, target in targets.items() if duns not in overtaken}
    different, lost = _write_months(read, won)
    changes = _different_columns(read.companies, won)
    lost |= {row.pk for row in update_versions(changes)} if changes else set()
    return different | {row.pk for row, _ in changes}, overtaken | lost


def _write_months(read: Read, targets: Mapping[str, Target]) -> tuple[set[str], set[str]]:
    new: list[NewMonth] = []
    changed: list[tuple[FigureMonth, dict[str, Any]]] = []
    found = [(duns, *one) for duns, target in targets.items() for one in _different(read.months.get(duns, {}), target)]
    if not found:
        return set(), set()
    now = database_now()
    for duns, month, entries in found:
        if row := read.months.get(duns, {}).get(month):
            changed.append((row, {"entries": entries, "changed_at": now}))
        else:
            new.append(NewMonth(FigureMonth.key_of(duns, month), duns, month, entries, now))
    lost = {row.pk for row in update_versions(changed)} if changed else set()
    overtaken = {row.company_id for row, _ in changed if row.pk in lost}
    return {duns for duns, *_ in found}, overtaken | _not_inserted(FigureMonth, new)


def _different(rows: Rows, target: Target) -> Iterable[tuple[date, bytes]]:
    entries = target.months.entries
    for month in sorted(rows.keys() | entries.keys()):
        wanted = entries.get(month, b"")
        if bytes(rows[month].entries if month in rows else b"") != wanted:
            yield month, wanted


def _not_inserted(
    model: type[FigureMonth] | type[FigureState], rows: Sequence[NewMonth] | Sequence[NewState]
) -> set[str]:
    """The companies of which somebody else has inserted the row: none was there when they were read."""
    inserted = {row[0] for row in insert_new(model, rows, asked=True)} if rows else set()
    return {row.company_id for row in rows if row[0] not in inserted}


def _different_columns(
    companies: Iterable[Company], targets: Mapping[str, Target]
) -> list[tuple[Company, dict[str, Any]]]:
    changes = []
    for row in companies:
        target, known = targets.get(row.duns), vars(row)
        if target and (values := {name: new for name, new in target.columns.items() if known[name] != new}):
            changes.append((row, values))
    return changes


def _write_states(read: Read, targets: Mapping[str, Target]) -> set[str]:
    """Each gets another version, also where nothing differs: whoever has read less must not get through."""
    new: list[NewState] = []
    changed: list[tuple[FigureState, dict[str, Any]]] = []
    for duns, target in targets.items():
        projection = stored(target.past.projection)
        if row := read.states.get(duns):
            changed.append((row, {"projection": projection, "before": target.before}))
        elif target.past.projection:
            new.append(NewState(duns, projection, target.before))
    lost = {row.pk for row in update_versions(changed)} if changed else set()
    return lost | _not_inserted(FigureState, new)
