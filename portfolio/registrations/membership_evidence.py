"""A notification about a company proves that D&B monitors it: what notifications say about who is in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from core.bulk import select_rows
from core.db import in_batches, insert_new_values
from portfolio.models import Registration, Subject, SubjectState
from portfolio.sync.apply_response import monitored, removed
from portfolio.sync.diff import WAITS_AT_MOST
from portfolio.sync.progress import count_open

GONE = ("EXIT", "REMOVED")
A_DAY = timedelta(days=1)
COLUMNS = ("id", "company_id", "state", "monitored_since", "monitored_until", "checked_at")
KNOWN = ("id", "state", "monitored_since", "monitored_until", "checked_at", "reported_by")
INSERTED_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Seen:
    """What the notifications read together say of one company: when it was first and last heard of, and left."""

    first: datetime
    last: datetime
    is_in: bool

    def then(self, moment: datetime, *, is_in: bool) -> Seen:
        if moment >= self.last:
            return Seen(self.first, moment, is_in)
        return Seen(min(self.first, moment), self.last, self.is_in)


def evidence_of(notices: Iterable[tuple[str, str, datetime]]) -> dict[str, Seen]:
    """(D-U-N-S number, type, time) in any order → what is known of each."""
    seen: dict[str, Seen] = {}
    for duns, kind, moment in notices:
        is_in = kind not in GONE
        known = seen.get(duns)
        seen[duns] = known.then(moment, is_in=is_in) if known else Seen(moment, moment, is_in)
    return seen


def apply_evidence(registration: Registration, seen: Mapping[str, Seen]) -> int:
    """Bring the rows of these companies up to the evidence; again, it changes nothing. `requested` is never touched.

    One query for each 500 companies where nothing is new. Returns how many rows were changed.
    """
    changed, new = 0, []
    for batch in in_batches(sorted(seen.items())):
        by_key = dict(zip(Subject.keys(registration.pk, [duns for duns, _ in batch]), batch, strict=True))
        rows = select_rows(Subject, KNOWN, pk__in=list(by_key))
        changed += _take_known(rows, {row.pk: by_key[row.pk][1] for row in rows})
        new += [_row(key, *by_key[key]) for key in by_key.keys() - {row.pk for row in rows}]
    changed += _insert(registration, new)
    if changed:
        count_open(registration)
    return changed


def _take_known(rows: Sequence[Subject], moments: Mapping[uuid.UUID, Seen]) -> int:
    there = [row for row in rows if moments[row.pk].is_in and _proves(row, moments[row.pk])]
    left = [row for row in rows if not moments[row.pk].is_in and _proves_leaving(row, moments[row.pk])]
    return _enter(there, moments) + _leave(left, moments) + _stay(rows, moments)


def _row(key: uuid.UUID, duns: str, seen: Seen) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    since, until = seen.first.date(), None if seen.is_in else seen.last.date()
    state = SubjectState.MONITORED if seen.is_in else SubjectState.REMOVED
    return key, duns, state.value, since, until, seen.last


def _insert(registration: Registration, new: Sequence[tuple[Any, ...]]) -> int:
    """Keys are hashes: thousands in their order touch each page of an index once, a few hundred one page each."""
    return sum(
        len(insert_new_values(Subject, COLUMNS, rows, "company_id", registration_id=registration.pk))
        for rows in in_batches(sorted(new, key=lambda row: row[0].int), INSERTED_AT_ONCE)
    )


def _proves(row: Subject, seen: Seen) -> bool:
    """What waited at D&B is delivered even after a removal, for four days."""
    if row.state in (SubjectState.MONITORED, SubjectState.PENDING_REMOVE):
        return False
    if row.monitored_until and seen.last.date() <= row.monitored_until + WAITS_AT_MOST:
        return False
    if row.state == SubjectState.PENDING_ADD:
        return True
    return row.checked_at is None or seen.last > row.checked_at


def _proves_leaving(row: Subject, seen: Seen) -> bool:
    if row.state not in (SubjectState.MONITORED, SubjectState.PENDING_REMOVE):
        return False
    return row.monitored_since is None or seen.last.date() >= row.monitored_since


def _enter(rows: Sequence[Subject], moments: Mapping[uuid.UUID, Seen]) -> int:
    changed = 0
    for day, keys in _by_day((row.pk, _entered(row, moments[row.pk])) for row in rows):
        # Nobody has said anything about this stay yet: an old request to end the last one does not end it.
        Subject.objects.filter(pk__in=keys, requested=False, state=SubjectState.REMOVED).update(requested_at=None)
        was = [SubjectState.UNKNOWN, SubjectState.PENDING_ADD, SubjectState.REMOVED, SubjectState.REFUSED]
        changed += monitored(keys, was, since=day)
    return changed


def _entered(row: Subject, seen: Seen) -> date:
    """The first day of the stay: no earlier than the end of the one before."""
    return max(seen.first.date(), row.monitored_until) if row.monitored_until else seen.first.date()


def _leave(rows: Sequence[Subject], moments: Mapping[uuid.UUID, Seen]) -> int:
    changed = 0
    for day, keys in _by_day((row.pk, moments[row.pk].last.date()) for row in rows):
        changed += removed(keys, [SubjectState.MONITORED, SubjectState.PENDING_REMOVE], until=day)
    return changed


def _stay(rows: Sequence[Subject], moments: Mapping[uuid.UUID, Seen]) -> int:
    """Who is known to be in: known since an earlier day, or heard of again, which is noted once a day."""
    staying = [row for row in rows if row.state == SubjectState.MONITORED and moments[row.pk].is_in]
    earlier = [(row.pk, moments[row.pk].first.date()) for row in staying if _is_earlier(row, moments[row.pk])]
    for day, keys in _by_day(earlier):
        Subject.objects.filter(pk__in=keys, monitored_since__gt=day).update(monitored_since=day)
    if proven := [row.pk for row in staying if row.reported_by]:
        Subject.objects.filter(pk__in=proven).update(reported_by=None)
    heard = [row.pk for row in staying if row.checked_at is None or moments[row.pk].last > row.checked_at + A_DAY]
    if heard:
        latest = max(moments[key].last for key in heard)
        Subject.objects.filter(pk__in=heard, state=SubjectState.MONITORED).update(checked_at=latest)
    return len(earlier)


def _is_earlier(row: Subject, seen: Seen) -> bool:
    return row.monitored_since is not None and seen.first.date() < row.monitored_since


def _by_day(pairs: Iterable[tuple[uuid.UUID, date]]) -> Iterable[tuple[date, list[uuid.UUID]]]:
    days: dict[date, list[uuid.UUID]] = {}
    for key, day in pairs:
        days.setdefault(day, []).append(key)
    return days.items()
