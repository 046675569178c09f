"""What runs in the background for exposure; each job works a minute and may run twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.utils import timezone

from core.jobs import ask_worker, run_step
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.upload import read_exposure
from portfolio.models import ExposureImport, ImportState

READ = "portfolio.exposure.work.read_upload"
REFRESH = "portfolio.exposure.work.refresh"
WORKING_TIME = timedelta(seconds=50)
IDLE_AFTER = timedelta(minutes=1)
IN_WORK = (ImportState.UPLOADED, ImportState.READING)


def start_reading(key: uuid.UUID) -> None:
    """Have a file checked now; `continue_work` picks it up where this is lost."""
    ask_worker(READ, str(key), task_name=f"Exposure import {key}")


def start_refresh() -> None:
    """Have companies show the amounts that count now; `continue_work` picks it up where this is lost."""
    ask_worker(REFRESH, task_name="Update exposure")


def read_upload(key: str) -> str:
    """Check rows for a while, then queue again; returns the state of the import."""
    upload = ExposureImport.objects.get(pk=uuid.UUID(key))
    until = timezone.now() + WORKING_TIME

    def stand_still(trouble: str) -> None:
        """Tried again after a while; the page shows why."""
        ExposureImport.objects.filter(pk=upload.pk).update(error=trouble, moved_at=timezone.now())

    if not run_step(partial(read_exposure, until=until), upload, note=stand_still):
        return "failed"
    upload.refresh_from_db(fields=["state"])
    if upload.state in IN_WORK and timezone.now() >= until:
        start_reading(upload.pk)
    return upload.state


def refresh() -> int:
    """Returns how many companies show another amount."""
    return refresh_columns()


def continue_work() -> int:
    """Pick up files that a process that died has left, and what companies do not show yet."""
    idle = ExposureImport.objects.filter(state__in=IN_WORK, moved_at__lt=timezone.now() - IDLE_AFTER)
    for key in list(idle.order_by("moved_at").values_list("pk", flat=True)[:100]):
        read_upload(str(key))
    return refresh()
