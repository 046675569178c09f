"""Drift: where D&B's "before" is not what was known here, explained when somebody looks (design §4.8)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitoring.comparing import Difference, differences
from monitoring.history import Known, Profile
from monitoring.models import Change
from monitoring.timeline import Page
from monitoring.wording import from_json
from portfolio.models import Registration


@dataclass(frozen=True, slots=True)
class Drift:
    """What was known, since when, and what D&B says it was; `gap` where something is known to be missing."""

    found: list[Difference]
    since: datetime
    gap: Registration | None = None


def mark_drift(page: Page, profile: Profile, registrations: Mapping[uuid.UUID, Registration] | None = None) -> None:
    """Explain each line where notices were missed, or D&B changed the value silently."""
    for day in page.days:
        for line in (*day.lines, *day.small):
            if known := profile.drifted.get(line.change.pk):
                line.drift = _explain(line.change, known, registrations or {})


def _explain(change: Change, known: Known, registrations: Mapping[uuid.UUID, Registration]) -> Drift:
    gaps = [row for row in registrations.values() if _was_away(row, known.since, change.changed_at)]
    return Drift(differences(known.value, from_json(change.previous)), known.since, gaps[0] if gaps else None)


def _was_away(row: Registration, start: datetime, end: datetime) -> bool:
    """Whether something that D&B had to tell in this time is known to be lost."""
    return row.gap_from is not None and row.gap_from <= end and (row.gap_until is None or row.gap_until >= start)
