"""What happens in the portfolio → events for webhooks, read from what the portfolio has written down.

The audit is append only and its keys begin with the time, so it is read from where the last run ended, and a little
before: what a slow transaction has committed meanwhile. Each event has a key of its own, so reading twice tells once;
and each has its time, so that a webhook hears nothing of what happened before it was made.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from core.db import one_by_one
from core.models import AuditEntry
from core.text import plural
from monitoring.content_ids import milliseconds
from monitoring.models import ConsumerOffset, WebhookEndpoint
from monitoring.webhooks.endpoints import Event, emit_events, subscribes_to
from portfolio.models import ImportState, Registration, Subject, SubjectImport, SubjectState

CONSUMER = "portfolio events"
OVERLAP = timedelta(minutes=2)
REQUEST_EVENTS = {"request": "subject.requested", "withdraw": "subject.withdrawn"}
IMPORTS = {
    "import.upload": "import.uploaded",
    "import.confirm": "import.confirmed",
    "import.approve": "import.approved",
    "import.cancel": "import.cancelled",
    "import.undo": "import.undone",
}
# What the program does with an import, told from the import itself: nobody did it, so it is not in the audit.
STAGES = {
    ImportState.READ: "import.read",
    ImportState.FAILED: "import.failed",
    ImportState.APPLIED: "import.applied",
}
STATES = {
    SubjectState.MONITORED: "subject.monitored",
    SubjectState.REMOVED: "subject.removed",
    SubjectState.REFUSED: "subject.refused",
}
# A list that is checked again tells what everybody knows; only what began or ended lately is news.
NEWS = timedelta(days=2)
BATCH = 500


def enqueue_portfolio_events() -> int:
    """Notify the webhooks that subscribe to it of what happened since the last run; returns how many messages."""
    now = timezone.now()
    offset, _ = ConsumerOffset.objects.get_or_create(consumer=CONSUMER, defaults={"position": milliseconds(now)})
    told = 0
    names = [*REQUEST_EVENTS.values(), *IMPORTS.values(), *STAGES.values(), *STATES.values()]
    if any(subscribes_to(endpoint, name) for endpoint in WebhookEndpoint.objects.all() for name in names):
        since = datetime.fromtimestamp(offset.position / 1000, now.tzinfo) - OVERLAP
        told = sum(emit_events(batch) for batch in _batches(_happened(since)))
    ConsumerOffset.objects.filter(pk=CONSUMER, position=offset.position).update(position=milliseconds(now))
    return told


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _happened(since: datetime) -> Iterator[Event]:
    references = dict(Registration.objects.values_list("pk", "reference"))
    entries = AuditEntry.objects.filter(
        pk__gte=uuid.UUID(int=milliseconds(since) << 80), action__in=[*REQUEST_EVENTS, *IMPORTS]
    )
    for entry in entries.order_by("pk"):
        yield from _request_events(entry, references) if entry.action in REQUEST_EVENTS else _imports(entry, references)
    yield from _stages(since, references)
    yield from _states(since, references)


def _request_events(entry: AuditEntry, references: dict[uuid.UUID, str]) -> Iterator[Event]:
    registration = references.get(uuid.UUID(entry.key), "")
    for duns in json.loads(entry.after or "{}").get("duns", []):
        data = {"duns": duns, "registration": registration, "by": entry.actor, "at": entry.at}
        yield Event(REQUEST_EVENTS[entry.action], data, f"{entry.pk} {duns}", duns, entry.at)


def _imports(entry: AuditEntry, references: dict[uuid.UUID, str]) -> Iterable[Event]:
    row = SubjectImport.objects.filter(pk=entry.key).first()
    if row is not None:
        data = _import_data(row, entry.summary, entry.actor, references)
        yield Event(IMPORTS[entry.action], data, str(entry.pk), at=entry.at)


def _stages(since: datetime, references: dict[uuid.UUID, str]) -> Iterator[Event]:
    rows = SubjectImport.objects.filter(moved_at__gte=since, state__in=list(STAGES)).order_by("moved_at", "id")
    for row in one_by_one(rows):
        name = STAGES[ImportState(row.state)]
        data = _import_data(row, _summary(row), row.confirmed_by or row.created_by, references)
        yield Event(name, data, f"{row.pk} {row.pad_zeros}", at=row.moved_at)


def _summary(row: SubjectImport) -> str:
    if row.state == ImportState.FAILED:
        return f"{row} could not be read: {row.error}"
    numbers = f"{plural(row.new_billable or 0, 'new billable company', 'new billable companies')}, "
    numbers += plural(row.removals or 0, "removal")
    return f"{row} {'was applied' if row.state == ImportState.APPLIED else 'waits for confirmation'}: {numbers}"


def _import_data(row: SubjectImport, summary: str, by: str, references: dict[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "registration": references.get(row.registration_id, ""),
        "state": row.state,
        "summary": summary,
        "by": by,
    }


def _states(since: datetime, references: dict[uuid.UUID, str]) -> Iterator[Event]:
    rows = Subject.objects.filter(checked_at__gte=since, state__in=list(STATES)).order_by("checked_at", "id")
    for row in one_by_one(rows):
        if _is_news(row):
            yield _state(row, references.get(row.registration_id, ""))


def _is_news(row: Subject) -> bool:
    day = (timezone.now() - NEWS).date()
    if row.state == SubjectState.MONITORED:
        return row.monitored_since is not None and row.monitored_since >= day
    return row.state == SubjectState.REFUSED or (row.monitored_until is not None and row.monitored_until >= day)


def _state(row: Subject, registration: str) -> Event:
    data = {
        "duns": row.company_id,
        "registration": registration,
        "state": row.state,
        "code": row.code,
        "message": row.message,
        "replacement": row.replacement or None,
    }
    key = f"{row.pk} {row.state} {row.monitored_since} {row.monitored_until} {row.requested_at} {row.code}"
    return Event(STATES[SubjectState(row.state)], data, key, row.company_id, _known_since(row))


def _known_since(row: Subject) -> datetime | None:
    """Not before the day that D&B names, nor before somebody asked for it; `checked_at` says only when it was said
    the last time."""
    day = {SubjectState.MONITORED: row.monitored_since, SubjectState.REMOVED: row.monitored_until}
    times = [row.requested_at, _beginning_of(day.get(SubjectState(row.state)))]
    return max((at for at in times if at), default=None)


def _beginning_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None
