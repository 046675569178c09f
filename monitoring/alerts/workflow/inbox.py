"""Which alerts are in the inbox: open, and not snoozed at this moment. So a snoozed alert returns without any job."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from monitoring.models import Alert, AlertState

OPEN = (AlertState.NEW, AlertState.ACKNOWLEDGED)


def awake(now: datetime | None = None) -> Q:
    return Q(snoozed_until=None) | Q(snoozed_until__lte=now or timezone.now())


def in_inbox(now: datetime | None = None) -> Q:
    return Q(state__in=OPEN) & awake(now)


def snoozed(now: datetime | None = None) -> Q:
    return Q(state__in=OPEN, snoozed_until__gt=now or timezone.now())


def is_snoozed(row: Alert) -> bool:
    return row.state in OPEN and row.snoozed_until is not None and row.snoozed_until > timezone.now()


def is_overdue(row: Alert) -> bool:
    return row.state in OPEN and not is_snoozed(row) and row.due_at is not None and row.due_at <= timezone.now()


def overdue(now: datetime | None = None) -> Q:
    now = now or timezone.now()
    return Q(due_at__lte=now) & in_inbox(now)
