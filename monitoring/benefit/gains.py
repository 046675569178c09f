"""What monitoring brought: changes, alerts, how fast people acknowledged them, and critical events with exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Sum

from monitoring.benefit.year import Year
from monitoring.company_page.timeline import without_company
from monitoring.models import Alert, AlertKind, Axis, DailyTotal, PeriodKind, Severity
from monitoring.reports.alert_section import Handled, handled_in
from monitoring.reports.periods import Period
from portfolio.companies.search import with_companies
from portfolio.exposure.totals import exposures_at
from portfolio.models import Company

A_DAY = timedelta(days=1)
EVENTS_SHOWN = 20
# Two rules may take the same event.
ALERTS_READ = 3 * EVENTS_SHOWN


@dataclass(frozen=True, slots=True)
class CriticalEvent:
    """A critical event of a company, and the exposure on that day and today, in cents; None where it is not known."""

    company: Company
    day: date
    title: str
    exposure_then: int | None
    exposure_now: int | None


@dataclass(frozen=True, slots=True)
class Gains:
    """`changes` by severity, without noise."""

    changes: Mapping[int, int]
    handled: Handled
    events: list[CriticalEvent]

    @property
    def change_count(self) -> int:
        return sum(self.changes.values())


def gains_of(year: Year, *, with_exposure: bool) -> Gains:
    """Events without their exposure for those who may not see it."""
    rows = DailyTotal.objects.filter(axis=Axis.DAY, day__gte=year.start, severity__gt=Severity.NOISE)
    changes = dict(rows.order_by().values_list("severity").annotate(Sum("count")))
    # A period of any length, named like a month.
    period = Period(PeriodKind.MONTH, year.start, year.end + A_DAY)
    handled = handled_in(period, [], is_all=True, listed=0)
    return Gains(changes, handled, _events(year, with_exposure=with_exposure))


def _events(year: Year, *, with_exposure: bool) -> list[CriticalEvent]:
    """The latest, each once."""
    alerts = Alert.objects.filter(severity=Severity.CRITICAL, raised_at__gte=year.began, kind=AlertKind.CHANGE)
    rows = alerts.filter(happened_at__gte=year.began).order_by("-raised_at", "-id")[:ALERTS_READ]
    found = list({(row.company_id, row.title): row for row in rows}.values())[:EVENTS_SHOWN]
    with_companies(found)
    then = {day: exposures_at(day).by_duns for day in {row.happened_at.date() for row in found} if with_exposure}
    events = [_event(row, then.get(row.happened_at.date())) for row in found]
    return sorted(events, key=lambda event: event.day, reverse=True)


def _event(row: Alert, then: Mapping[int, int] | None) -> CriticalEvent:
    company = row.company
    assert company
    title = without_company(row.title, company.duns)
    if then is None:
        return CriticalEvent(company, row.happened_at.date(), title, None, None)
    return CriticalEvent(company, row.happened_at.date(), title, then.get(int(company.duns)), company.exposure)
