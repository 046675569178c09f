"""Drift: where D&B's "before" is not what was known here, explained when somebody looks (design §4.8)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.comparing import Difference, differences
from monitoring.history import Event, Profile
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


def mark_drift(
    page: Page, events: Sequence[Event], profile: Profile, registrations: Mapping[uuid.UUID, Registration] | None = None
) -> None:
    """Explain each line where notices were missed, or D&B changed the value silently.

    What was never known before cannot have drifted.
    """
    known = _known_since(events)
    for day in page.days:
        for line in (*day.lines, *day.small):
            change = line.change
            first = min((moment for path, moment in known.items() if _covers(path, change.element)), default=None)
            if change.pk in profile.drifted and first is not None and first < change.changed_at:
                line.drift = _explain(change, events, profile, registrations or {})


def _explain(
    change: Change, events: Sequence[Event], profile: Profile, registrations: Mapping[uuid.UUID, Registration]
) -> Drift:
    since = max(event.moment for event in events if event.moment < change.changed_at and _tells(event, change.element))
    gaps = [row for row in registrations.values() if _was_away(row, since, change.changed_at)]
    found = differences(profile.drifted[change.pk], from_json(change.previous))
    return Drift(found, since, gaps[0] if gaps else None)


def _was_away(row: Registration, start: datetime, end: datetime) -> bool:
    """Whether something that D&B had to tell in this time is known to be lost."""
    return row.gap_from is not None and row.gap_from <= end and (row.gap_until is None or row.gap_until >= start)


def _tells(event: Event, element: str) -> bool:
    return event.seed is not None or bool(event.path) and _covers(event.path, element)


def _known_since(events: Sequence[Event]) -> dict[str, datetime]:
    """Each path, and when it was first told; the whole document counts from the first SEED."""
    known: dict[str, datetime] = {}
    for event in events:
        path = "" if event.seed is not None else event.path
        if path or event.seed is not None:
            known[path] = min(event.moment, known.get(path, event.moment))
    return known


def _covers(path: str, element: str) -> bool:
    return path == "" or path == element or element.startswith(path + ".")
