"""What a report says about delays and alerts: how soon things were seen, and what nobody has looked after yet."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.delays import percentile
from monitoring.models import Alert, AlertKind, AlertState, Severity
from monitoring.periods import Period
from monitoring.reversing import PROGRAM

MOST_ALERTS = 20_000
MOST_WAITING = 1_000
COLUMNS = (
    *("kind", "is_late", "severity", "state"),
    *("happened_at", "raised_at", "acknowledged_at", "closed_at", "closed_by"),
)


@dataclass(frozen=True, slots=True)
class Delay:
    """Half were faster than the median, 95 of 100 faster than `most`, in seconds."""

    count: int = 0
    median: int | None = None
    most: int | None = None


@dataclass(slots=True)
class Handled:
    """Alerts raised in the period, and what became of them by now."""

    raised: int = 0
    acknowledged: int = 0
    taken_back: int = 0
    critical: int = 0
    critical_acknowledged: int = 0
    since_change: Delay = field(default_factory=Delay)
    since_raised: Delay = field(default_factory=Delay)
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that nobody has acknowledged."""

    alert: uuid.UUID
    weight: str
    tone: str
    title: str
    raised_at: datetime
    waited: timedelta


def delay_of(counts: Iterable[tuple[int, int]]) -> Delay:
    counts = list(counts)
    return Delay(sum(count for _, count in counts), percentile(counts, 50), percentile(counts, 95))


def handled_in(period: Period, registrations: Sequence[uuid.UUID], *, is_all: bool) -> Handled:
    """Alerts about single companies, raised in the period; late news, for the inbox only, is left out."""
    start, end = period.moments
    rows = _of(Alert.objects.filter(raised_at__gte=start, raised_at__lt=end), registrations, is_all=is_all)
    found = list(rows.order_by("-raised_at", "-id").values_list(*COLUMNS, named=True)[: MOST_ALERTS + 1])
    handled = Handled(is_cut=len(found) > MOST_ALERTS)
    since_change: Counter[int] = Counter()
    since_raised: Counter[int] = Counter()
    for alert in found[:MOST_ALERTS]:
        if alert.kind == AlertKind.CHANGE and not alert.is_late:
            seen = seen_at(alert)
            _add(handled, alert, is_seen=seen is not None)
            if seen:
                since_change[_seconds(seen - alert.happened_at)] += 1
                since_raised[_seconds(seen - alert.raised_at)] += 1
    handled.since_change, handled.since_raised = delay_of(since_change.items()), delay_of(since_raised.items())
    return handled


def seen_at(alert: Any) -> datetime | None:
    """When a person first took it up; closing it is that too, unless the program did it."""
    if alert.state == AlertState.NEW:
        return None
    moment: datetime | None = alert.acknowledged_at or (alert.closed_at if alert.closed_by != PROGRAM else None)
    return moment


def _seconds(delay: timedelta) -> int:
    return max(int(delay.total_seconds()), 0)


def _add(handled: Handled, alert: Any, *, is_seen: bool) -> None:
    handled.raised += 1
    handled.acknowledged += is_seen
    handled.taken_back += alert.state == AlertState.CLOSED and not is_seen
    if alert.severity == Severity.CRITICAL:
        handled.critical += 1
        handled.critical_acknowledged += is_seen


def _of(alerts: Any, registrations: Sequence[uuid.UUID], *, is_all: bool) -> Any:
    return alerts if is_all else alerts.filter(registration__in=registrations)


def waiting_alerts(registrations: Sequence[uuid.UUID], *, is_all: bool) -> list[Waiting]:
    """What nobody has acknowledged until now, the longest first."""
    rows = _of(Alert.objects.filter(state=AlertState.NEW), registrations, is_all=is_all)
    now = timezone.now()
    columns = ("id", "severity", "title", "raised_at")
    found = rows.order_by("raised_at", "id").values_list(*columns)[:MOST_WAITING]
    return [_waiting_alert(row, now) for row in found]


def _waiting_alert(row: tuple[Any, ...], now: datetime) -> Waiting:
    key, weight, title, raised_at = row
    severity = Severity(weight)
    return Waiting(key, str(severity.label), severity.name.lower(), title, raised_at, now - raised_at)
