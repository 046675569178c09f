"""What people do with alerts: acknowledge, close, open again, assign, comment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from monitoring.models import Alert, AlertComment, AlertState
from portfolio.rows import clean_text, in_batches

LONGEST = 4_000


def acknowledge(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Somebody looks after them; returns how many were new."""
    changed = {"state": AlertState.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": timezone.now()}
    return sum(
        Alert.objects.filter(pk__in=batch, state=AlertState.NEW).update(**changed) for batch in in_batches(alerts)
    )


def close(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Nothing is left to do; returns how many were open."""
    changed = {"state": AlertState.CLOSED, "closed_by": by, "closed_at": timezone.now()}
    open_states = (AlertState.NEW, AlertState.ACKNOWLEDGED)
    return sum(
        Alert.objects.filter(pk__in=batch, state__in=open_states).update(**changed) for batch in in_batches(alerts)
    )


def open_again(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    changed = {"state": AlertState.NEW, "closed_by": "", "closed_at": None}
    return sum(
        Alert.objects.filter(pk__in=batch, state=AlertState.CLOSED).update(**changed) for batch in in_batches(alerts)
    )


def assign(alerts: Sequence[uuid.UUID], *, to: Any) -> int:
    """To a person, or to nobody (None)."""
    return sum(Alert.objects.filter(pk__in=batch).update(assignee=to) for batch in in_batches(alerts))


def comment(alert: uuid.UUID, *, by: str, text: str) -> AlertComment | None:
    """None where nothing was written."""
    text = clean_text(text.strip(), LONGEST)
    if not text:
        return None
    return AlertComment.objects.create(alert_id=alert, by=by, at=timezone.now(), text=text)
