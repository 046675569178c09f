"""Asking a worker for a job, as people and programs do: of the same job with the same arguments, one waits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django_q.brokers import get_broker
from django_q.brokers.redis_broker import Redis
from django_q.models import OrmQ
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_task

# The newest of those that wait; who asks again and again finds the last time here.
LOOKED_AT = 100


def ask_worker(job: str, *arguments: str, task_name: str) -> bool:
    """Have a worker do it soon; False where the same waits already, which does for both."""
    if (job, arguments) in _waiting():
        return False
    async_task(job, *arguments, task_name=task_name)
    return True


def _waiting() -> Iterable[tuple[str, tuple[Any, ...]]]:
    for package in _packages():
        try:
            task = SignedPackage.loads(package)
        except BadSignature:
            continue
        yield task["func"], tuple(task["args"])


def _packages() -> Iterable[Any]:
    broker = get_broker()
    if isinstance(broker, Redis):
        return list(broker.connection.lrange(broker.list_key, -LOOKED_AT, -1))
    # What a worker has taken is locked: it may have begun, and may not see what has changed since.
    rows = OrmQ.objects.filter(key=broker.list_key, lock__lte=timezone.now()).order_by("-id")
    return list(rows.values_list("payload", flat=True)[:LOOKED_AT])
