"""Which registrations reported something that an alert contains: what business units see of alerts depends on it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from core.db import in_batches
from monitoring.audiences import Registrations, intern, members_of
from monitoring.models import Alert, AlertItem, Audience, Change


def alerts_with(changes: Mapping[uuid.UUID, str]) -> set[uuid.UUID]:
    """Alerts that contain these changes, given with their companies."""
    found: set[uuid.UUID] = set()
    for keys in in_batches(sorted(changes)):
        items = AlertItem.objects.filter(company__in={changes[key] for key in keys}, change__in=keys)
        found.update(items.values_list("alert_id", flat=True))
    return found


def stamp_alerts(alerts: Iterable[uuid.UUID]) -> None:
    """Who writes looks again, until nothing differs."""
    waiting = sorted(set(alerts))
    while waiting:
        waiting = [key for keys in in_batches(waiting) for key in _stamp(keys)]


def _stamp(keys: Sequence[uuid.UUID]) -> Iterator[uuid.UUID]:
    rows = list(Alert.objects.filter(pk__in=keys).values_list("pk", "registration_id", "audience"))
    reporters = _reporters(keys)
    different = []
    for key, own, stamped in rows:
        found = reporters[key] | ({own} if own else set())
        audience = Audience.key(found) if found - {own} else None
        if audience != stamped:
            different.append((key, stamped, audience, found))
    intern(frozenset(found) for _, _, audience, found in different if audience)
    for key, stamped, audience, _ in different:
        Alert.objects.filter(pk=key, audience=stamped).update(audience=audience)
        yield key


def _reporters(alerts: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, set[uuid.UUID]]:
    items = list(AlertItem.objects.filter(alert__in=alerts).values_list("alert_id", "change"))
    by_change = registrations_of(change for _, change in items)
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for alert, change in items:
        found[alert] |= by_change.get(change, frozenset())
    return found


def registrations_of(changes: Iterable[uuid.UUID]) -> dict[uuid.UUID, Registrations]:
    """All that reported each change."""
    rows: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID | None]] = []
    for keys in in_batches(sorted(set(changes))):
        rows += Change.objects.filter(pk__in=keys).values_list("pk", "registration_id", "audience")
    members = members_of(audience for _, _, audience in rows)
    return {key: members[audience] if audience else frozenset([own]) for key, own, audience in rows}
