"""A part of the program that shares the memory of what its parent has loaded."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from collections.abc import Callable

from django.db import connections

from dnbmon_site.worker.child_process import PARENT, STOP_SIGNALS, Child, Process

logger = logging.getLogger(__name__)


class Forked(Child):
    """A copy of this process that does `work`, in a session of its own."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.work = work
        super().__init__(name, ())

    def _start(self) -> Process:
        # Two processes cannot use one connection.
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        # What the collector does not visit is not written to, and stays shared.
        gc.freeze()
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            _work_as_child(parent, self.work)
        return Process(pid)


def _work_as_child(parent: int, work: Callable[[], None]) -> None:
    """As a new program would: what ours did about signals and input is not the child's."""
    code = 1
    try:
        os.setsid()
        os.environ[PARENT] = str(parent)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number in STOP_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        work()
        code = 0
    finally:
        # Nothing climbs out of here: above stands what the parent was doing.
        if isinstance(sys.exc_info()[1], Exception):
            logger.exception("a part of the program failed")
        sys.stdout.flush()
        os._exit(code)
