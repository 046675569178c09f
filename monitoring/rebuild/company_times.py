"""When each company last changed, from the changes that are there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q

from monitoring.models import Change, Kind, Severity
from portfolio.models import Company

A_MILLISECOND = timedelta(milliseconds=1)


def is_same(stored: Any, computed: Any) -> bool:
    """Engines keep milliseconds of a time, and no more."""
    if isinstance(stored, datetime) and isinstance(computed, datetime):
        return abs(stored - computed) < A_MILLISECOND
    return bool(stored == computed)


def mend_times(duns: Sequence[str]) -> None:
    """Ingest only moves a company's time of change forward; a rebuild may have to move it back."""
    waiting = list(duns)
    while waiting:
        rows = list(Company.objects.filter(pk__in=waiting))
        newest = _newest(waiting)
        waiting = [row.duns for row in rows if not _mend_time(row, newest.get(row.duns))]


def _newest(duns: Sequence[str]) -> dict[str, datetime]:
    weighty = ~Q(kind=Kind.ELEMENT) | Q(severity__gt=Severity.NOISE)
    changes = Change.objects.filter(weighty, company__in=duns, derived_from="").order_by()
    return dict(changes.values_list("company_id").annotate(newest=Max("changed_at")))


def _mend_time(row: Company, newest: datetime | None) -> bool:
    """False when somebody else wrote the row meanwhile."""
    if row.changed_at == newest or (row.changed_at and newest and is_same(row.changed_at, newest)):
        return True
    unchanged = Company.objects.filter(pk=row.pk, version=row.version)
    return bool(unchanged.update(changed_at=newest, version=row.version + 1))
