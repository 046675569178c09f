"""When alerts are due: working days after they were raised, reopened, or returned from a snooze, by severity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.db.models import Case, DateTimeField, Value, When
from django.utils import timezone

from core.db import insert_new
from monitoring.models import ResponseTime, Severity

# In force until people set others.
DEFAULT_DAYS: Mapping[int, int] = {Severity.CRITICAL: 1, Severity.HIGH: 5}
A_DAY = timedelta(days=1)
SATURDAY = 5


def due_dates(start: datetime | None = None) -> dict[int, datetime]:
    """When alerts of each severity are due whose time begins then; without the severities that are never due."""
    start = (start or timezone.now()).astimezone(UTC)
    days = {**DEFAULT_DAYS, **dict(ResponseTime.objects.values_list("severity", "working_days"))}
    return {severity: _after(start, count) for severity, count in days.items() if count}


def due_again(start: datetime | None = None) -> dict[str, Any]:
    """Columns of alerts whose time begins again, whatever their severities are."""
    cases = [When(severity=severity, then=Value(moment)) for severity, moment in due_dates(start).items()]
    nothing = Value(None, output_field=DateTimeField())
    return {"due_at": Case(*cases, default=nothing, output_field=DateTimeField()), "escalated_at": None}


def _after(moment: datetime, working_days: int) -> datetime:
    """What begins on a weekend begins on Monday."""
    if moment.weekday() >= SATURDAY:
        moment = datetime.combine(moment.date() + A_DAY * (7 - moment.weekday()), time(), moment.tzinfo)
    for _ in range(working_days):
        moment += A_DAY * (3 if moment.weekday() == SATURDAY - 1 else 1)
    return moment


def install_response_times(sender: AppConfig | None = None, **kwargs: Any) -> None:
    """A row for each severity, to be edited. Runs after every migration, and changes nothing the second time."""
    state = kwargs.get("apps", apps)
    if "responsetime" in state.all_models.get("monitoring", {}):
        rows = [ResponseTime(severity=one, working_days=DEFAULT_DAYS.get(one)) for one in Severity]
        insert_new(ResponseTime, rows)
