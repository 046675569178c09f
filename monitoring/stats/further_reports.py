"""Reports of a day's changes by registrations that were not the first to report them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from core.admin.filters import key_at
from core.db import in_batches
from monitoring.models import Change, Observation, Verb

# Ids begin with the time; these are of changes whose time D&B did not tell.
OF_NO_TIME = (uuid.UUID(int=0), uuid.UUID(int=(1 << 80) - 1))
Pair = tuple[uuid.UUID, uuid.UUID]


def further_reports(start: datetime, end: datetime) -> Counter[tuple[Any, ...]]:
    """How many changes of this day each registration reported after another: by registration, audience, kind, element,
    severity and company. Both tables are read by ranges of keys that begin with the time of the change."""
    pairs = set(_pairs((key_at(start), key_at(start + timedelta(days=1))))) | set(_pairs(OF_NO_TIME))
    counts: Counter[tuple[Any, ...]] = Counter()
    others: dict[uuid.UUID, set[uuid.UUID]] = {}
    for change, registration in pairs:
        others.setdefault(change, set()).add(registration)
    for batch in in_batches(sorted(others)):
        rows = Change.objects.filter(pk__in=batch, superseded=False, changed_at__range=(start, end))
        columns = ("id", "registration_id", "audience", "kind", "element", "severity", "company_id")
        for key, first, *what in rows.values_list(*columns):
            counts.update((registration, *what) for registration in others[key] - {first})
    return counts


def _pairs(keys: tuple[uuid.UUID, uuid.UUID]) -> Iterator[Pair]:
    """Changes with registrations that reported them: again, or as a change of their own that was replaced."""
    observed = Observation.objects.filter(pk__range=keys, verb=Verb.OBSERVED, is_first=True)
    yield from observed.values_list("change_id", "registration_id")
    replaced = Change.objects.filter(replaced_by__range=keys).values_list("replaced_by", "registration_id")
    yield from ((change, registration) for change, registration in replaced if change)


def reported_by(changes: Collection[uuid.UUID], registrations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the changes that one of these registrations reported after another."""
    found: set[uuid.UUID] = set()
    chosen = list(registrations)
    for batch in in_batches(sorted(changes)):
        observed = Observation.objects.filter(change__in=batch, verb=Verb.OBSERVED, registration__in=chosen)
        found.update(observed.values_list("change_id", flat=True))
        replaced = Change.objects.filter(replaced_by__in=batch, registration__in=chosen)
        found.update(key for key in replaced.values_list("replaced_by", flat=True) if key)
    return found


def moments_of(deliveries: Collection[uuid.UUID]) -> set[datetime]:
    """When changes happened that these deliveries say something of, and that others brought."""
    about = set(Observation.objects.filter(delivery__in=deliveries).values_list("change_id", flat=True))
    replaced = Change.objects.filter(delivery__in=deliveries, replaced_by__isnull=False)
    about |= {key for key in replaced.values_list("replaced_by", flat=True) if key}
    moments: set[datetime] = set()
    for batch in in_batches(sorted(about)):
        rows = Change.objects.filter(pk__in=batch).values_list("changed_at", "replaced_by")
        targets = []
        for moment, target in rows:
            moments.add(moment)
            targets += [target] if target else []
        moments |= set(Change.objects.filter(pk__in=targets).values_list("changed_at", flat=True)) if targets else set()
    return moments
