"""What a channel is sent: the message of an alert, an assignment, a notice or a digest, as it is at that moment."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from core.models import Notice
from core.visibility import visible_to
from monitoring.alerts.assignment_notices import assigned_alerts
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.message_templates import (
    alert_message,
    assignment_message,
    digest_message,
    notice_message,
    test_message,
)
from monitoring.models import Channel, OutboxMessage, TargetKind
from monitoring.outbox.channels import send
from monitoring.outbox.failing import deleted_text
from monitoring.outbox.message import Message
from monitoring.outbox.queue import ROUTES, Answer, NotSent, Route
from monitoring.outbox.visibility import alerts_for, scope_of_channel

# About three days, closer together at first.
SPACING = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440, 1440))


def send_message(row: OutboxMessage) -> Answer:
    """Say to its channel what a message is about, as it is now; raises NotSent."""
    channel = Channel.objects.select_related("person").filter(pk=row.target).first()
    if channel is None:
        raise NotSent(deleted_text(), cancels=True)
    if not channel.active or channel.unsubscribed_at:
        raise NotSent(gettext("The channel is disabled."), final=True)
    message = message_of(channel, row)
    if message is None:
        reason = gettext("The alert or notice was deleted, or is no longer visible to the recipient.")
        raise NotSent(reason, final=True)
    return send(channel, message, row.pk)


def message_of(channel: Channel, row: OutboxMessage) -> Message | None:
    payload: dict[str, Any] = json.loads(row.payload)
    if "alert" in payload:
        keys = [uuid.UUID(key) for key in (payload["alert"], *payload.get("others", ()))]
        found = alerts_for(channel, keys)
        alerts = [found[key] for key in keys if key in found]
        as_seen_by(scope_of_channel(channel), alerts)
        return alert_message(channel, alerts, payload["sequence"]) if alerts else None
    if "to" in payload:
        scope = scope_of_channel(channel)
        theirs = list(visible_to(scope, assigned_alerts(payload)))
        as_seen_by(scope, theirs)
        return assignment_message(channel, theirs, payload["by"]) if theirs else None
    if "notice" in payload:
        notice = visible_to(scope_of_channel(channel), Notice.objects.filter(pk=payload["notice"])).first()
        return notice_message(channel, notice) if notice else None
    return digest_message(channel, row.pk, datetime.fromisoformat(payload["digest"]))


def send_test(channel: Channel) -> str:
    """Send a test at once; returns why it failed, or nothing."""
    try:
        send(channel, test_message(channel), uuid.uuid4())
    except NotSent as error:
        return str(error)
    return ""


ROUTES[TargetKind.CHANNEL] = Route(send_message, SPACING)
