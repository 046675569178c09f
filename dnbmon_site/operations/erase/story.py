"""The story without a registration: what others reported too is theirs now, and what it had replaced holds again."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence

from core.db import in_batches
from monitoring.history.orphans import Orphans, find_orphans
from monitoring.history.settle import Touched, settle
from monitoring.models import AlertItem, Change, Delivery, Notification, Observation
from monitoring.observations import hand_over, keep_places
from monitoring.pipeline.ingest import Apart
from monitoring.rebuild.removal import count_deliveries
from portfolio.models import Registration


def hand_over_facts(row: Registration, deliveries: Sequence[uuid.UUID]) -> Orphans:
    """A change is a fact about a company: where another registration reported it too, it is that one's now. By what is
    recorded, so D&B's answers may be gone. Returns what has to be settled when the registration's rows are gone."""
    left = Orphans()
    changes = list(Change.objects.filter(registration=row).values_list("pk", flat=True))
    moved = hand_over(changes, leaving=row.pk)
    own = Observation.objects.filter(registration=row)
    reported = {*moved, *own.values_list("change_id", flat=True)}
    own.delete()
    for batch in in_batches(deliveries):
        # What became of others' changes by its answers.
        Observation.objects.filter(delivery__in=batch).delete()
    touched = {key for between in moved.values() for key in between} | _take_from(row, deliveries)
    keep_places(reported)
    for keys in in_batches(sorted(reported)):
        for change in Change.objects.filter(pk__in=keys).exclude(registration=row).defer("previous", "current"):
            left.add(change)
    count_deliveries(touched - set(deliveries))
    return left


def _take_from(row: Registration, deliveries: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Changes of others that its answers made hold go back to the deliveries that brought them."""
    touched: set[uuid.UUID] = set()
    for batch in in_batches(deliveries):
        for change in Change.objects.filter(delivery__in=batch).exclude(registration=row).only("notification_id"):
            brought = Notification.objects.filter(pk=change.notification_id).values_list("delivery_id", flat=True)
            touched.update(brought)
            Change.objects.filter(pk=change.pk).update(delivery=brought.get())
    return touched


def settle_what_is_left(left: Orphans) -> None:
    """What the registration's changes had replaced holds again. It is new to nobody: it counts as published where it
    stands, and alerts' facts move to it."""
    orphans = find_orphans()
    orphans.touched.join(left.touched)
    orphans.registrations |= left.registrations
    for registration, companies in _by_registration(orphans).items():
        newest = Delivery.objects.filter(registration=registration).order_by("-pk").first()
        if newest:
            apart = Apart(newest)
            settle(_only(orphans.touched, companies), None, apart.delivery, in_place=True)
            apart.publish()
    for gone, heir in orphans.heirs().items():
        AlertItem.objects.filter(change=gone).update(change=heir)
    count_deliveries(orphans.deliveries | left.deliveries)


def _by_registration(orphans: Orphans) -> dict[uuid.UUID, set[str]]:
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    for company, registration in orphans.registrations.items():
        found[registration].add(company)
    return found


def _only(touched: Touched, companies: Iterable[str]) -> Touched:
    chosen = set(companies)
    since = {duns: moment for duns, moment in touched.since.items() if duns in chosen}
    return Touched(since, touched.lifecycle & chosen)
