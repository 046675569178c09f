"""One thread through the log: a request's id goes with the jobs it causes, a job's with what it pulls.

What stands on a line: `request_id` and `user_id` of a request; `job_id` and `job` of a job, with the `request_id` or
the `caused_by` of what put it into the queue; `delivery_id` and D&B's `transaction_id` where a delivery is in hand.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver
from django_q.signals import post_execute_in_worker, pre_enqueue, pre_execute
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

TRACE = "trace"


@receiver(pre_enqueue)
def take_along(task: dict[str, Any], **kwargs: Any) -> None:
    """In whatever puts a job into the queue."""
    here = get_contextvars()
    known = {"request_id": here.get("request_id"), "caused_by": here.get("job_id")}
    task[TRACE] = {name: value for name, value in known.items() if value}


@receiver(pre_execute)
def bind_task(task: dict[str, Any], func: Any, **kwargs: Any) -> None:
    """In the worker, which has done other jobs before."""
    clear_contextvars()
    bind_contextvars(job_id=task["id"], job=name_of(func), **task.get(TRACE, {}))


@receiver(post_execute_in_worker)
def end(**kwargs: Any) -> None:
    clear_contextvars()


def name_of(func: Any) -> str:
    return str(func) if isinstance(func, str) else f"{func.__module__}.{func.__qualname__}"
