"""The machine: database, disk, migrations, and whether jobs run, run in time, and run well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.models import Schedule, Task
from redis.exceptions import RedisError

from health.beats import DEAD, LATE, seconds_of_a_beat
from health.looking import Look
from health.migrating import migrations_waiting, migrations_waiting_lately
from health.models import JOBS, OUTSIDE, Heartbeat, State
from health.results import Result, graded
from health.scheduling import PAUSED
from monitoring.permitting import LEAST_FREE, free_space
from portfolio.wording import days_and_hours, plural, span

ROOM = 3 * LEAST_FREE
OVERDUE_WARNING, OVERDUE_CRITICAL = timedelta(minutes=3), timedelta(minutes=10)
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
    if settings.HEARTBEAT_URL:
        yield outside(look)


def database(waiting: int) -> Result:
    """That this is reached at all shows that it answers."""
    title = "Database"
    if not waiting:
        return Result("database", title, State.OK, "It answers and is up to date.", 0)
    sentence = (
        f"The program is newer than its database: {plural(waiting, 'migration')} waiting. Nothing is pulled before."
    )
    return Result("database", title, State.CRITICAL, sentence, waiting, "waiting", "Run manage.py migrate.")


def disk() -> Result:
    place, free = free_space()
    state = State.CRITICAL if free < LEAST_FREE else State.WARNING if free < ROOM else State.OK
    room = f"{free / 1e9:,.1f} GB" if free >= ROOM else f"{int(free / 1e6):,} MB"
    sentence = f"{room} are free under {place}."
    if state == State.CRITICAL:
        sentence += " Nothing is pulled below 1 GB: what D&B sends must have a place to go."
    do = "Make room, or move the data to a larger disk." if state != State.OK else ""
    return Result("disk", "Disk", state, sentence, round(free / 1e9, 2), "GB", do)


def jobs() -> Result:
    """The canary: a job writes a row once a minute, end to end through queue, worker and database."""
    title, do = "Worker", "Start a worker (manage.py worker), or see its log: its watchdog says why it starts again."
    row = Heartbeat.objects.filter(name=JOBS).values_list("at", Now()).first()
    if row is None:
        return Result("jobs", title, State.CRITICAL, "No job has ever run: no worker was started.", do=do)
    at, now = row
    age, beat = (now - at).total_seconds(), seconds_of_a_beat()
    # One minute for the scheduler, which looks twice a minute.
    state = graded(age, warning=LATE * beat + 30, critical=DEAD * beat)
    sentence = "The last one ran just now." if age < 60 else f"The last one ran {span(age)} ago."
    return Result("jobs", title, state, sentence, max(0, round(age)), "s", do if state != State.OK else "")


def schedules(look: Look) -> Iterator[Result]:
    rows = list(Schedule.objects.order_by("next_run").values_list("name", "next_run", "repeats"))
    limit = look.now - OVERDUE_WARNING
    yield overdue(look, [(name, due) for name, due, repeats in rows if repeats != PAUSED and due and due < limit])
    yield paused([str(name) for name, _, repeats in rows if repeats == PAUSED])


def overdue(look: Look, late: list[tuple[str, datetime]]) -> Result:
    title = "Timetable of jobs"
    if not late:
        return Result("schedules", title, State.OK, "No job is overdue.", 0)
    age = look.now - late[0][1]
    state = State.CRITICAL if age >= OVERDUE_CRITICAL else State.WARNING
    sentence = f"{plural(len(late), 'job')} overdue; “{late[0][0]}” by {days_and_hours(age)}."
    return Result("schedules", title, state, sentence, len(late), "overdue", "See whether jobs run.")


def paused(names: list[str]) -> Result:
    title = "Paused jobs"
    if not names:
        return Result("paused", title, State.OK, "None.", 0)
    sentence = f"People have paused: {', '.join(sorted(names))}."
    return Result("paused", title, State.WARNING, sentence, len(names), "jobs", "Resume them below when it is time.")


def backlog() -> Result:
    title = "Queue of jobs"
    try:
        count = int(get_broker().queue_size())
    except RedisError as error:
        sentence = f"The queue cannot be reached: {error}"
        return Result("queue", title, State.CRITICAL, sentence, do="Start Redis, or see REDIS_URL.")
    state = graded(count, warning=BACKLOG_WARNING, critical=BACKLOG_CRITICAL)
    sentence = "Nothing waits." if not count else f"{plural(count, 'job')} waiting for a worker."
    do = "More workers (WORKERS), or see which job takes so long." if state != State.OK else ""
    return Result("queue", title, state, sentence, count, "jobs", do)


def failed(look: Look) -> Result:
    rows = Task.objects.filter(success=False, stopped__gte=look.now - RECENT).order_by("-stopped")
    names = list(rows.values_list("name", "func")[:100])
    title = "Failed jobs"
    if not names:
        return Result("failed", title, State.OK, "None in the last hour.", 0)
    sentence = f"{plural(len(names), 'job')} failed in the last hour; the last one: {names[0][0]} ({names[0][1]})."
    do = "The reason stands below. Work that failed is done again by the next run."
    return Result("failed", title, State.WARNING, sentence, len(names), "jobs", do, is_mark=True)


def outside(look: Look) -> Result:
    """Whether HEARTBEAT_URL could be told."""
    row = Heartbeat.objects.filter(name=OUTSIDE).first()
    title, do = "Heartbeat to the outside", "See HEARTBEAT_URL: whoever watches from outside will call."
    if row is None:
        return Result("outside", title, State.UNKNOWN, "It was not sent yet.")
    age = look.now - row.at
    state = State.WARNING if row.trouble or age > OUTSIDE_LATE else State.OK
    sentence = row.trouble or f"Sent {days_and_hours(age)} ago."
    return Result("outside", title, state, sentence, round(age.total_seconds()), "s", do if state != State.OK else "")
