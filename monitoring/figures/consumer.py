"""Figures follow what is published: a consumer with an offset of its own."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.bulk import select_values
from core.db import in_batches
from monitoring.figures.advance import News, advance
from monitoring.figures.projection import project
from monitoring.figures.reading import figures_told
from monitoring.ingest.batch import read
from monitoring.models import Change, Delivery, Kind, Observation, Publication, Severity
from monitoring.publications.consumers import PublicationConsumer

CONSUMER = PublicationConsumer("figures")
PUBLICATIONS = 50
ELEMENT, BASELINE, CRITICAL = Kind.ELEMENT.value, Kind.BASELINE.value, Severity.CRITICAL.value


# What figures ask of a change.
COLUMNS = (
    *("company_id", "kind", "severity", "element"),
    *("id", "notification_id", "derived_from", "superseded", "changed_at"),
)


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
        for company, *told in _decisive(delivery__in=batch):
            _note(news[company], *told)
        observed = Observation.objects.filter(delivery__in=batch)
        for keys in in_batches(sorted(set(observed.values_list("change_id", flat=True)))):
            for company, *_ in _decisive(pk__in=keys):
                news[company].is_moved = True
        for delivery in Delivery.objects.filter(pk__in=batch, placed_count__gt=0).select_related("registration"):
            for reading in read(delivery).readings:
                news[reading.item.duns].is_moved = True
    return news


def _decisive(**which: object) -> Iterator[tuple[Any, ...]]:
    """The changes that may alter a figure."""
    for row in select_values(Change, COLUMNS, **which):
        if row[1] != ELEMENT or row[2] == CRITICAL or figures_told(row[3]):
            yield row


def _note(
    news: News,
    kind: str,
    severity: int,
    element: str,
    change: uuid.UUID,
    notification: uuid.UUID,
    derived_from: str,
    superseded: bool,
    changed_at: datetime,
) -> None:
    """A difference between documents is no event: the documents are."""
    if kind == BASELINE:
        news.seeds.add(notification)
    elif not derived_from:
        news.changes.add(change)
    if severity == CRITICAL and not superseded:
        news.critical_at = max(changed_at, news.critical_at or changed_at)
