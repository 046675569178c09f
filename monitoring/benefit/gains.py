"""What monitoring brought: changes, alerts, how fast people acknowledged them, and critical events with exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from monitoring.benefit.year import Year
from monitoring.company_page.timeline import without_company
from monitoring.models import Alert, AlertKind, Axis, DailyTotal, Severity
from monitoring.reports.alert_section import Handled, handled_of, raised_between
from portfolio.exposure.totals import exposures_at

EVENTS_SHOWN = 20
# Two rules may take the same event.
ALERTS_READ = 3 * EVENTS_SHOWN


@dataclass(frozen=True, slots=True)
class CriticalEvent:
    """A critical event of a company, and the exposure on that day, in cents; None where it is not known."""

    duns: str
    day: date
    title: str
    exposure: int | None


@dataclass(frozen=True, slots=True)
class Gains:
    """`changes` by severity, without noise."""

    changes: Mapping[int, int]
    handled: Handled
    events: list[CriticalEvent]

    @property
    def change_count(self) -> int:
        return sum(self.changes.values())


def gains_of(year: Year) -> Gains:
    rows = DailyTotal.objects.filter(axis=Axis.DAY, day__gte=year.start, severity__gt=Severity.NOISE)
    changes = dict(rows.order_by().values_list("severity").annotate(Sum("count")))
    handled = handled_of(raised_between(Alert.objects.order_by(), year.began))
    return Gains(changes, handled, _events(year))


def _events(year: Year) -> list[CriticalEvent]:
    """The latest, each once."""
    alerts = raised_between(Alert.objects.filter(severity=Severity.CRITICAL, kind=AlertKind.CHANGE), year.began)
    rows = alerts.filter(happened_at__gte=year.began).order_by("-raised_at", "-id")[:ALERTS_READ]
    found = list({(row.company_id, row.title): row for row in rows}.values())[:EVENTS_SHOWN]
    then = {day: exposures_at(day).by_duns for day in {row.happened_at.date() for row in found}}
    events = [_event(row, then[row.happened_at.date()]) for row in found]
    return sorted(events, key=lambda event: event.day, reverse=True)


def _event(row: Alert, then: Mapping[int, int]) -> CriticalEvent:
    duns = str(row.company_id)
    return CriticalEvent(duns, row.happened_at.date(), without_company(row.title, duns), then.get(int(duns)))
