"""What people do with alerts: acknowledge, close, reopen, assign, comment; and the money at stake, while they are open.
They are snoozed by `workflow`.

Each act is one statement a batch, so of two that do the same at once one is counted.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import entry_of, record_all
from core.bulk import update_rows
from core.db import clean_text, in_batches
from core.models import AuditEntry
from monitoring.alerts.assignment_notices import notify_assignees
from monitoring.alerts.own_alerts import assignees_of, count_own_alerts, count_own_alerts_of
from monitoring.alerts.workflow.due_times import due_again
from monitoring.alerts.workflow.inbox import OPEN
from monitoring.models import AWAKE, REOPENED, Alert, AlertComment, AlertState, CloseReason
from portfolio.models import Company

LONGEST = 4_000
# Of a comment: what the act writes comes before the words of the user.
LONGEST_COMMENT = LONGEST + 200
# Reopening: what an alert is known by as it was read, and how often that is tried.
AS_READ = ("pk", "state", "acknowledged_at", "closed_at", "snoozed_until")
ATTEMPTS, ROWS_IN_A_QUERY = 5, 50
HANDLED = (AlertState.ACKNOWLEDGED, AlertState.CLOSED)
# A new alert, as if nobody had taken it up.
UNHANDLED = {**REOPENED, "acknowledged_by": "", "acknowledged_at": None, "reopened_because": ""}


def acknowledge(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Somebody looks after them; returns how many were new."""
    changed = {"state": AlertState.ACKNOWLEDGED, "acknowledged_by": by, "acknowledged_at": timezone.now()}
    changed |= {"reopened_because": ""}
    return sum(
        Alert.objects.filter(pk__in=batch, state=AlertState.NEW).update(**changed) for batch in in_batches(alerts)
    )


def close(alerts: Sequence[uuid.UUID], *, by: str, reason: str = "", text: str = "") -> list[uuid.UUID]:
    """Nothing is left to do; returns those that were open. What was written about it is a comment on each of them."""
    changed = {"state": AlertState.CLOSED, "closed_by": by, "closed_at": timezone.now(), "close_reason": reason}
    changed |= {**AWAKE, "reopened_because": ""}
    closed: list[uuid.UUID] = []
    for batch in in_batches(alerts):
        count = Alert.objects.filter(pk__in=batch, state__in=OPEN).update(**changed)
        is_all = count == len(batch)
        closed += batch if is_all else Alert.objects.filter(pk__in=batch, **changed).values_list("pk", flat=True)
    comment_on(closed, by=by, text=_closing_text(reason, text))
    count_own_alerts_of(closed)
    return closed


def _closing_text(reason: str, text: str) -> str:
    return f"{closing_words(reason)} {text.strip()}" if reason and text.strip() else text


def closing_words(reason: str) -> str:
    """What the comment of a closed alert begins with."""
    return gettext("Closed: %(reason)s.") % {"reason": CloseReason(reason).label}


def reopened_words() -> str:
    """The comment of a reopened alert."""
    return gettext("Reopened.")


def reopen(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    """Acknowledged and closed ones are new again, and due later; returns how many were. A comment on each says so, as
    the last one would still state why it was closed."""
    count = sum(_reopen_batch(batch, by) for batch in in_batches(alerts))
    follow_exposure_of(alerts)
    count_own_alerts_of(alerts)
    return count


def _reopen_batch(batch: Sequence[uuid.UUID], by: str) -> int:
    """The rows forget who had acknowledged and closed them, so the audit log keeps it first: as they are read, and of
    those that somebody else changed in between, as they are read again."""
    count = 0
    for _ in range(ATTEMPTS):
        rows = list(Alert.objects.filter(pk__in=batch, state__in=HANDLED))
        if not rows:
            break
        record_all([reopening(row, by) for row in rows])
        for some in in_batches(rows, ROWS_IN_A_QUERY):
            as_read = reduce(or_, (Q(**{name: getattr(row, name) for name in AS_READ}) for row in some))
            done = Alert.objects.filter(as_read).update(**UNHANDLED, **due_again())
            comment_on(_new_of([row.pk for row in some], done), by=by, text=reopened_words())
            count += done
    return count


def _new_of(keys: Sequence[uuid.UUID], done: int) -> list[uuid.UUID]:
    """All of them, unless somebody else changed one since it was read."""
    if done == len(keys):
        return list(keys)
    return list(Alert.objects.filter(pk__in=keys, state=AlertState.NEW).values_list("pk", flat=True)) if done else []


def reopening(row: Alert, by: str) -> AuditEntry:
    before = {name: getattr(row, name) for name in UNHANDLED}
    summary = gettext("Alert reopened: %(title)s") % {"title": row.title}
    return entry_of(actor=by, action="alert.reopen", thing=row, summary=summary, before=before)


def assign(alerts: Sequence[uuid.UUID], *, to: Any, by: str) -> int:
    """To a person, who is notified, or to nobody (None); returns how many had somebody else, or nobody, before."""
    before = assignees_of(alerts)
    now = timezone.now()
    changed = {"assignee": to, "assigned_by": by if to else "", "assigned_at": now if to else None}
    others = Alert.objects.exclude(assignee=to)
    count = sum(others.filter(pk__in=batch).update(**changed) for batch in in_batches(alerts))
    count_own_alerts(before | ({to.pk} if to else set()))
    notify_assignees(now)
    return count


def comment(alert: uuid.UUID, *, by: str, text: str) -> AlertComment | None:
    """None where nothing was written."""
    return next(iter(comment_on([alert], by=by, text=text)), None)


def comment_on(
    alerts: Sequence[uuid.UUID], *, by: str, text: str, snoozed_until: datetime | None = None
) -> list[AlertComment]:
    """The same on each of them; none where nothing was written."""
    same = {
        "by": by,
        "at": timezone.now(),
        "text": clean_text(text.strip(), LONGEST_COMMENT),
        "snoozed_until": snoozed_until,
    }
    rows = [AlertComment(alert_id=alert, **same) for alert in alerts if same["text"]]
    for batch in in_batches(rows):
        AlertComment.objects.bulk_create(batch)
    return rows


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
