"""What one delivery says, and what becomes of it while it is read."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from core.blobs import load_bytes
from direct_plus.payloads import parse_stamp
from monitoring import content_ids
from monitoring.ingest.parser import Fact, Reader, Reading, Unreadable, items_of
from monitoring.models import Delivery, Observation, Source
from monitoring.story_order import first_step, place_of, story_place


@dataclass(slots=True)
class Batch:
    """What one delivery says, as rows; and what it touches."""

    delivery: Delivery
    now: datetime
    stamp: datetime | None
    readings: list[Reading] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    raw: dict[int, bytes] = field(default_factory=dict)
    new: int = 0
    # Changes and reports that were inserted.
    inserted: set[uuid.UUID] = field(default_factory=set)
    observed: list[Observation] = field(default_factory=list)
    # Known from other deliveries, and standing elsewhere in the order since this one was read.
    moved: list[Reading] = field(default_factory=list)
    # Of those known from others, what has its place from this one.
    placed: set[uuid.UUID] = field(default_factory=set)
    # Brought first by another source of the same registration: its files, or its answers.
    known_elsewhere: list[Reading] = field(default_factory=list)
    # Companies that nobody knew before, inserted with the columns that follow from their one document.
    described: set[str] = field(default_factory=set)
    # Companies whose columns may have been made of what the database refused.
    refused: set[str] = field(default_factory=set)
    # Companies that are there and with which it is kept who reports them here.
    sourced: set[str] = field(default_factory=set)
    # Whether others may have reported some of the companies, and so what this delivery brings.
    is_shared: bool = False


def read(delivery: Delivery, content: bytes | None = None) -> Batch:
    """The delivery's bytes as readings, in their order."""
    stamp = parse_stamp(delivery.answer_stamp) if delivery.answer_stamp else None
    batch = Batch(delivery, timezone.now(), stamp)
    reader = Reader(
        source=source_of(delivery),
        fallback_stamp=delivery.answer_stamp or None,
        default_type="SEED" if delivery.source in (Source.FILE, Source.FETCH) else None,
    )
    items = items_of(delivery, load_bytes(delivery.pk) if content is None else content)
    batch.raw = dict(enumerate(items))
    for result in reader.read(items):
        if isinstance(result, Reading):
            batch.readings.append(result)
        else:
            batch.unreadable.append(result)
    return batch


def source_of(delivery: Delivery) -> str:
    return content_ids.source_of(delivery.registration.contract_id, delivery.registration.reference)


def place_in_story(batch: Batch, reading: Reading, fact: Fact) -> str:
    """What sorts a change among those of one moment."""
    return place_at(batch, reading, reading.facts.index(fact), fact, place_of(batch.delivery, reading.position))


def place_at(batch: Batch, reading: Reading, order: int, fact: Fact, place: str) -> str:
    # Without any time, the moment of arrival: a change's own time is the same, and a rebuild goes by that.
    delivered_at = reading.delivered_at or fact.moment or batch.stamp or batch.now
    return story_place(batch.delivery.registration_id, delivered_at, place, order, first_step(fact.kind))
