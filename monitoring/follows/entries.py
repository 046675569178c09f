"""What users are notified of, as rows, and the messages that carry them.

The rows come first, then their message. Who sends a message first takes the rows that are there; a row that comes later
goes into another message. Each is one compare-and-swap on the row, so it is in exactly one message.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from core.db import in_batches, insert_new
from monitoring.alerts.facts.replacements import replacing
from monitoring.follows.matches import Found
from monitoring.follows.preferences import due_time, end_of_hour
from monitoring.models import (
    Change,
    Frequency,
    MessageState,
    NotificationPreference,
    OutboxMessage,
    PersonalEvent,
    Severity,
    TargetKind,
)
from monitoring.outbox.queue import enqueue

FOLLOWED, DIGEST = "follow", "follow.digest"
# Beyond these, a user gets one message at the end of the hour.
MOST_AN_HOUR = 20
AN_HOUR = timedelta(hours=1)


def notify_of(found: Collection[Found], preferences: Mapping[uuid.UUID, NotificationPreference]) -> int:
    """Put what was found into messages; the same again adds nothing. Returns how many messages are new."""
    now = _now()
    counts = _sent_lately({one.person for one in found}, now)
    rows = []
    for one in sorted(found, key=lambda one: (one.sequence, one.change)):
        event, due = _event_of(one, preferences[one.person], now, counts.setdefault(one.person, set()))
        rows.append(_row(one, event, due, now))
    insert_new(PersonalEvent, rows)
    return _queue([row for keys in in_batches([row.pk for row in rows]) for row in _rows(keys)])


def _now() -> datetime:
    """In milliseconds, as every engine keeps it: what is in memory equals what is read."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _rows(keys: Sequence[uuid.UUID]) -> Iterable[PersonalEvent]:
    return PersonalEvent.objects.filter(pk__in=keys)


def _row(one: Found, event: str, due: datetime, now: datetime) -> PersonalEvent:
    return PersonalEvent(
        id=PersonalEvent.key(one.person, one.change),
        person_id=one.person,
        change=one.change,
        company=one.company,
        because=one.because,
        event=event,
        due_at=due,
        created_at=now,
    )


def _sent_lately(people: Collection[uuid.UUID], now: datetime) -> dict[uuid.UUID, set[str]]:
    """Immediate messages of the last hour."""
    rows = OutboxMessage.objects.filter(target__in=people, created_at__gte=now - AN_HOUR, event_type=FOLLOWED)
    found: dict[uuid.UUID, set[str]] = {}
    for person, event in rows.values_list("target", "event"):
        found.setdefault(person, set()).add(event)
    return found


def _event_of(one: Found, preference: NotificationPreference, now: datetime, lately: set[str]) -> tuple[str, datetime]:
    """One message for each publication; or for each time, where it has to wait."""
    passes = one.severity >= Severity.CRITICAL and preference.critical_passes
    due = due_time(preference, one.frequency, now, passes=passes)
    event = f"follow:{one.sequence}"
    if due <= now and (event in lately or len(lately) < MOST_AN_HOUR):
        lately.add(event)
        return event, now
    if due <= now:
        due = due_time(preference, Frequency.AT_ONCE, end_of_hour(now), passes=passes)
    return f"digest:{int(due.timestamp() * 1000)}", due


# Messages


def _queue(rows: Collection[PersonalEvent]) -> int:
    messages, dues = {}, defaultdict(set)
    for row in rows:
        messages[_message_key(row)] = message_of(row.person_id, row.event, row.due_at)
        dues[_message_key(row)].add(row.due_at)
    count = len(enqueue(messages.values()))
    begun = _begun(dues)
    late = [row for row in rows if not row.is_written and _message_key(row) in begun]
    return count + (_queue(_moved_on(late)) if late else 0)


def _message_key(row: PersonalEvent) -> uuid.UUID:
    return OutboxMessage.key(row.person_id, row.event)


def message_of(person: uuid.UUID, event: str, due: datetime, payload: str = "{}") -> OutboxMessage:
    kind, _, key = event.partition(":")
    return OutboxMessage(
        id=OutboxMessage.key(person, event),
        kind=TargetKind.PERSON,
        target=person,
        event=event,
        event_type={"follow": FOLLOWED, "digest": DIGEST}.get(kind, kind),
        payload=payload,
        next_try_at=due,
        created_at=timezone.now(),
    )


def _begun(dues: Mapping[uuid.UUID, Collection[datetime]]) -> set[uuid.UUID]:
    """Messages that somebody sends or has sent. Who sends one moves its time first."""
    begun: set[uuid.UUID] = set()
    for keys in in_batches(sorted(dues)):
        rows = OutboxMessage.objects.filter(pk__in=keys).values_list("pk", "state", "attempts", "next_try_at")
        for key, state, attempts, next_try_at in rows:
            if state != MessageState.WAITING or attempts or next_try_at not in dues[key]:
                begun.add(key)
    return begun


def _moved_on(late: Iterable[PersonalEvent]) -> list[PersonalEvent]:
    """Into another message, unless the one before has taken them."""
    now, moved = _now(), []
    for row in late:
        event, open_row = f"{row.event}+", PersonalEvent.objects.filter(pk=row.pk, event=row.event, is_written=False)
        if open_row.update(event=event, due_at=now):
            row.event, row.due_at = event, now
            moved.append(row)
    return moved


def move_entries(replaced: Iterable[Change]) -> None:
    """Who was notified of a change that was replaced is not notified of the one that reports the same."""
    ends = replacing(replaced)
    moved = []
    for keys in in_batches(sorted(ends)):
        for row in PersonalEvent.objects.filter(change__in=keys):
            row.change = ends[row.change].pk
            row.pk = PersonalEvent.key(row.person_id, row.change)
            moved.append(row)
    _queue([row for row in insert_new(PersonalEvent, moved) if not row.is_written])


def take(person: uuid.UUID, event: str) -> list[PersonalEvent]:
    """The rows of a message that is to be written: from now on it has them."""
    rows = PersonalEvent.objects.filter(person=person, event=event)
    rows.filter(is_written=False).update(is_written=True)
    return list(rows.filter(is_written=True))
