"""Work for a worker: asked for once while the same waits, and done once more when SQLite says “database is locked”.

Beside `dnbmon_site.worker`, which runs the queue, this is the only module that knows django-q2: all others take its
rows, signals and functions from here.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.signals import post_execute, pre_execute
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

from core.bulk import newest_values
from core.db import clean_text

__all__ = [
    "Failure",
    "OrmQ",
    "Schedule",
    "Success",
    "Task",
    "ask_worker",
    "asked_for",
    "async_task",
    "get_broker",
    "is_locked",
    "post_execute",
    "pre_execute",
    "queue_errors",
    "repeat_when_locked",
    "run_step",
]

logger = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
# Seconds before each further try. Each try has waited for the lock as long as the settings say (`databases.py`).
PAUSES = (0.5, 2.0)
# The newest of those that wait; who asks again and again finds the last time here.
LOOKED_AT = 100


def ask_worker(job: str, *arguments: str, task_name: str) -> bool:
    """Have a worker do it soon; False where the same waits already, which does for both."""
    if (job, arguments) in _waiting():
        return False
    async_task(job, *arguments, task_name=task_name)
    return True


def asked_for(job: str) -> set[str]:
    """The first argument of each that waits for a worker; none where the queue cannot be reached."""
    try:
        return {str(arguments[0]) for name, arguments in _waiting() if name == job and arguments}
    except queue_errors():
        return set()


def queue_errors() -> tuple[type[Exception], ...]:
    """What a queue that cannot be reached raises. Redis's client is loaded only where Redis holds the queue: it takes
    a quarter of a second, and memory in each process."""
    if not settings.REDIS_URL:
        return ()
    from redis.exceptions import RedisError

    return (RedisError,)


def _waiting() -> Iterable[tuple[str, tuple[Any, ...]]]:
    for package in _packages():
        try:
            task = SignedPackage.loads(package)
        except BadSignature:
            continue
        yield task["func"], tuple(task["args"])


def _packages() -> Iterable[Any]:
    broker = get_broker()
    if settings.REDIS_URL:
        return list(broker.connection.lrange(broker.list_key, -LOOKED_AT, -1))
    # What a worker has taken is locked: it may have begun, and may not see what has changed since.
    rows = newest_values(OrmQ, ("payload",), LOOKED_AT, key=broker.list_key, lock__lte=timezone.now())
    return [payload for (payload,) in rows]


def repeat_when_locked(step: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """The step's result, after as many tries as it needs; raises what the last one raised."""
    for pause in PAUSES:
        try:
            return step(*args, **kwargs)
        except OperationalError as error:
            # Inside a transaction only its beginning can be repeated, by whoever began it.
            if not is_locked(error) or connection.in_atomic_block:
                raise
            logger.warning("%s finds the database locked, and tries again", getattr(step, "__name__", step))
        # Not in step with others who were turned away with it.
        time.sleep(pause * random.uniform(0.5, 1.5))
    return step(*args, **kwargs)


def run_step(step: Callable[..., object], *args: object, note: Callable[[str], object] = lambda trouble: None) -> bool:
    """The boundary of all jobs: a step that fails holds up no other. False where it failed, after `note` was told why.

    What failed is done again by a later run, since each step may run twice.
    """
    try:
        repeat_when_locked(step, *args)
    except Exception as error:
        logger.exception("%s failed for %s", getattr(step, "__name__", step), ", ".join(map(str, args)) or "all")
        note(clean_text(f"{type(error).__name__}: {error}"))
        return False
    return True


def is_locked(error: OperationalError) -> bool:
    return connection.vendor == "sqlite" and "locked" in str(error)
