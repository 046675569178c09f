"""Heartbeats of the program's processes."""

from datetime import timedelta

from core.db import database_now
from health.models import JOBS, Heartbeat


def a_beat(**age: float) -> None:
    at = database_now() - timedelta(**age)
    Heartbeat.objects.update_or_create(id=Heartbeat.key(JOBS), defaults={"name": JOBS, "at": at})
