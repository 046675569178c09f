"""Keeps the cluster of jobs at work (design §7): a wedged one says that it works, so only a canary tells.

The watchdog puts a canary among the jobs, and when it is not answered within three beats, ends the cluster's whole
group and starts another. It also looks after schedules that nobody carries out any more.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import environ
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_q.models import Schedule
from django_q.tasks import async_task

from health.models import JOBS, Heartbeat
from health.processes import Child, Told, stop
from portfolio.rows import database_now

logger = logging.getLogger(__name__)
CANARY = "health.jobs.beat"
BEATS = 3
# A new cluster may need this long before it takes its first job.
STARTING = 15.0
OVERDUE = 300.0
STOP_WITHIN = 8.0
LONGEST_PAUSE = 60.0
# The database is asked less often than the process is looked at: an idle worker costs it next to nothing.
LONGEST_UNASKED = 10.0
# Who runs so long is no cluster that ends as soon as it starts.
HEALTHY_AFTER = 60.0


def seconds_of_a_beat() -> float:
    return float(environ.FileAwareEnv().float("DNB_BEAT_SECONDS", default=60.0))


class Watchdog:
    def __init__(self, command: Sequence[str] | None = None, *, beat: float | None = None) -> None:
        self.command = command or [sys.executable, sys.argv[0], "worker", "--unwatched"]
        self.beat = beat or seconds_of_a_beat()
        self.told = Told()
        self.restarts = 0
        self.pause = 1.0
        self.sent_at: datetime | None = None
        self.sent = self.started = time.monotonic()
        self.ask_at = 0.0

    def run(self) -> None:
        """Until somebody asks us to stop."""
        self.cluster = Child("jobs", self.command)
        try:
            while not self.told.wait(min(1.0, self.beat)):
                reason = self.look()
                if reason:
                    self.restart(reason)
        finally:
            stop([self.cluster], within=STOP_WITHIN)

    def look(self) -> str:
        """Why the cluster has to be started again, or nothing."""
        if self.cluster.exit_code is not None:
            return f"it ended by itself (exit code {self.cluster.exit_code})"
        if time.monotonic() < self.ask_at:
            return ""
        self.ask_at = time.monotonic() + min(self.beat / 2, LONGEST_UNASKED)
        try:
            return self.ask_the_database()
        except DatabaseError as error:
            # Starting again would mend nothing, and the canary could not be seen.
            logger.warning("the watchdog cannot reach the database: %s", error)
            self.sent_at, self.started = None, time.monotonic()
            return ""
        finally:
            close_old_connections()

    def ask_the_database(self) -> str:
        if self.sent_at is None or (self.answered() and time.monotonic() - self.sent >= self.beat):
            self.send_canary()
        elif time.monotonic() - self.sent > self.patience() and not self.answered():
            return f"a job waited {time.monotonic() - self.sent:.0f} seconds in vain"
        return self.what_is_overdue()

    def send_canary(self) -> None:
        self.sent_at, self.sent = database_now(), time.monotonic()
        async_task(CANARY)

    def answered(self) -> bool:
        return Heartbeat.objects.filter(name=JOBS, at__gte=self.sent_at).exists()

    def patience(self) -> float:
        is_first = self.sent - self.started < self.beat
        return BEATS * self.beat + (STARTING if is_first else 0)

    def what_is_overdue(self) -> str:
        """The scheduler lives in the cluster's main process, which can hang while the workers work."""
        if time.monotonic() - self.started < OVERDUE:
            return ""
        latest = timezone.now() - timedelta(seconds=OVERDUE)
        overdue = Schedule.objects.filter(next_run__lt=latest, cluster__isnull=True).exclude(repeats=0).first()
        return f"the schedule “{overdue.name}” was not carried out" if overdue else ""

    def restart(self, reason: str) -> None:
        logger.error("the cluster of jobs is started again: %s", reason)
        self.cluster.kill()
        is_healthy = time.monotonic() - self.started > HEALTHY_AFTER
        self.pause = 1.0 if is_healthy else min(2 * self.pause, LONGEST_PAUSE)
        if self.told.wait(self.pause):
            return
        self.restarts += 1
        self.cluster.restart()
        self.sent_at, self.started = None, time.monotonic()
