"""The queue in the database, which asks it for little: an idle worker costs the database next to nothing.

What the cluster's own scheduler plans goes straight to its pusher, through a pipe: those tasks come again by
themselves, so no row has to keep them. Everything else waits in rows, as with django-q2's own queue. Those are asked
for less often while nothing comes, and immediately after a job of the same cluster has put one there.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

import os
import select
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, ClassVar

from django.db import close_old_connections, transaction
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from core.jobs import repeat_when_locked

# Seconds between two looks at the rows while nothing comes: no longer than somebody waits for what a click does.
LONGEST = 5.0
QUIET_AFTER = 10.0


# Passed through the pipe when there is a new row.
NEW_ROW = ""
# Letters that several processes can write into a pipe without coming between each other's.
IN_ONE_PIECE = select.PIPE_BUF - 96


class QuietQueue(ORM):
    # Of the cluster: all its processes inherit it.
    pipe: ClassVar[tuple[Connection, Connection] | None] = None
    plans = False
    busy_at = 0.0
    taken_away: Any = None

    @staticmethod
    def get_connection(list_key: str | None = None) -> Any:
        """Closes nothing: whoever puts a task there, as a puller does after each page, goes on with its connection."""
        return OrmQ.objects.using(Conf.ORM)

    def ping(self) -> bool:
        """The cluster's guard calls this before it starts the others, which inherit the pipe.

        A pipe has no lock that a process could take with it when it is killed.
        """
        if QuietQueue.pipe is None:
            QuietQueue.pipe = Pipe(duplex=False)
            os.set_blocking(QuietQueue.pipe[1].fileno(), False)
        self.plans = True
        return True

    def enqueue(self, task: str) -> Any:
        """What the guard plans comes again; what others ask for has to outlive all processes."""
        if self.plans and self._pass(task):
            return None
        key = repeat_when_locked(super().enqueue, task)
        self._pass(NEW_ROW)
        return key

    def _pass(self, text: str) -> bool:
        """False where there is no cluster, or the pipe is full."""
        if self.pipe is None or len(text) > IN_ONE_PIECE:
            return False
        try:
            self.pipe[1].send(text)
        except BlockingIOError:
            return False
        return True

    def dequeue(self) -> list[tuple[Any, str]] | None:
        if planned := self._planned(0):
            return planned
        _close_old_connections()
        if tasks := repeat_when_locked(self._take):
            self.busy_at = time.monotonic()
            return tasks
        is_quiet = time.monotonic() - self.busy_at > QUIET_AFTER
        return self._planned(LONGEST if is_quiet else Conf.POLL)

    def _planned(self, seconds: float) -> list[tuple[Any, str]] | None:
        """What the scheduler has planned, or nothing after so long a wait."""
        if self.pipe is None:
            time.sleep(seconds)
            return None
        task = self.pipe[0].recv() if self.pipe[0].poll(seconds) else NEW_ROW
        return [(None, task)] if task else None

    def _take(self) -> list[tuple[Any, str]]:
        """Rows that nobody else took meanwhile."""
        waiting = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now())[: Conf.BULK]
        return [(row.pk, row.payload) for row in waiting if self._lock(row)]

    def _lock(self, row: Any) -> bool:
        return bool(self.get_connection().filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row)))

    def acknowledge(self, task_id: Any) -> None:
        """django-q2 says it twice of each task."""
        if task_id != self.taken_away:
            _close_old_connections()
            self.taken_away = task_id
            repeat_when_locked(super().acknowledge, task_id)


def _close_old_connections() -> None:
    """Of the cluster's own processes, which live long: what was lost meanwhile is opened again."""
    if transaction.get_autocommit(using=Conf.ORM):
        close_old_connections()
