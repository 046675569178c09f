"""The cluster itself, as the watchdog starts it."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

from django_q.cluster import Cluster

from dnbmon_site.worker.child_process import LOOK_EVERY, is_orphan
from dnbmon_site.worker.watchdog import STOP_WITHIN


def run_cluster() -> None:
    """django-q2's cluster, until it is told to stop or its watchdog is gone."""
    cluster = Cluster()
    cluster.start()
    while cluster.sentinel.is_alive():
        if is_orphan():
            end_group_after(STOP_WITHIN)
            cluster.stop()
        time.sleep(LOOK_EVERY)


def end_group_after(seconds: float) -> None:
    """Stopping may hang, and there is nobody left to end us: then the group ends itself."""

    def end(number: int, frame: FrameType | None) -> None:
        os.killpg(os.getpgrp(), signal.SIGKILL)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
