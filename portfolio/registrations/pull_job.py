"""Whether pulls are paused as a whole: a user has paused the job that makes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from core.jobs import Schedule
from core.models import AuditEntry
from core.text import moment_text

PULL_JOB = "monitoring.jobs.pull_due"
PAUSED = 0
PAUSE, RESUME = "schedule.pause", "schedule.resume"


# Of so many entries of the audit log the last of each paused job is among.
LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Pause:
    """A schedule that is paused; by whom, since when, until when and why, as far as the audit log knows."""

    schedule: str
    since: datetime | None = None
    by: str = ""
    until: datetime | None = None
    reason: str = ""

    @property
    def end(self) -> str:
        """Without a full stop."""
        return gettext("until %(until)s") % {"until": moment_text(self.until)} if self.until else gettext("no end set")

    @property
    def note(self) -> str:
        """For a line about the job: who, until when, why."""
        words = gettext("by %(user)s, %(end)s") % {"user": self.by, "end": self.end} if self.by else self.end
        return f"{words}: {self.reason}" if self.reason else words

    @property
    def sentence(self) -> str:
        """Of the job that pulls."""
        if self.since is None:
            return gettext("Pulls are paused: the job “Pull due registrations” does not run.")
        told = {"user": self.by, "since": moment_text(self.since)}
        parts = [
            gettext("%(user)s paused the job “Pull due registrations” on %(since)s, so no registration is pulled.")
            % told
        ]
        if self.until:
            parts.append(gettext("Pulls resume on %(until)s.") % {"until": moment_text(self.until)})
        if self.reason:
            parts.append(gettext("Reason: %(reason)s.") % {"reason": self.reason.rstrip(".")})
        return " ".join(parts)


def paused_pulls() -> Pause | None:
    rows = list(Schedule.objects.filter(func=PULL_JOB).order_by("id"))
    return paused_among(rows, pauses_of(rows))


def paused_among(schedules: Iterable[Schedule], pauses: Mapping[str, Pause]) -> Pause | None:
    """None where the job runs, or where no worker has ever installed it."""
    rows = [row for row in schedules if row.func == PULL_JOB]
    if not rows or any(row.repeats != PAUSED for row in rows):
        return None
    return pauses[str(rows[0].pk)]


def pauses_of(schedules: Iterable[Schedule]) -> dict[str, Pause]:
    """Those of them that are paused, by key."""
    keys = [str(row.pk) for row in schedules if row.repeats == PAUSED]
    if not keys:
        return {}
    acts = AuditEntry.objects.filter(what="schedule", key__in=keys, action__in=(PAUSE, RESUME))
    last = {row.key: row for row in reversed(list(acts.order_by("-id")[:LOOKED_AT]))}
    return {key: _pause(key, last.get(key)) for key in keys}


def _pause(key: str, act: AuditEntry | None) -> Pause:
    if act is None or act.action != PAUSE:
        return Pause(key)
    terms = json.loads(act.after or "{}")
    until = parse_datetime(terms.get("until") or "")
    return Pause(key, act.at, act.actor, until, terms.get("reason") or "")
