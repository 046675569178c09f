"""When a registration is due next."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portfolio.models import Cadence, Registration

LONGEST = timedelta(hours=48)


def next_due(registration: Registration, now: datetime) -> datetime:
    """The next pull after one that ended at `now` (aware). D&B drops what waits for 4 days: never beyond 48 hours."""
    if registration.cadence == Cadence.DAILY:
        return min(_next_daily(registration, now), now + LONGEST)
    unit = timedelta(hours=1) if registration.cadence == Cadence.HOURS else timedelta(minutes=1)
    return now + min(registration.cadence_every * unit, LONGEST)


def _next_daily(registration: Registration, now: datetime) -> datetime:
    zone = ZoneInfo(registration.cadence_zone)
    local = now.astimezone(zone)
    at = registration.cadence_time or time(6)
    due = datetime.combine(local.date(), at, zone)
    if due <= local:
        due = datetime.combine(local.date() + timedelta(days=1), at, zone)
    return due
