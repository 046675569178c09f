"""Notifying people of alerts that somebody else has assigned to them: one message for those assigned together."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils import timezone

from monitoring.alerts.routing import open_channels_of
from monitoring.alerts.workflow.inbox import OPEN
from monitoring.models import Alert, Channel, OutboxMessage, TargetKind, content_key
from monitoring.outbox.queue import enqueue

# Whoever is killed between assigning and notifying leaves it to the next run.
ASSIGNMENTS_FROM = timedelta(days=1)
# Others may be in the middle of assigning many; the message contains all that are assigned when it is sent.
SETTLED = timedelta(seconds=30)
ROWS_AT_ONCE = 2_000
A_MILLISECOND = timedelta(milliseconds=1)


@dataclass(slots=True)
class Assignment:
    """What was assigned to somebody at once."""

    person: uuid.UUID
    by: str
    at: datetime
    # Of those, the alert that was read first, and its company; how many there are is read when it is sent.
    alert: uuid.UUID
    company: str
    count: int = 0

    @property
    def is_single(self) -> bool:
        return self.count == 1


def notify_assignees(just_now: datetime | None = None) -> int:
    """Notify people of alerts that somebody else has assigned to them, at once and whatever their channels take.

    The message's key is made of the person, the moment and who assigned them, so however many do this, one is sent.
    `just_now` is the moment of an assignment that is complete.
    """
    now = timezone.now()
    found = _assignments(now)
    people = get_user_model().objects.in_bulk({one.person for one in found})
    given = [one for one in found if one.by != people[one.person].get_username()]
    # MongoDB keeps milliseconds.
    complete = just_now and _milliseconds(just_now)
    channels = {key: open_channels_of(people[key]) for key in {one.person for one in given}}
    return len(
        enqueue(
            _message(channel, one, now if _milliseconds(one.at) == complete else max(now, one.at + SETTLED))
            for one in given
            for channel in channels[one.person]
            if _was_there(channel, one)
        )
    )


def _assignments(now: datetime) -> list[Assignment]:
    rows = Alert.objects.filter(assigned_at__gte=now - ASSIGNMENTS_FROM, assignee__isnull=False)
    columns = rows.order_by("-assigned_at", "-id").values_list(
        "assignee_id", "assigned_by", "assigned_at", "pk", "company_id"
    )
    found: dict[tuple[uuid.UUID, str, int], Assignment] = {}
    at: Any
    for person, by, at, alert, company in columns.iterator(chunk_size=ROWS_AT_ONCE):
        one = found.setdefault((person, by, _milliseconds(at)), Assignment(person, by, at, alert, company or ""))
        one.count += 1
    return list(found.values())


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _was_there(channel: Channel, one: Assignment) -> bool:
    """A channel that was made later gets what is assigned later, but for the one that is made to notify at all."""
    is_own_mail = channel.pk == content_key("own", one.person)
    return is_own_mail or channel.created_at is None or channel.created_at <= one.at


def _message(channel: Channel, one: Assignment, send_at: datetime) -> OutboxMessage:
    event = f"assigned:{content_key(one.person, one.by)}:{_milliseconds(one.at)}"
    payload = {"to": str(one.person), "by": one.by, "at": one.at.isoformat()}
    # Pages and other messages name the alert where it is the only one.
    about = {"assigned": str(one.alert)} if one.is_single else {}
    return OutboxMessage(
        id=OutboxMessage.key(channel.pk, event),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=event,
        event_type="alert.assigned",
        company=one.company if one.is_single else "",
        payload=json.dumps({**payload, **about}),
        next_try_at=send_at,
        created_at=timezone.now(),
    )


def assigned_alerts(payload: dict[str, Any]) -> QuerySet[Alert]:
    """What a message is about: those that are still open and assigned to the person, as they were then."""
    open_ones = Alert.objects.filter(assignee=payload["to"], state__in=OPEN)
    if "at" not in payload:
        return open_ones.filter(pk=payload["assigned"])
    at = datetime.fromisoformat(payload["at"])
    since = at - timedelta(microseconds=at.microsecond % 1000)
    together = open_ones.filter(assigned_at__gte=since, assigned_at__lt=since + A_MILLISECOND)
    return together.filter(assigned_by=payload["by"])
