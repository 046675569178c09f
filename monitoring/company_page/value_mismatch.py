"""Mismatches: where D&B's "before" differs from what was known here, explained when the page is opened."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime

from monitoring.company_page.timeline import Mismatch, Page
from monitoring.company_page.value_diff import differences
from monitoring.elements.formatting import from_json
from monitoring.history.state import CompanyState, KnownValue
from monitoring.models import Change
from portfolio.models import Registration


def find_mismatches(
    page: Page, profile: CompanyState, registrations: Mapping[uuid.UUID, Registration] | None = None
) -> None:
    """Explain each line where a notification is missing, or D&B changed the value silently."""
    for day in page.days:
        for line in (*day.lines, *day.small):
            if known := profile.mismatches.get(line.change.pk):
                line.mismatch = _explain(line.change, known, registrations or {})


def _explain(change: Change, known: KnownValue, registrations: Mapping[uuid.UUID, Registration]) -> Mismatch:
    gaps = [row for row in registrations.values() if _was_away(row, known.since, change.changed_at)]
    found = differences(known.value, from_json(change.previous), path=change.element)
    return Mismatch(found, known.since, gaps[0] if gaps else None)


def _was_away(row: Registration, start: datetime, end: datetime) -> bool:
    """Whether a notification of this time is known to be lost."""
    return row.gap_from is not None and row.gap_from <= end and (row.gap_until is None or row.gap_until >= start)
