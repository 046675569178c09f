"""The machine: database, disk, migrations, and whether jobs run, run in time, and run well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext, ngettext

from core.jobs import Task, get_broker, queue_errors
from core.text import counted, days_and_hours, span
from health.checks.backup import backup
from health.checks.context import Look
from health.checks.migrations import is_of_earlier_version, migrations_waiting, migrations_waiting_lately
from health.checks.result import Result, graded
from health.heartbeats import DEAD, LATE, seconds_of_a_beat
from health.models import JOBS, OUTSIDE, Heartbeat, State
from health.schedule_status import is_overdue, is_refused, job_label
from monitoring.pull.preconditions import LEAST_FREE, free_space
from portfolio.registrations.pull_job import PAUSED, Pause
from portfolio.registrations.status import first_loss

ROOM = 3 * LEAST_FREE
OVERDUE_CRITICAL = timedelta(minutes=10)
BACKLOG_WARNING, BACKLOG_CRITICAL = 100, 2_000
RECENT = timedelta(hours=1)
OUTSIDE_LATE = timedelta(minutes=10)


def checks_of_machine(look: Look) -> Iterator[Result]:
    yield database(migrations_waiting() if look.is_full else migrations_waiting_lately())
    yield disk()
    yield jobs()
    yield from schedules(look)
    yield backlog()
    if look.is_full:
        yield failed(look)
        yield backup(look)
    if settings.HEARTBEAT_URL:
        yield outside(look)


def database(waiting: int) -> Result:
    """That this is reached at all shows that it answers."""
    title = gettext("Database")
    if not waiting:
        return Result("database", title, State.OK, gettext("The database responds, and all migrations are applied."), 0)
    sentence = ngettext(
        "The database is older than D&B Monitoring: %(count)s migration pending. Pulling is paused until it "
        "is applied.",
        "The database is older than D&B Monitoring: %(count)s migrations pending. Pulling is paused until "
        "they are applied.",
        waiting,
    ) % {"count": counted(waiting)}
    do = gettext("Run “.venv/bin/python manage.py migrate”.")
    if is_of_earlier_version():
        do = gettext(
            "An earlier version created this database. Run “.venv/bin/python manage.py migrate” to see how "
            "to move its data."
        )
    return Result("database", title, State.CRITICAL, sentence, waiting, "waiting", do)


def disk() -> Result:
    place, free = free_space()
    state = State.CRITICAL if free < LEAST_FREE else State.WARNING if free < ROOM else State.OK
    room = (
        gettext("%(count)s GB") % {"count": f"{free / 1000000000.0:,.1f}"}
        if free >= ROOM
        else gettext("%(int)s MB") % {"int": f"{int(free / 1000000.0):,}"}
    )
    sentence = gettext("%(room)s of disk space available in %(place)s.") % {"room": room, "place": place}
    if state == State.CRITICAL:
        sentence += " " + gettext("Pulling is paused if less than 1 GB is available, so that no data from D&B is lost.")
    do = gettext("Free up disk space, or move the data to a larger disk.") if state != State.OK else ""
    return Result("disk", gettext("Disk"), state, sentence, round(free / 1e9, 3), "GB", do)


def jobs() -> Result:
    """The canary: a job writes a row once a minute, end to end through queue, worker and database."""
    title, do = (
        gettext("Worker"),
        gettext(
            "Wait 3 minutes: a worker that hangs is restarted automatically. Otherwise start "
            "“.venv/bin/python manage.py worker”."
        ),
    )
    row = Heartbeat.objects.filter(name=JOBS).values_list("at", Now()).first()
    if row is None:
        return Result(
            "jobs", title, State.CRITICAL, gettext("The worker has not been started: no job has ever run."), do=do
        )
    at, now = row
    age, beat = (now - at).total_seconds(), seconds_of_a_beat()
    # One minute for the scheduler, which looks twice a minute.
    state = graded(age, warning=LATE * beat + 30, critical=DEAD * beat)
    sentence = (
        gettext("The last job ran just now.")
        if age < 60
        else gettext("The last job ran %(span)s ago.") % {"span": span(age)}
    )
    if state != State.OK:
        sentence = gettext("No job has run for %(span)s. Nothing is pulled or sent until the worker runs again.") % {
            "span": span(age)
        }
    return Result("jobs", title, state, sentence, max(0, round(age)), "s", do if state != State.OK else "")


def schedules(look: Look) -> Iterator[Result]:
    rows = [row for row in look.schedules if not is_refused(row)]
    late = [(row.next_run, job_label(row)) for row in rows if is_overdue(row, look.now)]
    yield overdue(look, sorted(late))
    yield paused(look, {job_label(row): look.pauses[str(row.pk)] for row in rows if row.repeats == PAUSED})


def overdue(look: Look, late: list[tuple[datetime, str]]) -> Result:
    title = gettext("Job schedule")
    if not late:
        return Result("schedules", title, State.OK, gettext("No jobs overdue."), 0)
    age = look.now - late[0][0]
    state = State.CRITICAL if age >= OVERDUE_CRITICAL else State.WARNING
    sentence = ngettext(
        "“%(name)s” is overdue by %(span)s.", "%(count)s jobs are overdue, “%(name)s” by %(span)s.", len(late)
    ) % {"count": counted(len(late)), "name": late[0][1], "span": days_and_hours(age)}
    return Result(
        "schedules", title, state, sentence, len(late), "overdue", gettext("Check that the worker is running.")
    )


def paused(look: Look, pauses: Mapping[str, Pause]) -> Result:
    """Without pulls D&B goes on deleting: a pause of those that was forgotten is sent to channels."""
    title = gettext("Paused jobs")
    if not pauses:
        return Result("paused", title, State.OK, gettext("No jobs paused."), 0)
    others = [f"{name} ({one.note})" for name, one in sorted(pauses.items()) if one != look.paused_pulls]
    parts = [gettext("Paused: %(names)s.") % {"names": "; ".join(others)}] if others else []
    if look.paused_pulls:
        parts += [look.paused_pulls.sentence, first_loss(look.registrations)]
    return Result(
        "paused",
        title,
        State.WARNING,
        " ".join(parts),
        len(pauses),
        "jobs",
        gettext(
            "Jobs that are paused until a set time resume automatically. Resume other jobs below when "
            "they should run again."
        ),
        notify=look.paused_pulls is not None,
    )


def backlog() -> Result:
    title = gettext("Job queue")
    try:
        count = int(get_broker().queue_size())
    except queue_errors() as error:
        sentence = gettext("The queue cannot be reached: %(error)s") % {"error": error}
        return Result("queue", title, State.CRITICAL, sentence, do=gettext("Start Redis, or correct REDIS_URL."))
    state = graded(count, warning=BACKLOG_WARNING, critical=BACKLOG_CRITICAL)
    sentence = (
        gettext("The queue is empty.")
        if not count
        else ngettext("%(count)s job waiting for a worker.", "%(count)s jobs waiting for a worker.", count)
        % {"count": counted(count)}
    )
    do = (
        gettext("Increase WORKERS, or find the job that takes long under “Finished jobs”.") if state != State.OK else ""
    )
    return Result("queue", title, state, sentence, count, "jobs", do)


def failed(look: Look) -> Result:
    rows = Task.objects.filter(success=False, stopped__gte=look.now - RECENT).order_by("-stopped")
    names = list(rows.values_list("name", "func")[:100])
    title = gettext("Failed jobs")
    if not names:
        return Result("failed", title, State.OK, gettext("No failed jobs in the last hour."), 0)
    sentence = ngettext(
        "%(count)s job failed in the last hour: %(name)s (%(place)s).",
        "%(count)s jobs failed in the last hour. Last failure: %(name)s (%(place)s).",
        len(names),
    ) % {"count": counted(len(names)), "name": names[0][0], "place": names[0][1]}
    do = gettext("See the reason under “Recent errors”. The next run repeats the failed work.")
    return Result("failed", title, State.WARNING, sentence, len(names), "jobs", do, is_mark=True)


def outside(look: Look) -> Result:
    """Whether HEARTBEAT_URL could be told."""
    row = Heartbeat.objects.filter(name=OUTSIDE).first()
    title, do = (
        gettext("External heartbeat"),
        gettext(
            "Check HEARTBEAT_URL. The external monitoring service reports an outage until it receives a heartbeat."
        ),
    )
    if row is None:
        return Result("outside", title, State.UNKNOWN, gettext("No heartbeat sent yet."))
    age = look.now - row.at
    state = State.WARNING if row.last_error or age > OUTSIDE_LATE else State.OK
    sentence = row.last_error or gettext("Sent %(span)s ago.") % {"span": days_and_hours(age)}
    if state != State.OK and not row.last_error:
        held = gettext("Withheld for %(span)s, so that the external monitoring service raises an alarm.")
        sentence = held % {"span": days_and_hours(age)}
        do = gettext("Resolve the critical problems, or find out why no pull completes. The heartbeat then resumes.")
    return Result("outside", title, state, sentence, round(age.total_seconds()), "s", do if state != State.OK else "")
