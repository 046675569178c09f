"""What people do with alerts: acknowledge, close, reopen, assign, comment; and the money at stake, while they are open.

Each act is one statement a batch, so of two that do the same at once one is counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.bulk import update_rows
from core.db import clean_text, in_batches
from monitoring.alerts.assignment_notices import notify_assignees
from monitoring.alerts.own_alerts import OPEN, count_own_alerts
from monitoring.models import REOPENED, Alert, AlertComment, AlertState
from portfolio.models import Company

LONGEST = 4_000
HANDLED = (AlertState.ACKNOWLEDGED, AlertState.CLOSED)


def acknowledge(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Somebody looks after them; returns how many were new."""
    changed = {"state": AlertState.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": timezone.now()}
    return sum(
        Alert.objects.filter(pk__in=batch, state=AlertState.NEW).update(**changed) for batch in in_batches(alerts)
    )


def close(alerts: Sequence[uuid.UUID], *, by: str, reason: str = "", text: str = "") -> list[uuid.UUID]:
    """Nothing is left to do; returns those that were open. What was written about it is a comment on each of them."""
    changed = {"state": AlertState.CLOSED, "closed_by": by, "closed_at": timezone.now(), "close_reason": reason}
    closed: list[uuid.UUID] = []
    for batch in in_batches(alerts):
        count = Alert.objects.filter(pk__in=batch, state__in=OPEN).update(**changed)
        is_all = count == len(batch)
        closed += batch if is_all else Alert.objects.filter(pk__in=batch, **changed).values_list("pk", flat=True)
    for alert in closed if text.strip() else ():
        comment(alert, by=by, text=text)
    count_own_alerts(_assignees(closed))
    return closed


def reopen(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Acknowledged and closed ones are new again; returns how many were."""
    count = sum(_reopen_batch(batch, by) for batch in in_batches(alerts))
    follow_exposure_of(alerts)
    count_own_alerts(_assignees(alerts))
    return count


def _reopen_batch(batch: Sequence[uuid.UUID], by: str) -> int:
    """The rows forget who had acknowledged and closed them, so the audit log keeps it."""
    handled = Alert.objects.filter(pk__in=batch, state__in=HANDLED)
    rows = list(handled)
    cleared = {**REOPENED, "acknowledged_by": "", "acknowledged_at": None}
    count = handled.update(**cleared)
    for row in rows if count else ():
        before = {name: getattr(row, name) for name in cleared}
        summary = gettext("Alert reopened: %(title)s") % {"title": row.title}
        record(actor=by, action="alert.reopen", thing=row, summary=summary, before=before)
    return count


def assign(alerts: Sequence[uuid.UUID], *, to: Any, by: str) -> int:
    """To a person, who is notified, or to nobody (None); returns how many had somebody else, or nobody, before."""
    before = _assignees(alerts)
    changed = {"assignee": to, "assigned_by": by if to else "", "assigned_at": timezone.now() if to else None}
    others = Alert.objects.exclude(assignee=to)
    count = sum(others.filter(pk__in=batch).update(**changed) for batch in in_batches(alerts))
    count_own_alerts(before | ({to.pk} if to else set()))
    notify_assignees()
    return count


def _assignees(alerts: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    found: set[uuid.UUID] = set()
    for batch in in_batches(alerts):
        rows = Alert.objects.filter(pk__in=batch, assignee__isnull=False).order_by()
        found.update(rows.values_list("assignee_id", flat=True).distinct())
    return found


def comment(alert: uuid.UUID, *, by: str, text: str) -> AlertComment | None:
    """None where nothing was written."""
    text = clean_text(text.strip(), LONGEST)
    if not text:
        return None
    return AlertComment.objects.create(alert_id=alert, by=by, at=timezone.now(), text=text)


def forget_closed_exposure() -> None:
    """Before another currency is reported: what a closed alert keeps is in the previous one."""
    Alert.objects.filter(state=AlertState.CLOSED, exposure__gt=0).update(exposure=0)


def follow_exposure(duns: Sequence[str]) -> None:
    """The money at stake on open alerts of these companies is as they show it; closed ones keep what it was."""
    for batch in in_batches(duns):
        _show_exposure(Alert.objects.filter(company__in=batch, state__in=OPEN))


def follow_exposure_of(alerts: Sequence[uuid.UUID]) -> None:
    """Of those that are open again: amounts may have changed since they were closed."""
    for batch in in_batches(alerts):
        _show_exposure(Alert.objects.filter(pk__in=batch, company__isnull=False, state__in=OPEN))


def _show_exposure(alerts: QuerySet[Alert]) -> None:
    rows = list(alerts.values_list("pk", "company_id", "exposure"))
    numbers = {company for _, company, _ in rows}
    shown = dict(Company.objects.filter(pk__in=numbers).values_list("pk", "exposure")) if numbers else {}
    changed = [(key, now) for key, company, before in rows if (now := shown.get(company) or 0) != before]
    update_rows(Alert, ("exposure",), changed)
