"""A company's page and its state as of a day, read from the last checkpoint before: 10,000 changes cost no more than a
few. Whoever reads more than a few makes the checkpoints that are missing.

A checkpoint counts when it is whole. It is begun before its events are read, and whoever brings an event for a time
that is over removes, when the event is there, all that were begun for that time or later (`forget`). So either the
event was read, or the checkpoint is gone before it counts or soon after. What a killed process has begun never counts.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db.models import Q

from core.bulk import select_values
from core.db import in_batches, insert_new
from monitoring.history.checkpoint_content import FORMAT, packed, unpacked
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.known import Known
from monitoring.history.state import (
    CHANGE_COLUMNS,
    SEED_COLUMNS,
    SNAPSHOT,
    CompanyState,
    Event,
    change_events,
    seed_events,
)
from monitoring.models import Change, HistoryCheckpoint, Kind, Notification

# A checkpoint after so many events, made when as many more are read as well.
EVERY = 100
# Some engines cut times to it.
PRECISION = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Base:
    """Where reading begins: a whole checkpoint, or nothing."""

    key: uuid.UUID | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """What happened since, and the changes shortly before, which a SEED may lack."""

    events: Sequence[Event]
    before: Sequence[Event]


def profile(duns: str, *, as_of: datetime | None = None) -> CompanyState:
    """The company as it was at `as_of` (an aware time), or as it is."""
    return known_at(duns, as_of)[0].state


def known_at(duns: str, *moments: datetime | None) -> list[Known]:
    """What was known of the company at each of the moments; None is now."""
    while True:
        kept = _kept(duns)
        bases = [_last(kept, moment) for moment in moments]
        contents = _contents(bases)
        if all(base.key is None or base.key in contents for base in bases):
            break
    later = {base: _later(duns, base, _latest(bases, moments, base)) for base in dict.fromkeys(bases)}
    for one in later.values():
        # None where all of it happened at one moment.
        if len(one.events) >= 2 * EVERY and (ends := list(_ends(one.events))):
            _keep(duns, ends)
    return [_known(contents.get(base.key), later[base], moment) for base, moment in zip(bases, moments, strict=True)]


def _kept(duns: str) -> list[Base]:
    """Those that count, in their order."""
    rows = select_values(HistoryCheckpoint, ("id", "until"), company=duns, is_whole=True, format=FORMAT)
    return [Base(key, until) for key, until in sorted(rows, key=lambda row: row[1])]


def _last(kept: Sequence[Base], moment: datetime | None) -> Base:
    fitting = (base for base in reversed(kept) if moment is None or (base.until and base.until <= moment))
    return next(fitting, Base())


def _contents(bases: Sequence[Base]) -> dict[uuid.UUID | None, bytes]:
    keys = {base.key for base in bases if base.key}
    rows = HistoryCheckpoint.objects.filter(pk__in=keys, is_whole=True, format=FORMAT).values_list("pk", "content")
    return {key: bytes(content) for key, content in rows} if keys else {}


def _latest(bases: Sequence[Base], moments: Sequence[datetime | None], base: Base) -> datetime | None:
    """Up to when it is read: for the last of the moments that begin there."""
    wanted = [moment for one, moment in zip(bases, moments, strict=True) if one == base]
    return None if None in wanted else max(moment for moment in wanted if moment)


def _known(content: bytes | None, later: Later, until: datetime | None) -> Known:
    known = unpacked(content) if content else Known()
    for _ in known.take([event for event in later.events if until is None or event.moment <= until], later.before):
        pass
    return known


def _later(duns: str, base: Base, until: datetime | None) -> Later:
    # Changes first: where retention puts a snapshot in their place, whoever misses them finds it.
    changes = _changes(duns, _span("changed_at", base.until, until))
    seeds = _seeds(duns, base.until, until)
    return Later([*changes, *seeds], _before(duns, base, seeds))


def _changes(duns: str, span: Mapping[str, Any]) -> list[Event]:
    rows = Change.objects.filter(company=duns, derived_from="", **span).exclude(kind=Kind.BASELINE)
    return [event for _, event in change_events(rows.values_list(*CHANGE_COLUMNS))]


def _seeds(duns: str, after: datetime | None, until: datetime | None) -> list[Event]:
    """Those without a stamp of D&B's stand where they were recorded."""
    stamped = Q(**_span("delivered_at", after, until))
    rows = Notification.objects.filter(company=duns, type__in=("SEED", SNAPSHOT))
    rows = rows.filter(stamped | Q(delivered_at=None)) if after or until else rows
    found = (event for _, event in seed_events(rows.values_list(*SEED_COLUMNS)))
    return [event for event in found if (not after or event.moment > after) and (not until or event.moment <= until)]


def _before(duns: str, base: Base, seeds: Sequence[Event]) -> list[Event]:
    since = min((seed.moment for seed in seeds), default=None)
    if base.until is None or since is None or since > base.until + SEED_MAY_LAG:
        return []
    span = {"changed_at__gte": since - SEED_MAY_LAG, "changed_at__lte": base.until}
    return _changes(duns, {"kind": Kind.ELEMENT} | span)


def _span(column: str, after: datetime | None, until: datetime | None) -> dict[str, datetime]:
    return ({f"{column}__gt": after} if after else {}) | ({f"{column}__lte": until} if until else {})


def _ends(events: Sequence[Event]) -> Iterator[datetime]:
    """Where checkpoints are to stand: never within a moment, in which a late event may come first."""
    moments = sorted(event.moment for event in events)
    start = 0
    for number in range(EVERY, len(moments)):
        if number - start >= EVERY and moments[number] > moments[number - 1]:
            start = number
            yield moments[number - 1]


def _keep(duns: str, ends: Sequence[datetime]) -> None:
    """First begun, then read: what comes for these times meanwhile removes them."""
    HistoryCheckpoint.objects.filter(company=duns).exclude(is_whole=True, format=FORMAT).delete()
    begun = [
        HistoryCheckpoint(id=HistoryCheckpoint.key(duns, end), company_id=duns, until=end, format=FORMAT)
        for end in ends
    ]
    # What others have begun since is theirs.
    if not (waiting := insert_new(HistoryCheckpoint, begun)):
        return
    base = _last(_kept(duns), ends[0])
    content, later = _contents([base]).get(base.key), _later(duns, base, ends[-1])
    if content or base.key is None:
        _fill(waiting, unpacked(content) if content else Known(), later)


def _fill(waiting: Sequence[HistoryCheckpoint], known: Known, later: Later) -> None:
    ordered = sorted(later.events, key=attrgetter("order"))
    following = [*ordered[1:], None]
    rest = list(waiting)
    for _, after in zip(known.take(ordered, later.before), following, strict=True):
        while rest and (after is None or after.moment > rest[0].until):
            begun = rest.pop(0)
            ours = HistoryCheckpoint.objects.filter(pk=begun.pk, attempt=begun.attempt, is_whole=False)
            ours.update(is_whole=True, content=packed(known))


def forget(since: Mapping[str, datetime], companies: Collection[str] = ()) -> None:
    """After something has come for these times, of each company the earliest; of `companies`, for whatever time.

    Until there are none: one that was begun meanwhile may have been made of one that goes."""
    for batch in in_batches(sorted(since)):
        while keys := _later_than({duns: since[duns] - PRECISION for duns in batch}):
            _remove(keys)
    for batch in in_batches(sorted(companies)):
        while keys := [key for (key,) in select_values(HistoryCheckpoint, ("id",), company__in=batch)]:
            _remove(keys)


def _later_than(since: Mapping[str, datetime]) -> list[uuid.UUID]:
    columns, first = ("id", "company_id", "until"), min(since.values())
    rows = select_values(HistoryCheckpoint, columns, company__in=list(since), until__gte=first)
    return [key for key, duns, until in rows if until >= since[duns]]


def forget_all() -> None:
    while HistoryCheckpoint.objects.all().delete()[0]:
        pass


def _remove(keys: Sequence[uuid.UUID]) -> None:
    for batch in in_batches(keys):
        HistoryCheckpoint.objects.filter(pk__in=batch).delete()
