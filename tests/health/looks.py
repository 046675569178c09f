"""What the tests of health share: one check out of a look, and rows that make it bad."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from health.checks import all_checks
from health.models import JOBS, Heartbeat, Probe, State
from health.results import Result
from monitoring.models import Delivery, DeliveryState, Dispatch, DispatchState, Source, TargetKind
from portfolio.models import Registration
from portfolio.rows import database_now
from tests.builders import a_registration


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def look_at(matter: str) -> Result:
    (found,) = [result for result in all_checks() if result.matter == matter]
    return found


def state_of(matter: str) -> State:
    return look_at(matter).state


def a_beat(**age: float) -> None:
    at = database_now() - timedelta(**age)
    Heartbeat.objects.update_or_create(id=Heartbeat.key(JOBS), defaults={"name": JOBS, "at": at})


def a_probe(**fields: Any) -> Probe:
    defaults = {"asked_at": ago(minutes=1), "answered_at": ago(minutes=1), "seconds": 0.2, **fields}
    return Probe.objects.update_or_create(contract="default", defaults=defaults)[0]


def a_call(state: str, registration: Registration | None = None, **fields: Any) -> Delivery:
    """A delivery in any state, without content."""
    values = {"source": Source.PULL, "asked_at": timezone.now(), **fields}
    return Delivery.objects.create(registration=registration or a_registration(), state=state, **values)


def a_published_call(*, took: float, visible: float, count: int = 10) -> Delivery:
    asked = ago(minutes=5)
    ended = asked + timedelta(seconds=took)
    return a_call(
        DeliveryState.PUBLISHED,
        asked_at=asked,
        ended_at=ended,
        received_at=ended,
        ingested_at=ended + timedelta(seconds=visible / 2),
        published_at=ended + timedelta(seconds=visible),
        notification_count=count,
    )


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
