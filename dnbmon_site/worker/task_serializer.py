"""What goes through the queue, and what is kept of tasks: signed JSON, and only the program's own jobs.

django-q2 pickles both, takes any function by its name, and calls hooks. Who could write to the queue or to a row would
then run what they like. So tasks are unpacked here, in every process and on every way to being run: nothing is
unpickled, and what is not a job of the table (`schedules.py`) is refused as if its signature were false.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import picklefield.fields
from django.db.models.signals import post_save
from django.utils.module_loading import import_string
from django_q import signing
from django_q.models import Task
from django_q.signals import call_hook

from core.jobs import repeat_when_locked
from dnbmon_site.worker.schedules import ALL_JOBS, RENAMED
from dnbmon_site.worker.tracing import TRACE

# Left out is what would run something else: hooks, chains, groups of tasks, other brokers.
KNOWN = {"id", "name", "func", "args", "kwargs", "started", "ack_failure", "group", "cluster", TRACE}


class Job(str):
    """The name of a job's function, which the worker calls: the one place where a whole job is repeated."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return repeat_when_locked(import_string(self), *args, **kwargs)


class TaskSerializer:
    """In place of the pickling one."""

    @staticmethod
    def dumps(task: Any) -> bytes:
        """A cluster also signs its own status twice a second; nobody reads that here."""
        return json.dumps({**task, "started": task["started"].isoformat()} if isinstance(task, dict) else None).encode()

    @staticmethod
    def loads(data: bytes) -> dict[str, Any]:
        try:
            return _read(json.loads(data))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise signing.BadSignature(f"The program does not know this task: {error}") from error


def _read(task: dict[str, Any]) -> dict[str, Any]:
    name = RENAMED.get(task["func"], task["func"])
    if name not in ALL_JOBS:
        raise ValueError(f"{name} is not a job of this program")
    if unknown := task.keys() - KNOWN:
        raise ValueError(f"it asks for {', '.join(sorted(unknown))}")
    started, trace = datetime.fromisoformat(task["started"]), dict(task.get(TRACE) or {})
    func, args, kwargs = Job(name), tuple(task["args"]), dict(task["kwargs"])
    return {**task, "func": func, "args": args, "kwargs": kwargs, "started": started, TRACE: trace}


def dump_value(value: Any, protocol: Any = None) -> bytes:
    """What a row keeps of a task: arguments and result."""
    return json.dumps(value, default=str).encode()


def load_value(data: bytes) -> Any:
    """None where the row was written by a version that pickled, or by somebody else."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def install() -> None:
    """Once in each process, before anything is put into the queue or read from it."""
    signing.PickleSerializer = TaskSerializer
    picklefield.fields.dumps, picklefield.fields.loads = dump_value, load_value
    post_save.disconnect(call_hook, sender=Task)
