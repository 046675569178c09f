"""What people do with the schedules of jobs, written down in the audit; and how each job went last."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext
from django_q.models import Schedule, Task
from django_q.tasks import async_task

from portfolio.auditing import record

PAUSED = 0
FOR_EVER = -1
A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A schedule, and its last run that ended."""

    row: Schedule
    last: Task | None
    # Asked for and not ended: it waits for a worker, or runs.
    is_under_way: bool = False

    @property
    def name(self) -> str:
        return name_in_words(self.row)

    @property
    def is_paused(self) -> bool:
        return bool(self.row.repeats == PAUSED)

    @property
    def seconds(self) -> float | None:
        return self.last.time_taken() if self.last else None


def all_jobs() -> list[Job]:
    rows = list(Schedule.objects.order_by("id"))
    last = Task.objects.in_bulk([row.task for row in rows if row.task])
    under_way = {row.name for row in rows if row.task and row.task not in last}
    before = _runs_before(under_way)
    return [Job(row, last.get(row.task) or before.get(row.name), row.name in under_way) for row in rows]


def _runs_before(names: Collection[str]) -> dict[str, Task]:
    """The last run that ended, of jobs whose newest has not; django-q2 notes the schedule as the task's group."""
    if not names:
        return {}
    recent = Task.objects.filter(group__in=names, stopped__gte=timezone.now() - A_DAY)
    ends = dict(recent.order_by().values_list("group").annotate(Max("stopped")))
    rows = Task.objects.filter(group__in=names, stopped__in=ends.values())
    return {row.group: row for row in rows if ends.get(row.group) == row.stopped}


def pause(rows: Iterable[Schedule], *, actor: str) -> int:
    return _set(rows, PAUSED, "schedule.pause", gettext("Job “%(name)s” paused"), actor)


def resume(rows: Iterable[Schedule], *, actor: str) -> int:
    return _set(rows, FOR_EVER, "schedule.resume", gettext("Job “%(name)s” resumed"), actor)


def _set(rows: Iterable[Schedule], repeats: int, action: str, words: str, actor: str) -> int:
    """Returns how many were not so already; each is written down once."""
    done = 0
    for row in rows:
        changed = Schedule.objects.filter(pk=row.pk).exclude(repeats=repeats).update(repeats=repeats)
        if changed:
            before, after = {"repeats": row.repeats}, {"repeats": repeats}
            summary = words % {"name": name_in_words(row)}
            record(actor=actor, action=action, thing=row, summary=summary, before=before, after=after)
        done += changed
    return done


def run_now(rows: Iterable[Schedule], *, actor: str) -> int:
    done = 0
    for row in rows:
        async_task(row.func, *arguments(row), **keywords(row), task_name=shown_name(row))
        summary = gettext("Job “%(name)s” run at once") % {"name": name_in_words(row)}
        record(actor=actor, action="schedule.run", thing=row, summary=summary)
        done += 1
    return done


def shown_name(row: Schedule) -> str:
    return str(row.name or row.func)[:100]


def name_in_words(row: Schedule) -> str:
    """In the reader's language, as the table of jobs marks it."""
    return gettext(shown_name(row))


def arguments(row: Schedule) -> tuple[object, ...]:
    found = ast.literal_eval(row.args) if row.args else ()
    return found if isinstance(found, tuple) else (found,)


def keywords(row: Schedule) -> dict[str, object]:
    """`x=1, name='Leeds'`, or a dictionary; the form has refused everything else."""
    if not row.kwargs:
        return {}
    call = ast.parse(f"f({row.kwargs})", mode="eval").body
    assert isinstance(call, ast.Call)
    if call.args:
        return dict(ast.literal_eval(row.kwargs))
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}


VERBS = {"pause": pause, "resume": resume, "run-now": run_now}
