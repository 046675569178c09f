"""Notices that a company left or entered a registration's set, where they repeat the one before: they raise nothing.

They are facts of one registration, so no other report replaces them (history/facts.py), and D&B may send one again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from monitoring.models import Change, Kind, Publication
from monitoring.story_order import OLDEST_FIRST, story_key

MEMBERSHIP = frozenset({Kind.LEFT, Kind.ENTERED, Kind.REMOVED})
# A company in a registration.
Member = tuple[str, uuid.UUID]


# A change, and the publication that brings it.
At = tuple[Change, int]


def known_already(brought: Iterable[At]) -> set[tuple[uuid.UUID, int]]:
    """Those that say what their neighbor in time, published before them, says."""
    notices = [(change, sequence) for change, sequence in brought if change.kind in MEMBERSHIP]
    if not notices:
        return set()
    latest = max(sequence for _, sequence in notices)
    earlier = _earlier_notices({change.company_id for change, _ in notices}, latest)
    return {
        (change.pk, sequence) for change, sequence in notices if _is_known(change, sequence, earlier[member_of(change)])
    }


def member_of(change: Change) -> Member:
    return change.company_id, change.registration_id


def _earlier_notices(companies: set[str], sequence: int) -> Mapping[Member, list[tuple[int, Change]]]:
    """Notices about these companies with the publication that brought each, up to this one."""
    rows = list(Change.objects.filter(company__in=companies, kind__in=MEMBERSHIP).order_by(*OLDEST_FIRST))
    published = Publication.objects.filter(delivery__in={row.delivery_id for row in rows}, sequence__lte=sequence)
    numbers = dict(published.values_list("delivery_id", "sequence"))
    found: dict[Member, list[tuple[int, Change]]] = defaultdict(list)
    for row in rows:
        if row.delivery_id in numbers:
            found[member_of(row)].append((numbers[row.delivery_id], row))
    return found


def _is_known(change: Change, sequence: int, notices: Iterable[tuple[int, Change]]) -> bool:
    """Compared with its neighbors in time among those published before it."""
    before = after = None
    for published, other in notices:
        if (published, story_key(other)) >= (sequence, story_key(change)):
            continue
        if story_key(other) < story_key(change):
            before = other
        else:
            after = after or other
    return any(other is not None and other.kind == change.kind for other in (before, after))


def without_repeats(changes: Sequence[Change]) -> list[Change]:
    """Of changes in the order of the story: without those that repeat the one before."""
    last: dict[Member, str] = {}
    kept = []
    for change in changes:
        if change.kind not in MEMBERSHIP or last.get(member_of(change)) != change.kind:
            kept.append(change)
        if change.kind in MEMBERSHIP:
            last[member_of(change)] = change.kind
    return kept
