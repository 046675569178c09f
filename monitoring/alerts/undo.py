"""Undoing one act on an alert: a signed note of how the alert was and what the act made of it.

The alert is put back by compare-and-swap: after anybody else has acted, or a rule has, it stays as it is.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record_all
from monitoring.alerts.actions import HANDLED, comment_on, follow_exposure_of, reopening
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.alerts.workflow.snooze import until_text
from monitoring.models import Alert, AlertState

SALT = "undo alert"
LASTS = 60 * 60
MOMENTS = ("acknowledged_at", "assigned_at", "closed_at", "snoozed_until", "due_at", "escalated_at")
FLAGS = ("wakes_if_worse",)
TEXTS = ("state", "assigned_by", "acknowledged_by", "closed_by", "close_reason", "snoozed_by", "reopened_because")
COLUMNS = (*TEXTS, "assignee_id", *FLAGS, *MOMENTS)
SNOOZED = frozenset({"snoozed_until", "snoozed_by", "wakes_if_worse"})
DUE = frozenset({"due_at", "escalated_at"})
ACKNOWLEDGED = frozenset({"state", "acknowledged_by", "acknowledged_at", "reopened_because"})
CLOSED = frozenset({"state", "closed_by", "closed_at", "close_reason", "reopened_because"})
# What each act changes; what else was changed meanwhile is somebody else's, and then nothing is offered.
TOUCHED: Mapping[str, frozenset[str]] = {
    "acknowledge": ACKNOWLEDGED,
    "close": CLOSED | SNOOZED,
    "open": ACKNOWLEDGED | CLOSED | SNOOZED | DUE,
    "assign": frozenset({"assignee_id", "assigned_by", "assigned_at"}),
    "snooze": SNOOZED | DUE,
    "wake": SNOOZED | DUE,
}

Columns = dict[str, Any]


def columns_of(alert: uuid.UUID) -> Columns:
    return dict(Alert.objects.filter(pk=alert).values(*COLUMNS)[0])


def undo_token(alert: uuid.UUID, act: str, before: Columns, by: Any) -> str:
    """For the one who acted; nothing where nothing was changed, or somebody else acted in the same moment."""
    after = columns_of(alert)
    changed = {name for name in COLUMNS if before[name] != after[name]}
    if not changed or not changed <= TOUCHED[act]:
        return ""
    note = {"alert": alert.hex, "by": str(by), "before": _written(before), "after": _written(after)}
    return signing.dumps(note, salt=SALT, compress=True)


def undo(alert: uuid.UUID, token: str, *, by: Any) -> bool:
    """By a user. False where the alert is no longer as the act left it, or the token is old or somebody else's."""
    try:
        note = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return False
    if (note["alert"], note["by"]) != (alert.hex, str(by.pk)):
        return False
    before, after = _read(note["before"]), _read(note["after"])
    if _is_closed(after) and not _is_closed(before):
        # The row forgets who had closed it.
        rows = Alert.objects.filter(pk=alert, **after)
        record_all([reopening(row, by.get_username()) for row in rows])
    done = Alert.objects.filter(pk=alert, **after).update(**before)
    if done:
        comment_on([alert], by=by.get_username(), text=_undone_text(before, after))
    follow_exposure_of([alert])
    count_own_alerts({key for key in (before["assignee_id"], after["assignee_id"]) if key})
    return bool(done)


def open_again_words() -> str:
    """The comment of an alert whose closing was undone."""
    return gettext("Undone: open again.")


def _undone_text(before: Columns, after: Columns) -> str:
    """Where the act wrote a comment, or ended a snooze: how the alert is now, so that the last comment is true."""
    if _is_handled(before) and not _is_handled(after):
        return gettext("Undone: closed again.") if _is_closed(before) else gettext("Undone: acknowledged again.")
    end, is_open_again = before["snoozed_until"], _is_closed(after) and not _is_closed(before)
    is_snoozed = end is not None and end > timezone.now()
    if before["snoozed_until"] == after["snoozed_until"]:
        return open_again_words() if is_open_again else ""
    if not is_snoozed:
        return open_again_words() if is_open_again else gettext("Undone: no longer snoozed.")
    words = (
        gettext("Undone: open again, snoozed %(until)s.")
        if is_open_again
        else gettext("Undone: snoozed %(until)s again.")
    )
    return words % {"until": until_text(end, before["wakes_if_worse"])}


def _is_handled(columns: Columns) -> bool:
    return columns["state"] in HANDLED


def _is_closed(columns: Columns) -> bool:
    return bool(columns["state"] == AlertState.CLOSED)


def _written(columns: Columns) -> Columns:
    return {name: str(value) if value is not None else None for name, value in columns.items()}


def _read(columns: Columns) -> Columns:
    readers: dict[str, Callable[[str], Any]] = {**dict.fromkeys(MOMENTS, datetime.fromisoformat)}
    readers |= {"assignee_id": uuid.UUID, **dict.fromkeys(FLAGS, "True".__eq__)}
    return {name: readers.get(name, str)(value) if value is not None else None for name, value in columns.items()}
