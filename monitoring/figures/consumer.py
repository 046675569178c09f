"""Figures follow what is published: a consumer with an offset of its own."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from core.db import in_batches
from monitoring.figures.advance import News, advance
from monitoring.figures.catalog import PATHS
from monitoring.figures.projection import project
from monitoring.history.state import touching
from monitoring.ingest.batch import read
from monitoring.models import Change, Delivery, Kind, Observation, Publication, Severity
from monitoring.publications.consumers import PublicationConsumer

CONSUMER = PublicationConsumer("figures")
PUBLICATIONS = 50
COLUMNS = (*("pk", "company_id", "kind", "notification_id", "derived_from", "severity", "superseded", "changed_at"),)
DECISIVE = touching(PATHS) | ~Q(kind=Kind.ELEMENT) | Q(severity=Severity.CRITICAL)


def update_figures(until: datetime) -> int:
    """Bring companies up to date with publications not read yet; returns how many publications were read."""
    return CONSUMER.read_on(_take, PUBLICATIONS, until)


def _take(publications: Sequence[Publication]) -> None:
    """Again, it changes nothing."""
    bring_up_to_date(_news([row.delivery_id for row in publications]))


def bring_up_to_date(news: Mapping[str, News]) -> None:
    project(advance(news))


def _news(deliveries: Sequence[uuid.UUID]) -> dict[str, News]:
    news: dict[str, News] = defaultdict(News)
    for batch in in_batches(deliveries):
        for row in _changes(delivery__in=batch):
            _note(news[row.company_id], row)
        observed = Observation.objects.filter(delivery__in=batch)
        for keys in in_batches(sorted(set(observed.values_list("change_id", flat=True)))):
            for row in _changes(pk__in=keys):
                news[row.company_id].is_moved = True
        for delivery in Delivery.objects.filter(pk__in=batch, placed_count__gt=0).select_related("registration"):
            for reading in read(delivery).readings:
                news[reading.item.duns].is_moved = True
    return news


def _changes(**which: object) -> Any:
    return Change.objects.filter(DECISIVE, **which).order_by().values_list(*COLUMNS, named=True)


def _note(news: News, change: Any) -> None:
    """A difference between documents is no event: the documents are."""
    if change.kind == Kind.BASELINE:
        news.seeds.add(change.notification_id)
    elif not change.derived_from:
        news.changes.add(change.pk)
    if change.severity == Severity.CRITICAL and not change.superseded:
        news.critical_at = max(change.changed_at, news.critical_at or change.changed_at)
