"""Keeps the cluster of jobs at work: a wedged one says that it works, so only a canary tells.

Jobs show that they run by a heartbeat, at least once a minute. When it is late, the watchdog puts a canary of its
own among the jobs; when almost three beats have passed, it ends the cluster's whole group and starts another. It also
looks after schedules that nobody carries out any more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections
from django.db.models.functions import Now
from django.utils.translation import gettext
from django_q.models import Schedule
from django_q.tasks import async_task

from core.db import database_now
from dnbmon_site.worker.child_process import Told, stop
from dnbmon_site.worker.forked import Forked
from health.checks.result import RUNBOOK
from health.heartbeats import DEAD, LATE, seconds_of_a_beat
from health.incidents.database_outage import Outage
from health.incidents.lifecycle import notify_of_error, open_incident
from health.models import JOBS, RESULTS, Heartbeat
from health.schedule_status import resume_due
from monitoring.jobs import SEND

logger = logging.getLogger(__name__)
CANARY = "health.jobs.beat"
# A new cluster may need this much longer until it takes its first job.
STARTING = timedelta(seconds=15)
OVERDUE = timedelta(minutes=5)
A_MINUTE, A_DAY = timedelta(minutes=1), timedelta(days=1)
STOP_WITHIN = 8.0
LONGEST_PAUSE = 60.0
# The database is asked less often than the process is looked at: an idle worker costs it next to nothing.
LONGEST_UNASKED = 15.0
# Who runs so long is no cluster that ends as soon as it starts.
HEALTHY_AFTER = 60.0


class Canary:
    """Whether jobs run, as rows show it; all times are of the database's clock, which all processes share."""

    def __init__(self, beat: timedelta) -> None:
        self.beat = beat
        self.start_again()

    def start_again(self) -> None:
        """A new cluster: what was before says nothing about it."""
        self.started_at: datetime | None = None
        self.sent_for: datetime | None = None
        self.overdue_asked: datetime | None = None

    def trouble(self) -> str:
        """Why the cluster has to be started again, or nothing."""
        rows = list(Heartbeat.objects.filter(name__in=(JOBS, RESULTS)).values_list("name", "at", Now()))
        now = rows[0][2] if rows else database_now()
        at = {name: moment for name, moment, _ in rows}
        started_at = self.started_at = self.started_at or now
        return (
            self._silence(now, started_at, at.get(JOBS))
            or self._unwritten(now, max(started_at, at.get(RESULTS, started_at)))
            or self._overdue(now, started_at)
        )

    def _silence(self, now: datetime, started_at: datetime, beaten_at: datetime | None) -> str:
        is_new = beaten_at is None or beaten_at < started_at
        since = started_at if beaten_at is None or is_new else beaten_at
        if now - since > DEAD * self.beat + (STARTING if is_new else timedelta()):
            return gettext("no job has run for %(seconds)s seconds") % {
                "seconds": f"{(now - since).total_seconds():.0f}"
            }
        # One for each silence: more of them would only fill the queue. A new cluster has to show itself at once.
        if (is_new or now - since > LATE * self.beat) and self.sent_for != since:
            async_task(CANARY)
            self.sent_for = since
        return ""

    def _unwritten(self, now: datetime, since: datetime) -> str:
        """Jobs begin, but how they end reaches nobody: the queue fills, and all of them would be done again."""
        if now - since <= DEAD * self.beat + STARTING:
            return ""
        return f"jobs started, but no result was recorded for {(now - since).total_seconds():.0f} seconds"

    def _overdue(self, now: datetime, started_at: datetime) -> str:
        """The scheduler lives in the cluster's guard, which can hang while the workers work."""
        if now - started_at < OVERDUE or now - (self.overdue_asked or started_at) < A_MINUTE:
            return ""
        self.overdue_asked = now
        rows = Schedule.objects.filter(next_run__lt=now - OVERDUE, cluster__isnull=True).exclude(repeats=0)
        overdue = rows.order_by("next_run").first()
        return gettext("the schedule “%(name)s” did not run") % {"name": overdue.name} if overdue else ""


class Watchdog:
    def __init__(self, work: Callable[[], None]) -> None:
        """`work` is what the cluster does."""
        self.work = work
        beat = seconds_of_a_beat()
        self.canary = Canary(timedelta(seconds=beat))
        self.ask_every = min(beat / 2, LONGEST_UNASKED)
        self.outage = Outage()
        self.told = Told()
        self.pause = 1.0
        self.started = self.asked = time.monotonic()

    def run(self) -> None:
        """Until somebody asks us to stop."""
        self.cluster = Forked("jobs", self.work)
        try:
            while not self.told.wait(min(1.0, self.ask_every)):
                reason = self.look()
                if reason:
                    self.restart(reason)
        finally:
            stop([self.cluster], within=STOP_WITHIN)

    def look(self) -> str:
        """Why the cluster has to be started again, or nothing."""
        if self.cluster.exit_code is not None:
            return gettext("the process ended unexpectedly (exit code %(exit_code)s)") % {
                "exit_code": self.cluster.exit_code
            }
        if time.monotonic() - self.asked < self.ask_every:
            return ""
        self.asked = time.monotonic()
        return self.ask()

    def ask(self) -> str:
        try:
            reason = self.canary.trouble()
            # Here, as the job that would do it may be paused itself.
            resume_due()
            self.outage.is_over()
        except DatabaseError:
            logger.exception("the watchdog cannot reach the database")
            self.outage.goes_on()
            self.canary.start_again()
            reason = ""
        except Exception:
            # The queue is away, or whatever else: to start again would mend nothing, and nothing could be seen.
            logger.exception("the watchdog cannot look after the jobs")
            self.canary.start_again()
            reason = ""
        finally:
            close_old_connections()
        return reason

    def restart(self, reason: str) -> None:
        logger.error("the cluster of jobs is started again: %s", reason)
        self.cluster.kill()
        note(reason)
        is_healthy = time.monotonic() - self.started > HEALTHY_AFTER
        self.pause = 1.0 if is_healthy else min(2 * self.pause, LONGEST_PAUSE)
        if self.told.wait(self.pause):
            return
        self.cluster.restart()
        self.started = time.monotonic()
        self.canary.start_again()


def note(reason: str) -> None:
    """An incident, which the next look of a job closes; a database that is away holds up no restart."""
    try:
        open_restart_incident(reason)
    except Exception:
        # The jobs run again all the same; that is what counts.
        logger.exception("the restart could not be written down")
    finally:
        close_old_connections()


def open_restart_incident(reason: str) -> None:
    """It began when a job ran last, as far as that is known, and is told like all others."""
    cause = gettext("The worker stalled and was restarted: %(reason)s.") % {"reason": reason}
    beaten_at, now = Heartbeat.objects.filter(name=JOBS).values_list("at", Now()).first() or (None, database_now())
    since = beaten_at if beaten_at and now - beaten_at < A_DAY else now
    row = open_incident(
        dedup_key="jobs", title=gettext("Worker"), cause=cause, runbook=f"{RUNBOOK}#jobs", started_at=since
    )
    if row is not None and notify_of_error(row, gettext("If the worker stalls again, check its log.")):
        async_task(SEND, task_name="Send health notices")
