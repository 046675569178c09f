"""The order in which the world may see things: a delivery gets the next number when it is completely read."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from monitoring.claims import unclaimed
from monitoring.models import Change, Delivery, DeliveryState, Entry, Observation, Publication, Severity


def publish(delivery: Delivery) -> Publication:
    """Give the delivery the next number, once. Consumers that know number n never see n−1 appear later: n + 1 is taken
    only by somebody who saw n, and the key refuses the second of two who took the same."""
    while True:
        publication = Publication.objects.filter(delivery=delivery).first() or _take_next_sequence(delivery)
        if publication:
            _mark_published(delivery, publication)
            return publication


def _take_next_sequence(delivery: Delivery) -> Publication | None:
    last = Publication.objects.aggregate(last=Max("sequence"))["last"] or 0
    publication = Publication(
        sequence=last + 1,
        delivery=delivery,
        registration=delivery.registration_id,
        **counts_of(delivery.pk),
        published_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            publication.save(force_insert=True)
            _mark_published(delivery, publication)
    except IntegrityError:
        return None
    return publication


def counts_of(delivery: uuid.UUID) -> dict[str, int]:
    """How many changes a delivery brought, how many of those that people should see, by severity, and how many entries
    of the feed it has with the observations of changes that others brought."""
    severities = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM}
    is_change = Q(entry=Entry.CHANGE)
    found = Change.objects.filter(delivery=delivery).aggregate(
        entry_count=Count("id"),
        change_count=Count("id", filter=is_change),
        **{name: Count("id", filter=is_change & Q(severity=severity)) for name, severity in severities.items()},
    )
    observed = Observation.objects.filter(delivery=delivery).count()
    return {name: count or 0 for name, count in found.items()} | {"entry_count": (found["entry_count"] or 0) + observed}


def _mark_published(delivery: Delivery, publication: Publication) -> None:
    Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.INGESTED).update(
        state=DeliveryState.PUBLISHED, published_at=publication.published_at, claimed_until=None
    )


def publish_waiting() -> int:
    """Publish what was read and not published, as a process that died in between leaves it; what somebody still puts
    entries into is left alone."""
    waiting = Delivery.objects.filter(unclaimed(), state=DeliveryState.INGESTED).order_by("id")
    for delivery in waiting:
        publish(delivery)
    return len(waiting)


def newest_publication() -> int:
    return Publication.objects.order_by("-sequence").values_list("sequence", flat=True).first() or 0
