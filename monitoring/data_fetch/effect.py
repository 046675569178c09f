"""What accepting a fetched document changes: the company as it is known, before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from core.blobs import load_bytes
from direct_plus.exact_json import parse_json
from monitoring.history.seed_diff import document_differences
from monitoring.history.state import Event, apply_events, events_of
from monitoring.ingest.batch import read
from monitoring.ingest.parser import Reading
from monitoring.models import Delivery, Kind
from monitoring.story_order import place_of, story_place


@dataclass
class Effect:
    """Two documents, as of the time at which D&B sent the fetched one."""

    before: dict[str, Any]
    after: dict[str, Any]
    has_baseline: bool

    @cached_property
    def differences(self) -> Sequence[tuple[str, Any, Any]]:
        return document_differences(self.before, self.after)


def effect_of(delivery: Delivery, content: bytes | None = None) -> Effect | None:
    """Whether or not the document was accepted since. None where it is not stored any more."""
    readings = read(delivery, load_bytes(delivery.pk) if content is None else content).readings
    if not readings:
        return None
    event = _event(delivery, readings[0])
    # What happened later stands above the document, and stays.
    events = events_of([readings[0].item.duns], until=event.moment)[readings[0].item.duns]
    others = [one for one in events if one.id != event.id]
    before = apply_events(others)
    return Effect(before.document, apply_events([*others, event]).document, bool(before.carried))


def _event(delivery: Delivery, reading: Reading) -> Event:
    """As history has it once it is accepted."""
    moment = reading.delivered_at or delivery.received_at
    assert moment is not None, "it was received"
    place = story_place(delivery.registration_id, moment, place_of(delivery, reading.position))
    document = parse_json(reading.organization) if reading.organization else {}
    return Event(
        reading.id, moment, (moment, 0, place, reading.id.int), Kind.BASELINE, delivery.registration_id, document
    )
