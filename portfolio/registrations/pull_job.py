"""Whether pulls are paused as a whole: a user has paused the job that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext

from core.jobs import Schedule
from core.models import AuditEntry
from core.text import moment_text

PULL_JOB = "monitoring.jobs.pull_due"
PAUSED = 0
PAUSE, RESUME = "schedule.pause", "schedule.resume"


@dataclass(frozen=True, slots=True)
class PausedPulls:
    """The schedule, and who paused it when, as far as the audit log knows."""

    schedule: str
    since: datetime | None = None
    by: str = ""

    @property
    def sentence(self) -> str:
        if self.since is None:
            return gettext("Pulls are paused: the job “Pull due registrations” does not run.")
        return gettext(
            "%(user)s paused the job “Pull due registrations” on %(since)s, so no registration is pulled."
        ) % {
            "user": self.by,
            "since": moment_text(self.since),
        }


def paused_pulls() -> PausedPulls | None:
    return paused_among(Schedule.objects.filter(func=PULL_JOB).order_by("id"))


def paused_among(schedules: Iterable[Schedule]) -> PausedPulls | None:
    """None where the job runs, or where no worker has ever installed it."""
    rows = [row for row in schedules if row.func == PULL_JOB]
    if not rows or any(row.repeats != PAUSED for row in rows):
        return None
    acts = AuditEntry.objects.filter(what="schedule", key=str(rows[0].pk), action__in=(PAUSE, RESUME))
    last = acts.order_by("-id").first()
    if last is None or last.action != PAUSE:
        return PausedPulls(str(rows[0].pk))
    return PausedPulls(str(rows[0].pk), last.at, last.actor)
