"""Signs of life in rows: that jobs run, and that somebody outside was told."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from typing import Any

import environ
from django.db import DatabaseError
from django.db.models.functions import Now
from django.utils import timezone

from core.db import database_now, insert_new
from health.models import JOBS, OUTSIDE, RESULTS, Heartbeat

logger = logging.getLogger(__name__)
# Who starts a job shows that jobs run, but one row a task would be too much of it.
AGAIN_AFTER = 50.0
# Beats of silence: then a canary is sent; then jobs are taken for dead, so that this is seen within three minutes.
LATE, DEAD = 1.5, 2.75
_beaten: dict[str, float] = {}


def seconds_of_a_beat() -> float:
    return float(environ.FileAwareEnv().float("DNB_BEAT_SECONDS", default=60.0))


def beat(name: str = JOBS) -> None:
    """That this row is fresh shows that queue, worker and database work together, end to end."""
    key = Heartbeat.key(name)
    if not Heartbeat.objects.filter(pk=key).update(at=Now()):
        insert_new(Heartbeat, [Heartbeat(id=key, name=name, at=database_now())])
    _beaten[name] = time.monotonic()


def beat_with_a_task(task: dict[str, Any] | None = None, **sent: object) -> None:
    """Any task that begins is a sign of life: workers that are busy for long are not taken for wedged ones."""
    if task is not None:
        # django-q2 counts from when it was asked for; people want to know how long it worked.
        task["started"] = timezone.now()
    _beat_again(JOBS)


def beat_with_a_result(**sent: object) -> None:
    """Jobs may run while nobody writes down how they ended: the process that does so can hang on its own."""
    _beat_again(RESULTS)


def _beat_again(name: str) -> None:
    if time.monotonic() - _beaten.get(name, float("-inf")) <= min(AGAIN_AFTER, seconds_of_a_beat()):
        return
    try:
        beat(name)
    except DatabaseError:
        # Here it would end the whole worker; the task itself fails with words, and is done again.
        logger.exception("a sign of life could not be written down")


def note_outside(at: datetime, last_error: str) -> None:
    key = Heartbeat.key(OUTSIDE)
    fields = {"last_error": last_error} if last_error else {"last_error": "", "at": at}
    if not Heartbeat.objects.filter(pk=key).update(**fields):
        insert_new(Heartbeat, [Heartbeat(id=key, name=OUTSIDE, at=at, last_error=last_error)])
