"""All of it: what has arrived, as far as it goes for now. The job, uploads, the command and the demo come here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import record
from core.jobs import ask_worker, run_step
from core.leases import HoldLost
from monitoring.file_intake.arrivals import Found, arrive, complete_files, intake_folder, look_at, rows_at
from monitoring.file_intake.headers import HEADERS
from monitoring.file_intake.imports import work_on
from monitoring.file_intake.reports import put_aside
from monitoring.file_intake.rows import save
from monitoring.file_intake.run import Run, only_run
from monitoring.models import DeliveredFile, Delivery, FileServer, FileSource, FileState
from monitoring.pipeline.ingest import ingest
from monitoring.pull.preconditions import why_not_to_store

logger = logging.getLogger(__name__)
OPEN = (FileState.WAITING, FileState.PROCESSING)
JOB = "monitoring.jobs.import_delivered_files"


class Busy(Exception):
    """Another process imports files."""


def take_files(keep: Callable[[Delivery], object], until: datetime) -> int:
    """Fetch, import and put aside what has arrived; returns how many files came to their end."""
    with only_run(keep, until) as run:
        if run is None or why_not_to_store():
            return 0
        with suppress(OSError):
            intake_folder().mkdir(parents=True, exist_ok=True)
        _fetch(run)
        _take_in(run)
        done = _work_on(_open_files(), run)
        _put_aside_all(run)
        return done


def import_paths(
    paths: Iterable[Path], *, by: str, report: Callable[[DeliveredFile], object] = lambda row: None
) -> list[DeliveredFile]:
    """Files that somebody names: now and to the end, without waiting for others. They stay where they are."""
    with only_run(ingest, None) as run:
        if run is None:
            raise Busy(gettext("Another process is importing files. Try again when it has finished."))
        run.report = report
        rows = [arrive(look_at(path), source=FileSource.COMMAND, by=by) for path in paths]
        _work_on(rows, run)
        return rows


def import_now(row: DeliveredFile, *, requested_by: Actor) -> bool:
    """No longer wait for its header or its other parts; False where it does not wait."""
    waiting = DeliveredFile.objects.filter(pk=row.pk, state=FileState.WAITING)
    if not waiting.update(wait_until=timezone.now()):
        return False
    summary = gettext("Delivered file %(name)s imported without waiting for other files") % {"name": row}
    record(actor=requested_by, action="delivered file.import now", thing=row, summary=summary)
    return True


def have_files_imported() -> None:
    """By a worker, soon."""
    ask_worker(JOB, task_name="Import delivered files")


def _fetch(run: Run) -> None:
    servers = list(FileServer.objects.filter(is_source=True).order_by("name"))
    if not servers:
        return
    # Few processes need what speaks with file servers.
    from monitoring.file_intake.servers import fetch_files

    for server in servers:
        run_step(fetch_files, server, intake_folder(), run)


def _take_in(run: Run) -> None:
    """What lies in the folder, without what is known to lie there."""
    all_found = complete_files(intake_folder())
    known = rows_at(all_found)
    for found in all_found:
        if run.is_over:
            return
        if found not in known:
            run_step(_take_one, found)


def _take_one(found: Found) -> None:
    arrive(found, source=FileSource.FOLDER)


def _open_files() -> list[DeliveredFile]:
    return list(DeliveredFile.objects.filter(state__in=OPEN).select_related("registration").order_by("id"))


def _work_on(rows: list[DeliveredFile], run: Run) -> int:
    """Headers last, as they end with their files; and all again, since one may have waited for another."""
    for _ in range(2):
        for row in sorted(rows, key=lambda row: row.kind in HEADERS):
            if not row.is_over and not run.is_over:
                run_step(_one, row, run, note=lambda trouble, row=row: save(row, reason=trouble))  # type: ignore[misc]
    return sum(row.is_over for row in rows)


def _one(row: DeliveredFile, run: Run) -> None:
    row.refresh_from_db()
    if row.is_over:
        return
    try:
        work_on(row, run)
    except HoldLost:
        logger.warning("another process took over the import of delivered files")
        return
    if row.reason:
        # Of an earlier run.
        DeliveredFile.objects.filter(pk=row.pk, state__in=OPEN).update(reason="")


def _put_aside_all(run: Run) -> None:
    """Whatever has come to its end and still lies in the folder."""
    for found, row in rows_at(complete_files(intake_folder())).items():
        if row.is_over and not run.is_over:
            run_step(put_aside, row, found)
