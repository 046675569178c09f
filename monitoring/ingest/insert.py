"""What a delivery says → rows: notifications, changes, what is unreadable. What is known changes nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from django.db import DatabaseError, models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import load_bytes, store_bytes
from core.db import clean_text, existing_keys, in_batches, insert_new
from direct_plus.payloads import parse_stamp
from monitoring import content_ids
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.ingest.parser import Fact, Reader, Reading, Unreadable, items_of
from monitoring.models import (
    Change,
    DeadLetter,
    Delivery,
    Notification,
    Observation,
    Purpose,
    Severity,
    Source,
)
from monitoring.observations import Report, place_again, record_reports
from monitoring.replay.passes import begin_pass
from monitoring.story_order import first_step, place_of, story_place
from portfolio.models import Company

Row = TypeVar("Row", bound=models.Model)
FULL_PRODUCT = "FULL_PRODUCT"


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
    inserted: list[Change] = field(default_factory=list)
    observed: list[Observation] = field(default_factory=list)
    # Known from other deliveries, and standing elsewhere in the order since this one was read.
    moved: list[Reading] = field(default_factory=list)
    # Of those known from others, what has its place from this one.
    placed: set[uuid.UUID] = field(default_factory=set)
    # Brought first by another source of the same registration: its files, or its answers.
    known_elsewhere: list[Reading] = field(default_factory=list)


def insert_what_is_new(batch: Batch, severities: SeverityTable) -> None:
    _insert_notifications(batch)
    severities.learn(fact.path for fact in _facts(batch) if fact.path)
    batch.inserted += _insert(batch, Change, _changes(batch, severities), lambda change: change.notification_id)
    batch.observed += record_reports(batch.delivery, _reports(batch))
    _keep_unreadable(batch)


def _reports(batch: Batch) -> Iterator[Report]:
    """What this delivery brings and is known as a change already: by another source, or by the same in another way."""
    inserted = {change.pk for change in batch.inserted}
    for reading in [*batch.readings, *batch.known_elsewhere]:
        for fact in reading.facts:
            if fact.id not in inserted:
                yield _report(batch, reading, fact)


def _report(batch: Batch, reading: Reading, fact: Fact) -> Report:
    observed_at = reading.delivered_at or batch.stamp or batch.now
    return Report(fact.id, reading.id, place_in_story(batch, reading, fact), observed_at)


def read(delivery: Delivery) -> Batch:
    """The delivery's bytes as readings, in their order."""
    stamp = parse_stamp(delivery.answer_stamp) if delivery.answer_stamp else None
    batch = Batch(delivery, timezone.now(), stamp)
    reader = Reader(
        source=source_of(delivery),
        fallback_stamp=delivery.answer_stamp or None,
        default_type="SEED" if delivery.source == Source.FILE else None,
    )
    items = items_of(delivery, load_bytes(delivery.pk))
    batch.raw = dict(enumerate(items))
    for result in reader.read(items):
        if isinstance(result, Reading):
            batch.readings.append(result)
        else:
            batch.unreadable.append(result)
    return batch


def source_of(delivery: Delivery) -> str:
    return content_ids.source_of(delivery.registration.contract_id, delivery.registration.reference)


def _facts(batch: Batch) -> Iterator[Fact]:
    for reading in batch.readings:
        yield from reading.facts


def _insert_notifications(batch: Batch) -> None:
    """Insert those nobody has brought; go on with what this delivery brought, now or before it was interrupted.

    What another delivery brought is that one's to finish, and it stays unread until it is.
    """
    owners = _owners([reading.id for reading in batch.readings])
    fresh = [reading for reading in batch.readings if reading.id not in owners]
    _keep_least_places(batch, owners)
    insert_new(Company, [Company(duns=duns) for duns in sorted({reading.item.duns for reading in fresh})])
    inserted = _insert(batch, Notification, [_notification(batch, reading) for reading in fresh], attrgetter("pk"))
    if len(inserted) < len(fresh):
        # Somebody else inserts as well, or the database took a row and could not say so: the row tells whose it is.
        owners = _owners([reading.id for reading in batch.readings])
        _keep_least_places(batch, owners)
    batch.new = len(inserted)
    batch.known_elsewhere = _known_elsewhere(batch, owners)
    own = {key for key, (owner, _) in owners.items() if owner == batch.delivery.pk} | {row.pk for row in inserted}
    batch.readings = [reading for reading in batch.readings if reading.id in own]


def _known_elsewhere(batch: Batch, owners: dict[uuid.UUID, tuple[uuid.UUID, str]]) -> list[Reading]:
    """A replay repeats what its registration's answers said; a file says it on its own account."""
    others = {owner for owner, _ in owners.values()} - {batch.delivery.pk}
    if not others:
        return []
    files = set(Delivery.objects.filter(pk__in=others, source=Source.FILE).values_list("pk", flat=True))
    different = others - files if batch.delivery.source == Source.FILE else files
    return [reading for reading in batch.readings if reading.id in owners and owners[reading.id][0] in different]


def _owners(notifications: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[uuid.UUID, str]]:
    """Which delivery brought each of the notifications that are there, and where it stands."""
    found: dict[uuid.UUID, tuple[uuid.UUID, str]] = {}
    for keys in in_batches(notifications):
        rows = Notification.objects.filter(pk__in=keys).values_list("pk", "delivery_id", "place")
        found.update({key: (owner, place) for key, owner, place in rows})
    return found


def _keep_least_places(batch: Batch, owners: dict[uuid.UUID, tuple[uuid.UUID, str]]) -> None:
    """A known notification stands where the first of all answers that show it has it."""
    first = {reading.id: reading for reading in reversed(batch.readings) if reading.id in owners}
    for key, reading in first.items():
        owner, known = owners[key]
        is_moved = _moves(batch, reading, known)
        if is_moved:
            batch.moved.append(reading)
        if owner != batch.delivery.pk and (is_moved or known == place_of(batch.delivery, reading.position)):
            batch.placed.add(key)


def _moves(batch: Batch, reading: Reading, known: str) -> bool:
    """One row by compare-and-swap: harmless when repeated, and whoever writes first, the least stays."""
    place = place_of(batch.delivery, reading.position)
    if known and known <= place:
        return False
    further = Q(place="") | Q(place__gt=place)
    # What represents it says when it was delivered: a file has another stamp.
    if not Notification.objects.filter(further, pk=reading.id).update(place=place, delivered_at=reading.delivered_at):
        return False
    place_again([_report(batch, reading, fact) for fact in reading.facts])
    return True


def _notification(batch: Batch, reading: Reading) -> Notification:
    return Notification(
        id=reading.id,
        registration_id=batch.delivery.registration_id,
        company_id=reading.item.duns,
        type=clean_text(reading.item.type, 64),
        delivered_at=reading.delivered_at,
        recorded_at=batch.now,
        delivery_id=batch.delivery.pk,
        position=reading.position,
        place=place_of(batch.delivery, reading.position),
        retained_duns=clean_text(reading.item.retained_duns or "", 32),
        organization=reading.organization,
    )


def _changes(batch: Batch, severities: SeverityTable) -> list[Change]:
    return [
        _change(batch, reading, order, fact, severities)
        for reading in batch.readings
        for order, fact in enumerate(reading.facts)
    ]


def _change(batch: Batch, reading: Reading, order: int, fact: Fact, severities: SeverityTable) -> Change:
    severity: Severity = severities.of_element(fact.path, fact.value) if fact.path else severities.of_kind(fact.kind)
    return Change(
        id=fact.id,
        company_id=reading.item.duns,
        kind=fact.kind,
        element=element_key(fact.path),
        previous=fact.previous,
        current=fact.current,
        changed_at=fact.moment or reading.delivered_at or batch.stamp or batch.now,
        delivered_at=reading.delivered_at,
        position=reading.position * 1000 + min(order, 999),
        place=place_in_story(batch, reading, fact),
        recorded_at=batch.now,
        severity=severity,
        notification_id=reading.id,
        registration_id=batch.delivery.registration_id,
        delivery_id=batch.delivery.pk,
    )


def place_in_story(batch: Batch, reading: Reading, fact: Fact) -> str:
    """What sorts a change among those of one moment."""
    delivered_at = reading.delivered_at or fact.moment or batch.stamp
    place = place_of(batch.delivery, reading.position)
    index, step = reading.facts.index(fact), first_step(fact.kind)
    return story_place(batch.delivery.registration_id, delivered_at, place, index, step)


def _insert(batch: Batch, model: type[Row], rows: Sequence[Row], notification: Callable[[Row], uuid.UUID]) -> list[Row]:
    """Insert what is new; where the database refuses, find the row it refuses and keep its item as unreadable."""
    try:
        return insert_new(model, rows)
    except DatabaseError:
        return [row for row in rows if _insert_alone(batch, model, row, notification)]


def _insert_alone(batch: Batch, model: type[Row], row: Row, notification: Callable[[Row], uuid.UUID]) -> bool:
    try:
        return bool(insert_new(model, [row]))
    except DatabaseError as error:
        if not _database_answers():
            raise
        _refuse(batch, notification(row), gettext("The database rejected the item: %(error)s") % {"error": error})
        return False


def _database_answers() -> bool:
    """A refused row is the row's fault only while the database takes anything at all."""
    return Delivery.objects.filter(pk=uuid.UUID(int=0)).exists() is False


def _refuse(batch: Batch, notification: uuid.UUID, reason: str) -> None:
    for reading in batch.readings:
        if reading.id == notification:
            batch.unreadable.append(Unreadable(reading.position, batch.raw[reading.position], reason))
    batch.readings = [reading for reading in batch.readings if reading.id != notification]


def _keep_unreadable(batch: Batch) -> None:
    if not batch.unreadable:
        return
    letters = [_dead_letter(batch, unreadable) for unreadable in batch.unreadable]
    for letter, unreadable in zip(letters, batch.unreadable, strict=True):
        store_bytes(letter.pk, unreadable.raw)
    known = existing_keys(DeadLetter, [letter.pk for letter in letters])
    if any(letter.pk not in known for letter in letters):
        # Before they are known: whoever dies in between would otherwise never ask.
        _ask_again(batch.delivery)
    insert_new(DeadLetter, letters)


def _ask_again(delivery: Delivery) -> None:
    """The item may have been damaged on its way: a replay from before the call brings it as D&B has it."""
    if delivery.source == Source.PULL and delivery.replay_from:
        delivery.registration.refresh_from_db(fields=["dnb_time", "gap_from", "gap_until"])
        begin_pass(delivery.registration, Purpose.RECOVERY, delivery.replay_from)


def _dead_letter(batch: Batch, unreadable: Unreadable) -> DeadLetter:
    return DeadLetter(
        id=content_ids.dead_letter_id(source_of(batch.delivery), unreadable.raw),
        registration_id=batch.delivery.registration_id,
        delivery_id=batch.delivery.pk,
        position=unreadable.position,
        preview=clean_text(unreadable.raw[:4000].decode("utf-8", "replace"), 4000),
        reason=clean_text(unreadable.reason),
        recorded_at=batch.now,
    )


def is_full_product(detail: str) -> bool:
    """Whether every change of this registration comes as a whole SEED (`notificationType`)."""
    if not detail:
        return False
    registration: Any = json.loads(detail).get("messages", {}).get("registration", {})
    return bool(registration.get("notificationType") == FULL_PRODUCT)
