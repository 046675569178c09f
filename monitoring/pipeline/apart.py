"""What comes of a delivery that others have read already, and maybe published, gets a number of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from django.utils import timezone
from django.utils.translation import gettext

from core.bulk import select_values
from core.db import in_batches, insert_new
from monitoring.claims import end_of_a_claim, is_old
from monitoring.history.settle import Touched, entry_of, settle
from monitoring.history.window import FIELDS, verdict_of
from monitoring.models import Change, Delivery, DeliveryState, Entry, Observation, Publication, Source, Verb
from monitoring.publications.sequence import publish, publish_waiting

# What entries of the feed say of a change that was published before.
BECAME = [verb.value for verb in Verb if verb != Verb.OBSERVED]


@dataclass(slots=True)
class Apart:
    """A delivery of its own for what came of one that others had read, and maybe published: two processes read it at
    once, or it is read again by newer code. Made when it is needed."""

    of: Delivery
    made: Delivery | None = None
    claimed: float = field(default_factory=monotonic)

    def delivery(self) -> Delivery:
        """Claimed, so that nobody publishes it before all entries are in it."""
        if self.made and is_old(self.claimed) and not self._claim_again(self.made):
            self.made = None
        if self.made is None:
            self.claimed = monotonic()
            self.made = Delivery.objects.create(
                registration_id=self.of.registration_id,
                source=Source.RETRY,
                state=DeliveryState.INGESTED,
                ingested_at=timezone.now(),
                claimed_until=end_of_a_claim(),
                error=gettext("Changes found when delivery %(pk)s was processed again.") % {"pk": self.of.pk},
            )
        return self.made

    def _claim_again(self, made: Delivery) -> bool:
        self.claimed = monotonic()
        unpublished = Delivery.objects.filter(pk=made.pk, state=DeliveryState.INGESTED)
        return bool(unpublished.update(claimed_until=end_of_a_claim()))

    def take(self, entries: Collection[uuid.UUID]) -> None:
        """Changes and observations, by their ids."""
        for model in (Change, Observation):
            for keys in in_batches(list(entries)):
                rows = model._default_manager.filter(pk__in=keys, delivery=self.of)
                if self.made or rows.exists():
                    rows.update(delivery=self.delivery())

    def publish(self) -> None:
        if self.made:
            publish(self.made)
            correct_entries([self.made])


def surplus_of(delivery: uuid.UUID) -> list[Change | Observation]:
    """What came into a delivery after its publication, as somebody leaves it who was killed before it got a number: of
    all that is in it, what was recorded last."""
    publication = Publication.objects.filter(delivery=delivery).first()
    if publication is None:
        return []
    entries: list[Change | Observation] = list(Change.objects.filter(delivery=delivery).only("recorded_at"))
    entries += Observation.objects.filter(delivery=delivery).only("recorded_at")
    return sorted(entries, key=lambda row: (row.recorded_at, row.pk.int))[publication.entry_count :]


def publish_surplus(delivery: Delivery) -> int:
    """Publish again what came into it after its publication; returns how many entries that were."""
    apart, entries = Apart(delivery), surplus_of(delivery.pk)
    apart.take([row.pk for row in entries])
    apart.publish()
    return len(entries)


# What the feed says at last


def publish_left_behind() -> int:
    """What was read and not published by a process that died in between; returns how many deliveries."""
    published = publish_waiting()
    if published:
        correct_entries(published)
    return len(published)


def correct_entries(published: Sequence[Delivery]) -> int:
    """Where the last entry of a change says otherwise than the change, its company is settled again, and what is so is
    published: an entry was published by somebody who was killed before it was so, or after that of somebody faster.
    Whoever publishes looks afterwards, so the last of several sees all. Returns how many changes differed."""
    keys = _with_entries([delivery.pk for delivery in published])
    if not (changes := _contradicted(keys)):
        return 0
    apart = Apart(published[-1])
    settle(_touched(changes), None, apart.delivery)
    left = _contradicted([row.pk for row in changes])
    insert_new(Observation, [entry_of(row, verdict_of(row), apart.delivery()) for row in left])
    apart.publish()
    return len(changes)


def _with_entries(deliveries: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Changes of which these deliveries report what became of them, or that they had held."""
    changes = select_values(Change, ("id",), delivery__in=deliveries, entry=Entry.CHANGE, superseded=True)
    entries = select_values(Observation, ("change_id",), delivery__in=deliveries, verb__in=BECAME)
    return sorted({key for (key,) in [*changes, *entries]})


def _contradicted(keys: Sequence[uuid.UUID]) -> list[Change]:
    """Those of which the last published entry says otherwise."""
    found: list[Change] = []
    for batch in in_batches(keys):
        rows = Change.objects.filter(pk__in=batch).only(*FIELDS).in_bulk()
        holds = _last_entries(rows)
        found += [row for key, row in rows.items() if holds.get(key, not row.superseded) == row.superseded]
    return found


def _last_entries(rows: Mapping[uuid.UUID, Change]) -> dict[uuid.UUID, bool]:
    """Of each change, whether it holds by its last published entry, in the order of the feed."""
    entries = [(row.delivery_id, row.pk, row.pk, True) for row in rows.values() if row.entry == Entry.CHANGE]
    became = Observation.objects.filter(change__in=list(rows)).exclude(verb=Verb.OBSERVED)
    for delivery, key, change, verb in became.values_list("delivery_id", "pk", "change_id", "verb"):
        entries.append((delivery, key, change, verb == Verb.REINSTATED))
    published = Publication.objects.filter(delivery__in={entry[0] for entry in entries})
    numbers = dict(published.values_list("delivery_id", "sequence"))
    ordered = sorted((entry for entry in entries if entry[0] in numbers), key=lambda one: (numbers[one[0]], one[1]))
    return {change: holds for _, _, change, holds in ordered}


def _touched(changes: Iterable[Change]) -> Touched:
    touched = Touched()
    for row in changes:
        touched.add(row.company_id, row.kind, row.changed_at)
    return touched
