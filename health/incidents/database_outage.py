"""A database that was away: nobody could write that down then, so the watchdog keeps it in mind until it is back."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.text import moment_text, span
from health.incidents.lifecycle import record_past
from health.models import Incident

# Asked every 15 seconds: once in vain is everyday life.
AT_LEAST = 2


class Outage:
    def __init__(self) -> None:
        self.since: datetime | None = None
        self.times = 0

    def goes_on(self) -> None:
        """It was asked in vain."""
        self.since = self.since or timezone.now()
        self.times += 1

    def is_over(self) -> None:
        """It has answered. Raises DatabaseError, and is kept in mind, where it is away again already."""
        if self.since and self.times >= AT_LEAST:
            record_outage(self.since, timezone.now())
        self.since, self.times = None, 0


def record_outage(since: datetime, until: datetime) -> None:
    """Once, whoever was first to see that it is back: another machine's watchdog, or the look of a job."""
    if Incident.objects.filter(dedup_key__in=("database", "silence"), ended_at__gte=since).exists():
        return
    cause = gettext(
        "The database was unavailable for %(span)s from %(moment)s. Nothing was pulled during that time."
    ) % {
        "moment": moment_text(since),
        "span": span((until - since).total_seconds()),
    }
    record_past(
        dedup_key="database", title=gettext("Database unavailable"), cause=cause, started_at=since, ended_at=until
    )
