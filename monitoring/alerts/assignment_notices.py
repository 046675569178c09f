"""Notifying people of the alerts that somebody else has assigned to them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.alerts.routing import open_channels_of
from monitoring.models import Alert, Channel, OutboxMessage, TargetKind, content_key
from monitoring.outbox.queue import enqueue

# Whoever is killed between assigning and notifying leaves it to the next run.
ASSIGNMENTS_FROM = timedelta(days=1)
MOST_ASSIGNMENTS = 500


def notify_assignees() -> int:
    """Notify people of alerts that somebody else has assigned to them, at once and whatever their channels take.

    The message's key is made of the alert and the moment it was assigned, so however many do this, one is sent.
    """
    now = timezone.now()
    rows = Alert.objects.filter(assigned_at__gte=now - ASSIGNMENTS_FROM, assignee__isnull=False)
    recent: list[Any] = list(rows.select_related("assignee").order_by("-assigned_at", "-id")[:MOST_ASSIGNMENTS])
    given = [alert for alert in recent if alert.assigned_by != alert.assignee.get_username()]
    channels = {person.pk: open_channels_of(person) for person in {alert.assignee for alert in given}}
    return len(
        enqueue(
            _assignment(channel, alert, now)
            for alert in given
            for channel in channels[alert.assignee_id]
            if _was_there(channel, alert)
        )
    )


def _was_there(channel: Channel, alert: Any) -> bool:
    """A channel that was made later gets what is assigned later, but for the one that is made to notify at all."""
    is_own_mail = channel.pk == content_key("own", alert.assignee_id)
    return is_own_mail or channel.created_at is None or channel.created_at <= alert.assigned_at


def _assignment(channel: Channel, alert: Any, now: datetime) -> OutboxMessage:
    event = f"assigned:{alert.pk}:{int(alert.assigned_at.timestamp() * 1000)}"
    return OutboxMessage(
        id=OutboxMessage.key(channel.pk, event),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=event,
        event_type="alert.assigned",
        company=alert.company_id or "",
        payload=json.dumps({"assigned": str(alert.pk), "to": str(alert.assignee_id), "by": alert.assigned_by}),
        next_try_at=now,
        created_at=now,
    )
