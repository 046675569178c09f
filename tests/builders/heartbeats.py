"""Heartbeats of the program's processes."""

from datetime import timedelta

from health.models import JOBS, Heartbeat
from portfolio.rows import database_now


def a_beat(**age: float) -> None:
    at = database_now() - timedelta(**age)
    Heartbeat.objects.update_or_create(id=Heartbeat.key(JOBS), defaults={"name": JOBS, "at": at})
