"""What runs by itself for health."""

from __future__ import annotations

from health.models import JOBS, Heartbeat
from portfolio.rows import database_now, insert_new


def beat() -> None:
    """The canary: that this row is fresh shows that queue, worker and database work together, end to end."""
    key, now = Heartbeat.key(JOBS), database_now()
    if not Heartbeat.objects.filter(pk=key).update(at=now):
        insert_new(Heartbeat, [Heartbeat(id=key, name=JOBS, at=now)])
