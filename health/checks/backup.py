"""Whether there is a backup, and how old it is: each that was made and verified stands in the audit log."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext

from core.models import AuditEntry
from core.text import span
from health.checks.context import Look
from health.checks.result import Result
from health.models import State
from monitoring.open_counts import in_use_since

# A daily backup may fail once.
TOO_OLD = timedelta(days=2)
# So long an installation may have data and no backup.
FIRST = timedelta(days=1)


def backup(look: Look) -> Result:
    """Needed in production only, and not where another system does it."""
    last = AuditEntry.objects.filter(action="backup").order_by("-id").values_list("at", flat=True).first()
    if last is None:
        return _result(*_without_any(look))
    age = look.now - last
    hours = round(age.total_seconds() / 3600, 1)
    sentence = gettext("The latest backup was made %(span)s ago.") % {"span": span(age.total_seconds())}
    is_late = _is_needed() and age > TOO_OLD
    return _result(State.WARNING if is_late else State.OK, sentence, hours)


def _without_any(look: Look) -> tuple[State, str]:
    if settings.BACKUP_ELSEWHERE:
        return State.OK, gettext("Another system makes the backups (BACKUP_ELSEWHERE).")
    if not _is_needed():
        return State.UNKNOWN, gettext("Required in production only.")
    if _is_new(look.now):
        return State.UNKNOWN, gettext("No backup has been made yet.")
    return State.WARNING, gettext("No backup has been made.")


def _is_needed() -> bool:
    return bool(settings.PRODUCTION and not settings.DEMO and not settings.BACKUP_ELSEWHERE)


def _is_new(now: datetime) -> bool:
    since = in_use_since()
    return since is None or now - since < FIRST


def _result(state: State, sentence: str, hours: float | None = None) -> Result:
    """Without BACKUP_FOLDER the program sends no notice of its own when backups stop (backup/daily.py)."""
    do, notify = "", state == State.WARNING and not settings.BACKUP_FOLDER
    if state in (State.WARNING, State.UNKNOWN):
        do = _advice()
    is_missing = hours is None and state == State.UNKNOWN
    return Result("backup", gettext("Backup"), state, sentence, hours, "h", do, notify=notify, is_not_set_up=is_missing)


def _advice() -> str:
    if settings.BACKUP_FOLDER:
        return gettext("Run “.venv/bin/python manage.py backup %(folder)s” to see the error.") % {
            "folder": settings.BACKUP_FOLDER
        }
    return gettext(
        "Set BACKUP_FOLDER for a daily backup, or run “.venv/bin/python manage.py backup FOLDER” every day. "
        "If another system backs up the database, set BACKUP_ELSEWHERE=yes."
    )
