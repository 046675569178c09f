"""How alerts of a rule were closed by people: the numbers are those of the lists that they link to."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone

from core.db import in_batches
from monitoring.models import Alert, AlertState, CloseReason

WINDOWS = (90, 365)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of the alerts of one rule that were raised in the last days, and that people closed with a reason."""

    rule: uuid.UUID
    days: int
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def closed(self) -> int:
        return self.counts.total()

    @property
    def noise(self) -> int:
        return self.counts[CloseReason.NOISE]

    @property
    def share(self) -> int:
        """Of noise, in percent."""
        return round(100 * self.noise / self.closed) if self.closed else 0

    @property
    def noise_link(self) -> str:
        return self.link(CloseReason.NOISE)

    def link(self, reason: str) -> str:
        """To exactly these alerts."""
        chosen = {"state": AlertState.CLOSED.value, "rule": str(self.rule), "close_reason": str(reason)}
        query = urlencode({**chosen, "raised_from": _first_day(self.days).isoformat()})
        return f"{reverse('admin:monitoring_alert_changelist')}?{query}"

    @property
    def by_reason(self) -> list[tuple[str, int, str]]:
        return [(str(one.label), self.counts[one], self.link(one)) for one in CloseReason]


def outcomes_of(rules: Iterable[uuid.UUID], days: int) -> dict[uuid.UUID, Outcomes]:
    """In one query for a page of rules."""
    found = {rule: Outcomes(rule, days) for rule in rules}
    for batch in in_batches(list(found)):
        closed = Alert.objects.filter(rule__in=batch, close_reason__in=CloseReason.values, raised_at__gte=_start(days))
        rows = closed.filter(state=AlertState.CLOSED).order_by().values_list("rule", "close_reason")
        for rule, reason, count in rows.annotate(count=Count("id")):
            if rule:
                found[rule].counts[reason] = count
    return found


def _first_day(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def _start(days: int) -> datetime:
    """As the list's filter has it: the day begins in the reader's zone."""
    return datetime.combine(_first_day(days), time(), timezone.get_current_timezone())
