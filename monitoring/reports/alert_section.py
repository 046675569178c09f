"""A report's delays and alerts: time to detection and acknowledgement, and the open alerts."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from core.visibility import Scope, visible_to
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.models import Alert, AlertKind, AlertState, Severity
from monitoring.reports.periods import Period
from monitoring.stats.latency import percentile

# Of more, these say the same.
MOST_MEASURED = 20_000
WAITING_SHOWN = 10
_CLOSED_BY_A_PERSON = Q(closed_at__isnull=False) & ~Q(closed_by=PROGRAM)
WAITING = Q(state=AlertState.NEW)
# A person took it up; closing it is that too, unless the program did it.
SEEN = ~WAITING & (Q(acknowledged_at__isnull=False) | _CLOSED_BY_A_PERSON)
_IS_CRITICAL = Q(severity=Severity.CRITICAL)
COUNTS = {
    "raised": Count("id"),
    "acknowledged": Count("id", filter=SEEN),
    "taken_back": Count("id", filter=Q(state=AlertState.CLOSED) & ~SEEN),
    "critical": Count("id", filter=_IS_CRITICAL),
    "critical_acknowledged": Count("id", filter=_IS_CRITICAL & SEEN),
}


@dataclass(frozen=True, slots=True)
class Delay:
    """The median and the 95th percentile (`most`), in seconds."""

    count: int = 0
    median: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """Alerts raised in the period, and what became of them by now; and what waits now, whenever it was raised."""

    raised: int = 0
    acknowledged: int = 0
    taken_back: int = 0
    critical: int = 0
    critical_acknowledged: int = 0
    waiting: int = 0
    since_change: Delay = Delay()
    since_raised: Delay = Delay()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that is not acknowledged."""

    alert: uuid.UUID
    severity: str
    tone: str
    title: str
    raised_at: datetime
    waited: timedelta


def delay_of(counts: Iterable[tuple[int, int]]) -> Delay:
    counts = list(counts)
    return Delay(sum(count for _, count in counts), percentile(counts, 50), percentile(counts, 95))


def handled_in(
    period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool, listed: int, scope: Scope
) -> Handled:
    """Alerts about single companies, raised in the period; late alerts, for the inbox only, are left out. `listed` are
    the waiting ones that the report names: all of them, unless it names as many as it can."""
    start, end = period.moments
    raised = Q(raised_at__gte=start, raised_at__lt=end, kind=AlertKind.CHANGE, is_late=False)
    alerts = _of(visible_to(scope, Alert.objects.order_by()), registrations, is_all=is_all or not scope.sees_all)
    # Apart: each is a range of one index, and together they are none.
    waiting = listed if listed < WAITING_SHOWN else alerts.filter(WAITING).count()
    return handled_of(alerts.filter(raised), waiting=waiting)


def raised_between(alerts: Any, start: datetime | None, end: datetime | None = None) -> Any:
    """As the inbox shows them: of every kind and state, late ones too."""
    found = alerts.filter(raised_at__gte=start) if start else alerts
    return found.filter(raised_at__lt=end) if end else found


def handled_of(alerts: Any, *, waiting: int = 0) -> Handled:
    counts = alerts.aggregate(**COUNTS)
    since_change, since_raised = _delays(alerts.filter(SEEN)) if counts["acknowledged"] else (Delay(), Delay())
    return Handled(**counts, waiting=waiting, since_change=since_change, since_raised=since_raised)


def _delays(seen: Any) -> tuple[Delay, Delay]:
    """From the change, and from the alert, until a person took it up: of the last that were raised."""
    since_change: Counter[int] = Counter()
    since_raised: Counter[int] = Counter()
    rows = seen.order_by("-raised_at", "-id").values_list("happened_at", "raised_at", "acknowledged_at", "closed_at")
    for happened_at, raised_at, acknowledged_at, closed_at in rows[:MOST_MEASURED]:
        moment = acknowledged_at or closed_at
        since_change[_seconds(moment - happened_at)] += 1
        since_raised[_seconds(moment - raised_at)] += 1
    return delay_of(since_change.items()), delay_of(since_raised.items())


def _seconds(delay: timedelta) -> int:
    return max(int(delay.total_seconds()), 0)


def _of(alerts: Any, registrations: Sequence[uuid.UUID], *, is_all: bool) -> Any:
    return alerts if is_all else alerts.filter(registration__in=registrations)


def waiting_alerts(registrations: Sequence[uuid.UUID], *, is_all: bool, scope: Scope) -> list[Waiting]:
    """Alerts that are not acknowledged, the most severe first, of the same severity the oldest."""
    alerts = visible_to(scope, Alert.objects.filter(WAITING))
    rows = _of(alerts, registrations, is_all=is_all or not scope.sees_all)
    now = timezone.now()
    found = list(rows.order_by("-severity", "raised_at", "id")[:WAITING_SHOWN])
    as_seen_by(scope, found)
    return [_waiting_alert(row, now) for row in found]


def _waiting_alert(row: Alert, now: datetime) -> Waiting:
    severity = Severity(row.severity)
    waited = now - row.raised_at
    return Waiting(row.pk, str(severity.label), severity.name.lower(), row.title, row.raised_at, waited)
