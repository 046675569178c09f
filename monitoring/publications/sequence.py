"""The order in which the world may see things: a delivery gets the next number when it is completely read."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from core.bulk import counted_values, greatest, insert_rows, select_rows, update_values
from monitoring.claims import unclaimed
from monitoring.models import Change, Delivery, DeliveryState, Entry, Observation, Publication, Severity

SHOWN = {Severity.CRITICAL: "critical", Severity.HIGH: "high", Severity.MEDIUM: "medium"}


def publish(delivery: Delivery, *later: Delivery) -> Publication:
    """Give the deliveries the next numbers, once each and in their order; returns the first one's. Consumers that know
    number n never see n−1 appear later: n + 1 is taken only by somebody who saw n, and the key refuses the second of
    two who took the same. Of those that were only received when this process began to read them, nobody has published
    any: it is asked where one is refused."""
    deliveries = (delivery, *later)
    are_new = all(one.state == DeliveryState.RECEIVED for one in deliveries)
    if are_new and (taken := _take_next_sequences(deliveries)):
        return taken[delivery.pk]
    while True:
        known = {row.delivery_id: row for row in _of(deliveries)}
        _mark_published(known.values())
        unknown = [one for one in deliveries if one.pk not in known]
        known |= _take_next_sequences(unknown) if unknown else {}
        if len(known) == len(deliveries):
            return known[delivery.pk]


def _of(deliveries: Sequence[Delivery]) -> list[Publication]:
    return select_rows(Publication, delivery__in=[delivery.pk for delivery in deliveries])


def _take_next_sequences(deliveries: Sequence[Delivery]) -> dict[uuid.UUID, Publication]:
    """Nothing where somebody else was faster."""
    last = greatest(Publication, "sequence") or 0
    counts, now = counts_of_all([delivery.pk for delivery in deliveries]), timezone.now()
    publications = [
        Publication(
            sequence=sequence,
            delivery_id=delivery.pk,
            registration=delivery.registration_id,
            **counts[delivery.pk],
            published_at=now,
        )
        for sequence, delivery in enumerate(deliveries, last + 1)
    ]
    try:
        with transaction.atomic():
            insert_rows(Publication, publications)
            _mark_published(publications)
    except IntegrityError:
        return {}
    return {row.delivery_id: row for row in publications}


def counts_of(delivery: uuid.UUID) -> dict[str, int]:
    """How many changes a delivery brought, how many of those that people should see, by severity, and how many entries
    of the feed it has with the observations of changes that others brought."""
    return counts_of_all([delivery])[delivery]


def counts_of_all(deliveries: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, int]]:
    counts = {key: dict.fromkeys(("entry_count", "change_count", *SHOWN.values()), 0) for key in deliveries}
    found = counted_values(Change, ("delivery_id", "entry", "severity"), delivery__in=list(deliveries))
    for (key, entry, severity), count in found.items():
        counts[key]["entry_count"] += count
        if entry == Entry.CHANGE:
            counts[key]["change_count"] += count
            if severity in SHOWN:
                counts[key][SHOWN[severity]] += count
    for (key,), count in counted_values(Observation, ("delivery_id",), delivery__in=list(deliveries)).items():
        counts[key]["entry_count"] += count
    return counts


def _mark_published(publications: Iterable[Publication]) -> None:
    at: dict[datetime, list[uuid.UUID]] = defaultdict(list)
    for publication in publications:
        at[publication.published_at].append(publication.delivery_id)
    for moment, keys in at.items():
        values = {"state": DeliveryState.PUBLISHED, "published_at": moment, "claimed_until": None}
        update_values(Delivery, values, pk__in=keys, state=DeliveryState.INGESTED)


def publish_waiting() -> list[Delivery]:
    """Publish what was read and not published, as a process that died in between leaves it; what somebody still puts
    entries into is left alone."""
    waiting = list(Delivery.objects.filter(unclaimed(), state=DeliveryState.INGESTED).order_by("id"))
    for delivery in waiting:
        publish(delivery)
    return waiting


def newest_publication() -> int:
    return Publication.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
