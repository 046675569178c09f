"""What runs in the background for exposure; each job works a minute and may run twice."""

from __future__ import annotations

import uuid

from core.cached_counts import update_counts
from core.jobs import ask_worker
from portfolio.companies.conditions import OVER_LIMIT
from portfolio.exposure.refresh import refresh_columns
from portfolio.exposure.upload import read_exposure
from portfolio.imports.lifecycle import UploadWork
from portfolio.models import ExposureImport

READING = UploadWork(ExposureImport, "portfolio.exposure.work.read_upload", "Exposure import", read_exposure)
REFRESH = "portfolio.exposure.work.refresh"


def start_reading(key: uuid.UUID) -> None:
    READING.start(key)


def start_refresh() -> None:
    """Have companies show the amounts that count now; `continue_work` picks it up where this is lost."""
    ask_worker(REFRESH, task_name="Update exposure")


def read_upload(key: str) -> str:
    """Check rows for a while, then queue again; returns the state of the import."""
    return READING.run(key)


def refresh() -> int:
    """Returns how many companies show another amount. Counts what the Overview states of them at the same time."""
    if written := refresh_columns():
        update_counts("exposure", OVER_LIMIT)
    return written


def continue_work() -> int:
    """Pick up files that a process that died has left, and what companies do not show yet."""
    READING.continue_idle(read_upload)
    return refresh()
