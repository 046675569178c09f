"""What a rebuild found that the stored deliveries do not yield: another delivery's now, or removed."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.db import in_batches
from core.models import Blob
from monitoring.content_ids import moment_of, observation_id
from monitoring.elements.registry import SeverityTable
from monitoring.history.seed_diff import compare_company
from monitoring.history.settle import Touched
from monitoring.ingest.batch import Batch, place_in_story, read
from monitoring.ingest.insert import is_full_product
from monitoring.ingest.parser import Fact, Reading
from monitoring.models import Change, Delivery, DeliveryState, Notification, Observation, Publication, Verb
from monitoring.observations import hand_over, keep_places, now_first
from monitoring.publications.sequence import counts_of, counts_of_all
from monitoring.story_order import place_of, source_at

AT_ONCE = 200


@dataclass(slots=True)
class Suspects:
    """Rows that their own delivery yields no more; another one may."""

    notifications: set[uuid.UUID] = field(default_factory=set)
    changes: set[uuid.UUID] = field(default_factory=set)
    observations: set[uuid.UUID] = field(default_factory=set)
    touched: set[uuid.UUID] = field(default_factory=set)
    # What is to be settled at last, by the registration that publishes what comes of it.
    story: dict[uuid.UUID, Touched] = field(default_factory=lambda: defaultdict(Touched))

    def __len__(self) -> int:
        return len(self.notifications) + len(self.changes) + len(self.observations)

    def forget(self) -> None:
        for names in (self.notifications, self.changes, self.observations, self.touched):
            names.clear()

    def touch(self, rows: QuerySet[Change]) -> None:
        """Companies whose changes were removed, or have other sources now."""
        for row in rows.only("company_id", "kind", "changed_at", "registration_id"):
            self.story[row.registration_id].add(row.company_id, row.kind, row.changed_at)


def stored_deliveries() -> Iterator[Delivery]:
    """Those that were read and whose bytes are there, oldest first."""
    last = uuid.UUID(int=0)
    was_read = Delivery.objects.filter(state__in=(DeliveryState.INGESTED, DeliveryState.PUBLISHED))
    while batch := list(was_read.filter(pk__gt=last).select_related("registration").order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        keys = [delivery.pk for delivery in batch]
        stored = set(Blob.objects.filter(owner__in=keys, part=0).values_list("owner", flat=True))
        yield from (delivery for delivery in batch if delivery.pk in stored)


def facts_of(batch: Batch) -> Iterator[tuple[Reading, Fact]]:
    for reading in batch.readings:
        for fact in reading.facts:
            yield reading, fact


def remove(suspects: Suspects) -> int:
    """Give to another delivery what that one yields as well; remove the rest; forget the suspects."""
    removed = 0
    if len(suspects):
        give_away(suspects)
        for observations in in_batches(sorted(suspects.observations)):
            removed += _remove_observations(observations, suspects)
        for changes in in_batches(sorted(suspects.changes)):
            removed += _remove_changes(Change.objects.filter(pk__in=changes), suspects)
        for notifications in in_batches(sorted(suspects.notifications)):
            removed += _remove_notifications(notifications, suspects)
    for batch in in_batches(sorted(suspects.touched)):
        count_deliveries(batch)
    suspects.forget()
    return removed


@dataclass(frozen=True, slots=True)
class Heir:
    """A delivery that yields a change of another registration."""

    delivery: uuid.UUID
    columns: dict[str, Any]


def give_away(suspects: Suspects) -> None:
    """What was of one registration goes to another only where none of its own deliveries yields it."""
    heirs: dict[uuid.UUID, Heir] = {}
    owners = _owners(suspects.changes)
    for delivery in stored_deliveries():
        if not len(suspects):
            break
        batch = _read_if_possible(delivery)
        for reading in batch.readings:
            if reading.id in suspects.notifications:
                _give_notification(batch, reading, suspects)
        for reading, fact in facts_of(batch):
            _give_observation(batch, reading, fact, suspects)
            if fact.id in suspects.changes:
                heir = _heir(batch, reading, fact)
                if owners.get(fact.id) == delivery.registration_id:
                    _give_change(fact.id, heir, suspects)
                else:
                    heirs.setdefault(fact.id, heir)
    for key in sorted(heirs.keys() & suspects.changes):
        _give_change(key, heirs[key], suspects)
    _hand_over(suspects)


def _owners(changes: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    found: dict[uuid.UUID, uuid.UUID] = {}
    for keys in in_batches(sorted(changes)):
        found.update(Change.objects.filter(pk__in=keys).values_list("pk", "registration_id"))
    return found


def _read_if_possible(delivery: Delivery) -> Batch:
    try:
        return read(delivery)
    except ValueError:
        return Batch(delivery, timezone.now(), None)


def _give_notification(batch: Batch, reading: Reading, suspects: Suspects) -> None:
    suspects.notifications.discard(reading.id)
    place = place_of(batch.delivery, reading.position)
    row = Notification.objects.filter(pk=reading.id)
    suspects.touched.update([*row.values_list("delivery_id", flat=True), batch.delivery.pk])
    row.update(delivery=batch.delivery, position=reading.position, place=place)
    keep_places(Change.objects.filter(notification=reading.id).values_list("pk", flat=True))


def _give_observation(batch: Batch, reading: Reading, fact: Fact, suspects: Suspects) -> None:
    """By the same source, so it keeps its key."""
    if not suspects.observations:
        return
    place = place_in_story(batch, reading, fact)
    key = observation_id(moment_of(fact.id), fact.id, Verb.OBSERVED, source_at(place))
    if key in suspects.observations:
        suspects.observations.discard(key)
        row = Observation.objects.filter(pk=key)
        suspects.touched.update([*row.values_list("delivery_id", flat=True), batch.delivery.pk])
        row.update(delivery=batch.delivery, notification=reading.id, place=place)


def _heir(batch: Batch, reading: Reading, fact: Fact) -> Heir:
    owner = {"registration_id": batch.delivery.registration_id, "notification_id": reading.id}
    return Heir(batch.delivery.pk, {**owner, "place": place_in_story(batch, reading, fact)})


def _give_change(key: uuid.UUID, heir: Heir, suspects: Suspects) -> None:
    suspects.changes.discard(key)
    row = Change.objects.filter(pk=key)
    suspects.touched.update([*row.values_list("delivery_id", flat=True), heir.delivery])
    row.update(delivery_id=heir.delivery, **heir.columns)
    now_first(key, heir.columns["registration_id"], source_at(heir.columns["place"]))
    keep_places([key])
    suspects.touch(row)


def _hand_over(suspects: Suspects) -> None:
    """To those whose answers are not stored any more, by what is recorded of them."""
    moved = hand_over(sorted(suspects.changes), without=suspects.observations)
    suspects.changes -= moved.keys()
    suspects.touched.update(key for between in moved.values() for key in between)
    keep_places(moved)
    for keys in in_batches(sorted(moved)):
        suspects.touch(Change.objects.filter(pk__in=keys))


def _remove_observations(keys: Sequence[uuid.UUID], suspects: Suspects) -> int:
    """Where it was its registration's first report, the next one is that now."""
    rows = Observation.objects.filter(pk__in=keys).select_related("change")
    for row in rows:
        suspects.touched.add(row.delivery_id)
        suspects.touch(Change.objects.filter(pk=row.change_id))
        row.delete()
        others = Observation.objects.filter(change=row.change_id, registration=row.registration_id, verb=Verb.OBSERVED)
        following = others.order_by("recorded_at", "id").first()
        if row.is_first and following:
            others.filter(pk=following.pk).update(is_first=True)
        keep_places([row.change_id])
    return len(rows)


def _remove_changes(rows: QuerySet[Change], suspects: Suspects) -> int:
    """With their reports; what they had replaced is settled again."""
    keys = list(rows.values_list("pk", flat=True))
    observations = Observation.objects.filter(change__in=keys)
    for queryset in (rows, observations):
        suspects.touched.update(queryset.values_list("delivery_id", flat=True))
    suspects.touch(Change.objects.filter(replaced_by__in=keys))
    observations.delete()
    Change.objects.filter(pk__in=keys).delete()
    return len(keys)


def _remove_notifications(keys: Sequence[uuid.UUID], suspects: Suspects) -> int:
    """With what was derived from them; those that some change or report still stands on stay."""
    rows = list(Notification.objects.filter(pk__in=keys).select_related("delivery__registration").defer("organization"))
    removed = sum(_remove_derived(row, suspects) for row in rows if row.type == "SEED")
    used = set(Change.objects.filter(notification__in=keys).values_list("notification_id", flat=True))
    used |= set(Observation.objects.filter(notification__in=keys).values_list("notification_id", flat=True))
    gone = [row for row in rows if row.pk not in used]
    suspects.touched.update(row.delivery_id for row in gone)
    Notification.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for row in gone:
        _compare_seeds_again(row, suspects)
    return removed + len(gone)


def _remove_derived(seed: Notification, suspects: Suspects) -> int:
    rows = Change.objects.filter(company=seed.company_id, registration=seed.registration_id)
    return _remove_changes(rows.exclude(derived_from="").filter(derived_from__contains=str(seed.pk)), suspects)


def _compare_seeds_again(gone: Notification, suspects: Suspects) -> None:
    """The SEEDs before and after the one that is gone are neighbors now."""
    if gone.type == "SEED" and is_full_product(gone.delivery.registration.detail):
        compare_company(gone.delivery, gone.company_id, SeverityTable())
        moment = gone.delivered_at or gone.recorded_at
        suspects.story[gone.registration_id].join(Touched({gone.company_id: moment}))


def count_deliveries(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        Delivery.objects.filter(pk=key).update(new_count=Notification.objects.filter(delivery=key).count())
        Publication.objects.filter(delivery=key).update(**counts_of(key))


def count_what_is_gone() -> None:
    """In publications that count more than is there, as a rebuild that was killed leaves them."""
    last = 0
    while batch := list(Publication.objects.filter(sequence__gt=last).order_by("sequence")[:AT_ONCE]):
        last = batch[-1].sequence
        counts = counts_of_all([row.delivery_id for row in batch])
        for row in batch:
            if counts[row.delivery_id]["entry_count"] < row.entry_count:
                # Unless somebody who publishes elsewhere what it held counts it just now.
                unchanged = Publication.objects.filter(pk=row.pk, entry_count=row.entry_count)
                unchanged.update(**counts[row.delivery_id])
