"""Totals of a day along one axis at a time, from its daily counts: what charts over many days read."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from monitoring.models import Axis, DailyStat, DailyTotal, Kind, Severity

TOTAL_KEYS = uuid.UUID("8b0c52ce-5d0d-5f0b-9d43-0f4b6a4b7a31")
# Beyond the days, totals tell what people should see: low changes and noise would make most of the rows.
TOLD = (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


def totals_of(day: date) -> Iterator[DailyTotal]:
    """What the totals of one day are to be."""
    counts: Counter[tuple[Any, ...]] = Counter()
    reports: Counter[tuple[Any, ...]] = Counter()
    rows = DailyStat.objects.filter(day=day, what="change")
    for registration, audience, kind, element, severity, country, count, reported in rows.values_list(
        "registration_id", "audience", "kind", "element", "severity", "country", "count", "reports"
    ):
        for axis, value in _axes(day, registration, kind, element, severity, country):
            counts[registration, audience, axis, value, severity] += count
            reports[registration, audience, axis, value, severity] += reported
    for dimensions, reported in reports.items():
        yield _total(day, *dimensions, count=counts[dimensions], reports=reported)


def _total(
    day: date,
    registration: uuid.UUID,
    audience: uuid.UUID | None,
    axis: Axis,
    value: str,
    severity: int,
    **counts: int,
) -> DailyTotal:
    return DailyTotal(
        id=uuid.uuid5(TOTAL_KEYS, f"{day}|{registration}|{axis}|{value}|{severity}{of_all(audience)}"),
        day=day,
        registration_id=registration,
        audience=audience,
        axis=axis,
        value=value,
        severity=severity,
        **counts,
    )


def of_all(audience: uuid.UUID | None) -> str:
    """In a key: nothing where one registration alone reported it."""
    return f"|{audience}" if audience else ""


def _axes(
    day: date, registration: uuid.UUID, kind: str, element: str, severity: int, country: str
) -> Iterator[tuple[Axis, str]]:
    yield Axis.DAY, day.isoformat()
    if severity in TOLD:
        yield Axis.REGISTRATION, str(registration)
        yield Axis.COUNTRY, country
        yield (Axis.ELEMENT, element) if kind == Kind.ELEMENT else (Axis.KIND, kind)
