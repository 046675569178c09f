"""What runs by itself for imports."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.utils import timezone

from core.cached_counts import tally
from core.db import clean_text
from core.jobs import ask_worker
from portfolio.importing.working import idle_imports, is_in_work, work_on
from portfolio.models import ImportState, SubjectImport
from portfolio.sync_jobs import start_sync

logger = logging.getLogger(__name__)
WORK = "portfolio.importing.jobs.work_on_import"
WORKING_TIME = timedelta(seconds=50)


def start_import_work(key: uuid.UUID) -> None:
    """Have an import moved on now; `work_on_imports` picks it up where this is lost."""
    ask_worker(WORK, str(key), task_name=f"Import {key}")


def work_on_import(key: str) -> str:
    """Read, apply or undo for a while, then queue again; returns the state that the import is in."""
    import_ = SubjectImport.objects.select_related("registration__contract").get(pk=uuid.UUID(key))
    until = timezone.now() + WORKING_TIME
    try:
        work_on(import_, until=until)
    except Exception as error:
        # Tried again after a while; the page tells why it stands still.
        logger.exception("import %s could not be moved on", key)
        SubjectImport.objects.filter(pk=import_.pk).update(
            error=clean_text(f"{type(error).__name__}: {error}"), moved_at=timezone.now()
        )
        return "failed"
    import_.refresh_from_db(fields=["state"])
    tally("imports")
    # Who stopped before the time was over was overtaken by another process, which goes on.
    if is_in_work(import_) and timezone.now() >= until:
        start_import_work(import_.pk)
    if import_.state in (ImportState.APPLIED, ImportState.UNDONE):
        start_sync(import_.registration_id)
    return import_.state


def work_on_imports() -> int:
    """Pick up what a process that died has left, and what could not be done before; returns how many there were."""
    keys = idle_imports()
    for key in keys:
        work_on_import(str(key))
    return len(keys)
