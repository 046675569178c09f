"""Figures follow what is published: a consumer with an offset of its own."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

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


class Read(NamedTuple):
    """What figures ask of a change."""

    id: uuid.UUID
    company: str
    kind: str
    element: str
    notification: uuid.UUID
    derived_from: str
    severity: int
    superseded: bool
    changed_at: datetime


COLUMNS = (
    "id",
    "company_id",
    "kind",
    "element",
    "notification_id",
    "derived_from",
    "severity",
    "superseded",
    "changed_at",
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
        for row in _decisive(delivery__in=batch):
            _note(news[row.company], row)
        observed = Observation.objects.filter(delivery__in=batch)
        for keys in in_batches(sorted(set(observed.values_list("change_id", flat=True)))):
            for row in _decisive(pk__in=keys):
                news[row.company].is_moved = True
        for delivery in Delivery.objects.filter(pk__in=batch, placed_count__gt=0).select_related("registration"):
            for reading in read(delivery).readings:
                news[reading.item.duns].is_moved = True
    return news


def _decisive(**which: object) -> Iterator[Read]:
    """The changes that may alter a figure."""
    for row in map(Read._make, select_values(Change, COLUMNS, **which)):
        if row.kind != Kind.ELEMENT or row.severity == Severity.CRITICAL or figures_told(row.element):
            yield row


def _note(news: News, change: Read) -> None:
    """A difference between documents is no event: the documents are."""
    if change.kind == Kind.BASELINE:
        news.seeds.add(change.notification)
    elif not change.derived_from:
        news.changes.add(change.id)
    if change.severity == Severity.CRITICAL and not change.superseded:
        news.critical_at = max(change.changed_at, news.critical_at or change.changed_at)
