"""The queue in the database, which asks it for little: an idle worker costs the database next to nothing.

What the cluster's own scheduler plans goes straight to its pusher, through a pipe: those tasks come again by
themselves, so no row has to keep them. Everything else waits in rows, as with django-q2's own queue. Those are asked
for less often while nothing comes.
"""

# mypy: allow-subclassing-any

from __future__ import annotations

import select
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.conf import Conf

from core.jobs import repeat_when_locked

# Seconds between two looks at the rows while nothing comes: no longer than somebody waits for what a click does.
LONGEST = 5.0
QUIET_AFTER = 10.0


class QuietQueue(ORM):
    pipe: tuple[Connection, Connection] | None = None
    busy_at = 0.0
    taken_away: Any = None

    def ping(self) -> bool:
        """The cluster's guard calls this before it starts the others, which inherit the pipe.

        A pipe has no lock that a process could take with it when it is killed.
        """
        self.pipe = self.pipe or Pipe(duplex=False)
        return True

    def enqueue(self, task: str) -> Any:
        if self.pipe and select.select([], [self.pipe[1]], [], 0)[1]:
            self.pipe[1].send(task)
            return None
        return repeat_when_locked(super().enqueue, task)

    def dequeue(self) -> list[tuple[Any, str]] | None:
        if planned := self._planned(0):
            return planned
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
        return [(None, self.pipe[0].recv())] if self.pipe[0].poll(seconds) else None

    def _take(self) -> list[tuple[Any, str]]:
        """Rows that nobody else took meanwhile."""
        waiting = self.get_connection().filter(key=self.list_key, lock__lte=timezone.now())[: Conf.BULK]
        return [(row.pk, row.payload) for row in waiting if self._lock(row)]

    def _lock(self, row: Any) -> bool:
        return bool(self.get_connection().filter(pk=row.pk, lock=row.lock).update(lock=self.timeout(row)))

    def acknowledge(self, task_id: Any) -> None:
        """django-q2 says it twice of each task."""
        if task_id != self.taken_away:
            self.taken_away = task_id
            repeat_when_locked(super().acknowledge, task_id)
