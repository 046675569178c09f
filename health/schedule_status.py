"""What people do with the schedules of jobs, written down in the audit; and how each job went last."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.jobs import Schedule, Task, ask_worker
from core.markup import due, overdue
from core.text import interval_text, moment_text
from health.job_results import NO_BACKUP_FOLDER, result_text
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.pull_job import PAUSE, PAUSED, PULL_JOB, RESUME, Pause, pauses_of

FOR_EVER = -1
# A job that starts within this time is on time: the scheduler looks twice a minute, and workers may be busy.
OVERDUE_AFTER = timedelta(minutes=3)
# Who resumes a job whose pause has ended.
PROGRAM = "worker"
# In `Schedule.cluster`, so that no cluster takes it: it names something that is no job of this program.
REFUSED = "refused"
REFUSED_TEXT = _(
    "“%(name)s” does not run a job of D&B Monitoring, so it is disabled. Choose a job on its page, or delete it."
)
A_DAY = timedelta(days=1)
# Marks an answer that the page of health shows at its jobs, where the button was.
JOB_ANSWER = "job"
# Who may see the page of health, and who may change jobs there.
SEE, CHANGE_JOBS = "health.change_incident", "django_q.change_schedule"


@dataclass(frozen=True, slots=True)
class Job:
    """A schedule, and its last run that ended."""

    row: Schedule
    last: Task | None
    # Asked for and not ended: it waits for a worker, or runs.
    is_under_way: bool = False
    pause: Pause | None = None

    @property
    def name(self) -> str:
        return job_label(self.row)

    @property
    def interval(self) -> str:
        return interval_of(self.row)

    @property
    def is_paused(self) -> bool:
        return bool(self.row.repeats == PAUSED)

    @property
    def is_refused(self) -> bool:
        return is_refused(self.row)

    @property
    def is_overdue(self) -> bool:
        return is_overdue(self.row, timezone.now())

    @property
    def next_run(self) -> SafeString | str:
        return next_run(self.row)

    @property
    def is_set_up(self) -> bool:
        """A run that found nothing to work with is no success."""
        return not (self.last and self.last.result == NO_BACKUP_FOLDER)

    @property
    def result(self) -> str:
        return result_text(self.last.func, self.last.result) if self.last and self.last.success else "–"

    @property
    def seconds(self) -> float | None:
        return self.last.time_taken() if self.last else None


def all_jobs() -> list[Job]:
    rows = list(Schedule.objects.order_by("id"))
    last = Task.objects.in_bulk([row.task for row in rows if row.task])
    under_way = {row.name for row in rows if row.task and row.task not in last}
    before = _runs_before(under_way)
    pauses = pauses_of(rows)
    return [
        Job(row, last.get(row.task) or before.get(row.name), row.name in under_way, pauses.get(str(row.pk)))
        for row in rows
    ]


def next_of(jobs: Iterable[Job]) -> Job | None:
    """The one that starts next by its schedule; None where all are paused or in progress."""
    waiting = [job for job in jobs if not (job.is_paused or job.is_refused or job.is_under_way)]
    return min(waiting, key=lambda job: job.row.next_run, default=None)


def _runs_before(names: Collection[str]) -> dict[str, Task]:
    """The last run that ended, of jobs whose newest has not; django-q2 notes the schedule as the task's group."""
    if not names:
        return {}
    recent = Task.objects.filter(group__in=names, stopped__gte=timezone.now() - A_DAY)
    ends = dict(recent.order_by().values_list("group").annotate(Max("stopped")))
    rows = Task.objects.filter(group__in=names, stopped__in=ends.values())
    return {row.group: row for row in rows if ends.get(row.group) == row.stopped}


def pause(rows: Iterable[Schedule], *, actor: str, until: datetime | None = None, reason: str = "") -> int:
    """Also what is paused on other terms; returns how many were not so already.

    `until` stands in the audit log, as who did it and why: `resume_due` and the pages read it there. It is written
    first, since a pause whose end is lost would never end.
    """
    words = gettext("Job “%(name)s” paused until %(until)s") if until else gettext("Job “%(name)s” paused")
    end, why = moment_text(until) if until else "", f": {reason}" if reason else ""
    terms = {"until": until, "reason": reason} if until or reason else {}
    rows = [row for row in rows if not is_refused(row)]
    pauses, done = pauses_of(rows), 0
    for row in rows:
        before = pauses.get(str(row.pk))
        if before and before.since and (before.until, before.reason) == (until, reason):
            continue
        summary = words % {"name": job_label(row), "until": end} + why
        _record_state(row, PAUSED, PAUSE, summary, actor, **terms)
        done += Schedule.objects.filter(pk=row.pk).update(repeats=PAUSED)
    return done


def resume_due() -> int:
    """Jobs whose pause has ended run again, whoever sees it first."""
    rows = list(Schedule.objects.filter(repeats=PAUSED).exclude(cluster=REFUSED))
    pauses, now = pauses_of(rows), timezone.now()
    over = [row for row in rows if (until := pauses[str(row.pk)].until) and until <= now]
    return resume(over, actor=PROGRAM) if over else 0


def resume(rows: Iterable[Schedule], *, actor: str) -> int:
    """What came due in the meantime is due now: nothing could run before, so nothing is overdue."""
    rows, now = list(rows), timezone.now()
    held = [row for row in rows if row.repeats == PAUSED and not is_refused(row)]
    Schedule.objects.filter(pk__in=[row.pk for row in held], next_run__lt=now).update(next_run=now)
    if any(row.func == PULL_JOB for row in held):
        Registration.objects.filter(state=RegistrationState.ACTIVE, next_pull_at__lt=now).update(next_pull_at=now)
    done = 0
    for row in rows:
        # What is refused stays switched off.
        rest = Schedule.objects.filter(pk=row.pk).exclude(repeats=FOR_EVER)
        if is_refused(row) or not rest.update(repeats=FOR_EVER):
            continue
        summary = gettext("Job “%(name)s” resumed") % {"name": job_label(row)}
        _record_state(row, FOR_EVER, RESUME, summary, actor)
        done += 1
    return done


def _record_state(row: Schedule, repeats: int, action: str, summary: str, actor: str, **terms: Any) -> None:
    before, after = {"state": state_text(row.repeats)}, {"state": state_text(repeats), **terms}
    record(actor=actor, action=action, thing=row, summary=summary, before=before, after=after)


def state_text(repeats: int) -> str:
    return gettext("Paused") if repeats == PAUSED else gettext("Enabled")


def run_now(rows: Iterable[Schedule], *, actor: str) -> int:
    done = 0
    for row in rows:
        if is_refused(row):
            continue
        ask_worker(row.func, task_name=shown_name(row))
        summary = gettext("Job “%(name)s” started manually") % {"name": job_label(row)}
        record(actor=actor, action="schedule.run", thing=row, summary=summary)
        done += 1
    return done


def interval_of(row: Schedule) -> str:
    if row.schedule_type != Schedule.MINUTES:
        return str(row.get_schedule_type_display())
    return interval_text(row.minutes or 0)


def is_refused(row: Schedule) -> bool:
    return bool(row.cluster == REFUSED)


def is_overdue(row: Schedule, now: datetime) -> bool:
    """The one definition of all pages, of the health check and of the metric."""
    can_run = not is_refused(row) and row.repeats != PAUSED
    return bool(can_run and row.next_run and row.next_run < now - OVERDUE_AFTER)


def next_run(row: Schedule) -> SafeString | str:
    return overdue(row.next_run) if is_overdue(row, timezone.now()) else due(row.next_run)


def shown_name(row: Schedule) -> str:
    return str(row.name or row.func)[:100]


def job_label(row: Schedule) -> str:
    """In the reader's language, as the table of jobs marks it."""
    return gettext(shown_name(row))


VERBS = {"resume": resume, "run-now": run_now}
