"""What deliveries touch: the companies, moments and events that follow from what their items say."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import chain

from core.bulk import find_rows
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.history.company_projection import NewEvents
from monitoring.history.settle import Touched
from monitoring.history.summary import touches_summary
from monitoring.ingest.batch import Batch
from monitoring.ingest.parser import Fact, Reading
from monitoring.models import Change, Kind, Severity
from monitoring.story_order import with_step


def moments(batch: Batch) -> Iterator[tuple[str, datetime]]:
    """When the delivery says that something was different."""
    for reading in _all(batch):
        for fact in reading.facts:
            moment = fact.moment or reading.delivered_at or batch.stamp
            if fact.kind in (Kind.ELEMENT, Kind.BASELINE) and moment:
                yield reading.item.duns, moment


def said_at(batches: Sequence[Batch]) -> dict[tuple[str, datetime], dict[uuid.UUID, str]]:
    """The elements' changes that the deliveries brought, by company and moment: key and path of each. They are stored,
    by these deliveries or before."""
    said: dict[tuple[str, datetime], dict[uuid.UUID, str]] = defaultdict(dict)
    for batch in batches:
        for reading in batch.readings:
            for fact in reading.facts:
                if fact.kind == Kind.ELEMENT and fact.moment:
                    said[reading.item.duns, fact.moment][fact.id] = element_key(fact.path)
    return said


def touched_by(batches: Sequence[Batch]) -> Touched:
    """What the deliveries' items say happened, whether it was written now or before an interruption."""
    touched = Touched()
    for batch in batches:
        for reading in _all(batch):
            for fact in reading.facts:
                # A baseline stands between two documents that were neighbors.
                kind = Kind.ELEMENT if fact.kind == Kind.BASELINE else fact.kind
                moment = fact.moment or reading.delivered_at or batch.stamp or batch.now
                touched.add(reading.item.duns, kind, moment, is_update=fact.kind == Kind.ELEMENT)
    return touched


def at_any_time(batches: Sequence[Batch]) -> set[str]:
    """Companies of which something stands elsewhere now, or has no time of its own."""
    found: set[str] = set()
    for batch in batches:
        found |= {reading.item.duns for reading in chain(batch.moved, batch.known_elsewhere)}
        found |= {reading.item.duns for reading in batch.readings if reading.delivered_at is None}
    return found


def _all(batch: Batch) -> Iterator[Reading]:
    """Without those of companies whose only change they are: they stand beside nothing."""
    for reading in chain(batch.readings, batch.moved, batch.known_elsewhere):
        if reading.item.duns not in batch.described:
            yield reading


def newest_changes(batches: Sequence[Batch], severities: SeverityTable) -> dict[str, datetime]:
    """When the last change of each company happened that is not noise."""
    newest: dict[str, datetime] = {}
    for batch in batches:
        for reading in batch.readings:
            duns = reading.item.duns
            for fact in reading.facts if duns not in batch.described else ():
                if not fact.path or severities.of_element(fact.path, fact.value) > Severity.NOISE:
                    moment = fact.moment or reading.delivered_at or batch.stamp or batch.now
                    newest[duns] = max(moment, newest.get(duns, moment))
    return newest


def shown_companies(batches: Sequence[Batch]) -> set[str]:
    """Those of which something may change what company lists show."""
    return {reading.item.duns for reading, _ in _shown(batches, frozenset())}


def new_events(batches: Sequence[Batch], reported: AbstractSet[uuid.UUID]) -> dict[str, NewEvents]:
    """What company lists are made of."""
    new: dict[str, NewEvents] = {}
    for reading, fact in _shown(batches, reported):
        events = new.setdefault(reading.item.duns, NewEvents())
        if fact.kind == Kind.BASELINE:
            events.seeds.add(reading.id)
        else:
            events.changes.add(fact.id)
    return new


def reported_again(batches: Sequence[Batch]) -> set[uuid.UUID]:
    """Changes that another source brought, and that stand where they stood: it is for their own delivery to apply
    them, now or when its reading is done again."""
    places = {row.change_id: row.place for batch in batches for row in batch.observed}
    rows = find_rows(Change, ("id", "delivery", "place"), list(places)) if places else ()
    own = {batch.delivery.pk for batch in batches}
    return {
        key for key, delivery, place in rows if delivery not in own and with_step(place, 0) < with_step(places[key], 0)
    }


def known_before(batches: Sequence[Batch], reported: AbstractSet[uuid.UUID]) -> set[str]:
    """Companies of which something was there already: applied, or left by a reading that was interrupted."""
    inserted: set[uuid.UUID] = set().union(*(batch.inserted for batch in batches))
    return {reading.item.duns for reading, fact in _shown(batches, reported) if fact.id not in inserted}


def placed_elsewhere(batches: Sequence[Batch]) -> set[str]:
    """Companies whose changes may stand elsewhere in the order, now that another answer or source has reported them.
    And those whose columns may have been made of what the database refused."""
    moved = {reading.item.duns for batch in batches for reading in batch.moved}
    refused = set().union(*(batch.refused for batch in batches))
    return (
        moved
        | refused
        | {
            reading.item.duns
            for batch in batches
            for reading in batch.known_elsewhere
            for fact in reading.facts
            if fact.kind != Kind.BASELINE and touches_summary(fact.kind, fact.path)
        }
    )


def _shown(batches: Sequence[Batch], reported: AbstractSet[uuid.UUID]) -> Iterator[tuple[Reading, Fact]]:
    for batch in batches:
        for reading in batch.readings:
            for fact in reading.facts if reading.item.duns not in batch.described else ():
                if touches_summary(fact.kind, fact.path) and fact.id not in reported:
                    yield reading, fact
