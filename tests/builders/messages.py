"""Messages on their way out."""

from typing import Any

from django.utils import timezone

from health.models import Heartbeat
from monitoring.models import Dispatch, DispatchState, TargetKind


def a_message(number: int = 1, **fields: Any) -> Dispatch:
    target = Heartbeat.key("a channel")
    values = {
        "kind": TargetKind.CHANNEL,
        "target": target,
        "event": f"notice:{number}",
        "event_type": "notice",
        "payload": "{}",
        "state": DispatchState.WAITING,
        "created_at": timezone.now(),
        **fields,
    }
    return Dispatch.objects.create(id=Dispatch.key(target, values["event"]), **values)
