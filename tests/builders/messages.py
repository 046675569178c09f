"""Messages on their way out."""

from typing import Any

from django.utils import timezone

from health.models import Heartbeat
from monitoring.models import MessageState, OutboxMessage, TargetKind


def a_message(number: int = 1, **fields: Any) -> OutboxMessage:
    target = Heartbeat.key("a channel")
    values = {
        "kind": TargetKind.CHANNEL,
        "target": target,
        "event": f"notice:{number}",
        "event_type": "notice",
        "payload": "{}",
        "state": MessageState.WAITING,
        "created_at": timezone.now(),
        **fields,
    }
    return OutboxMessage.objects.create(id=OutboxMessage.key(target, values["event"]), **values)
