"""Figures follow what is published: a consumer with an offset of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Q

from core.db import in_batches
from monitoring.figures.catalog import PATHS
from monitoring.figures.projection import project
from monitoring.history.state import touching
from monitoring.ingest.batch import read
from monitoring.models import Change, Delivery, Kind, Observation, Publication, Severity
from monitoring.publications.consumers import PublicationConsumer

CONSUMER = PublicationConsumer("figures")
PUBLICATIONS = 50
DECISIVE = touching(PATHS) | ~Q(kind=Kind.ELEMENT) | Q(severity=Severity.CRITICAL)


def update_figures(until: datetime) -> int:
    """Bring companies up to date with publications not read yet; returns how many publications were read."""
    return CONSUMER.read_on(_take, PUBLICATIONS, until)


def _take(publications: Sequence[Publication]) -> None:
    """Again, it changes nothing."""
    project(_touched([row.delivery_id for row in publications]))


def _touched(deliveries: Sequence[uuid.UUID]) -> Iterator[str]:
    for batch in in_batches(deliveries):
        yield from _companies(delivery__in=batch)
        observed = Observation.objects.filter(delivery__in=batch)
        for keys in in_batches(sorted(set(observed.values_list("change_id", flat=True)))):
            yield from _companies(pk__in=keys)
        for delivery in Delivery.objects.filter(pk__in=batch, placed_count__gt=0).select_related("registration"):
            yield from (reading.item.duns for reading in read(delivery).readings)


def _companies(**which: object) -> Iterator[str]:
    rows = Change.objects.filter(DECISIVE, **which).order_by()
    yield from rows.values_list("company_id", flat=True).distinct()
