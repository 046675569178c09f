"""What happens later than all that a company's figures hold is added to them, however much has happened before."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Min

from core.bulk import among
from core.db import in_batches
from monitoring.figures.catalog import PATHS
from monitoring.figures.history import Past, day_at, months_after, past_after
from monitoring.figures.record import words_in
from monitoring.figures.words import numbers_of
from monitoring.figures.writing import Read, Target, columns_of, read_companies, read_months, read_states, write
from monitoring.history.company_projection import shortly_before
from monitoring.history.state import CompanyState, Event, events_among
from monitoring.history.summary import Projection, restored
from monitoring.models import Change, FigureMonth, FigureState
from portfolio.models import Company

AT_ONCE = 500


@dataclass(slots=True)
class News:
    """What publications bring of a company: keys of its documents and changes, and when its last critical change was.
    Where something may stand elsewhere in the order now, its figures are made anew."""

    seeds: set[uuid.UUID] = field(default_factory=set)
    changes: set[uuid.UUID] = field(default_factory=set)
    critical_at: datetime | None = None
    is_moved: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known of a company, and the last day on which something happened."""

    projection: Projection
    last_day: date | None
    before: bytes


def advance(news: Mapping[str, News]) -> list[str]:
    """Add what is new; returns the companies whose figures have to be made anew."""
    left: list[str] = []
    for batch in in_batches(sorted(news), AT_ONCE):
        left += _advance_round({duns: news[duns] for duns in batch})
    return left


def _advance_round(news: Mapping[str, News]) -> list[str]:
    """The states are read before all that is made of them. See writing.py."""
    states = read_states(news)
    events = events_among(*_keys(news))
    bases = {duns: basis for duns, basis in _bases(news, states, events).items() if _is_later(basis, events[duns])}
    pasts = _pasts(bases, events)
    keys = {FigureMonth.key_of(duns, day) for duns, past in pasts.items() for day, _ in past.days}
    read = Read(states, _months(sorted(keys)), read_companies(pasts))
    _, lost = write(read, _targets(read, bases, pasts, news))
    done = {row.pk for row in read.companies} - lost
    return [duns for duns in news if duns not in done]


def _keys(news: Mapping[str, News]) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Of documents and of changes."""
    told = [one for one in news.values() if not one.is_moved]
    return [key for one in told for key in sorted(one.seeds)], [key for one in told for key in sorted(one.changes)]


def _bases(
    news: Mapping[str, News], states: Mapping[str, FigureState], events: Mapping[str, Sequence[Event]]
) -> dict[str, Basis]:
    """Of those whose news is all there."""
    whole = [
        duns
        for duns, one in news.items()
        if not one.is_moved and len(events[duns]) == len(one.seeds) + len(one.changes)
    ]
    known = {duns: basis for duns in whole if duns in states and (basis := _restored(states[duns]))}
    first = {duns: events[duns] for duns in whole if duns not in states and events[duns]}
    nothing = {
        duns: Basis(Projection(CompanyState(notes_mismatches=False), ()), None, b"") for duns in _without_past(first)
    }
    return known | nothing


def _restored(row: FigureState) -> Basis | None:
    projection = restored(row.projection)
    return Basis(projection, day_at(projection.order[0]), bytes(row.before)) if projection else None


def _without_past(events: Mapping[str, Sequence[Event]]) -> list[str]:
    """Companies of which nothing is known that happened before these events."""
    changes: Any = Change.objects.filter(among("company", list(events))).order_by().values_list("company_id")
    first = dict(changes.annotate(Min("changed_at"))) if events else {}
    # Of one that is being erased, documents may be all that is left.
    return [duns for duns, told in events.items() if duns in first and first[duns] >= min(one.moment for one in told)]


def _is_later(basis: Basis, events: Sequence[Event]) -> bool:
    """Of one moment, what stands there already may get another place when more comes."""
    return not basis.projection.order or all(event.moment > basis.projection.order[0] for event in events)


def _pasts(bases: Mapping[str, Basis], events: Mapping[str, Sequence[Event]]) -> dict[str, Past]:
    projections = {duns: basis.projection for duns, basis in bases.items()}
    before = shortly_before(events, projections, PATHS)
    found = {}
    for duns, projection in projections.items():
        applied = [one for one in before.get(duns, ()) if one.order <= projection.order]
        found[duns] = past_after(projection, events[duns], applied)
    return found


def _months(keys: Sequence[int]) -> dict[str, dict[date, FigureMonth]]:
    found: dict[str, dict[date, FigureMonth]] = defaultdict(dict)
    for batch in in_batches(keys):
        for duns, rows in read_months(pk__in=batch).items():
            found[duns] |= rows
    return found


def _targets(
    read: Read, bases: Mapping[str, Basis], pasts: Mapping[str, Past], news: Mapping[str, News]
) -> dict[str, Target]:
    numbers = numbers_of(words_in(figures for past in pasts.values() for figures in past.all_figures()))
    targets = {}
    for row in read.companies:
        past, basis = pasts[row.pk], bases[row.pk]
        months, before = months_after(row.pk, past, read.entries(row.pk), numbers, basis.last_day, basis.before)
        columns = columns_of(past) | {"last_critical_at": _later(row, news[row.pk])}
        targets[row.pk] = Target(past, months, before, columns)
    return targets


def _later(row: Company, news: News) -> datetime | None:
    known, new = row.last_critical_at, news.critical_at
    return max(known, new) if known and new else known or new
