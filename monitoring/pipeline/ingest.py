"""A delivery → rows, companies, publication. Any process, any number of times: the known changes nothing.

Who reads a delivery for the first time claims it (claims.py). Whoever is killed on the way leaves nothing out: what was
not read is read by another when the claim has ended, and what was read and not published is published then.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from core.blobs import load_bytes, store_bytes
from core.db import in_batches
from monitoring.claims import Claim, ClaimLost, claimed, end_of_a_claim, is_old, unclaimed
from monitoring.elements.registry import SeverityTable
from monitoring.history.company_projection import NewEvents, project
from monitoring.history.seed_diff import compare_seeds
from monitoring.history.settle import EntryDelivery, Touched, settle
from monitoring.history.steps import order_moments
from monitoring.history.summary import touches_summary
from monitoring.ingest.circuit_breaker import check_breaker, trailing_unreadable
from monitoring.ingest.insert import Batch, insert_what_is_new, is_full_product, read
from monitoring.ingest.parser import Reading
from monitoring.models import (
    Change,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    Kind,
    Observation,
    Publication,
    Severity,
    Source,
)
from monitoring.publications.sequence import publish
from monitoring.story_order import place_of
from portfolio.models import Registration

logger = logging.getLogger(__name__)
Entered = Change | Observation


def ingest(delivery: Delivery) -> int:
    """Read a received delivery into notifications and changes and publish it; returns how many were new.

    Does nothing while a person has to look at the registration's unreadable items first, or somebody else reads it.
    """
    delivery.registration.refresh_from_db(fields=["ingest_stopped_reason", "detail"])
    if delivery.registration.ingest_stopped_reason:
        return 0
    delivery.refresh_from_db(fields=["state"])
    batch = _read_first(delivery) if delivery.state == DeliveryState.RECEIVED else _read_again(delivery)
    if batch is None:
        return 0
    if delivery.unreadable_count and delivery.source != Source.RETRY:
        check_breaker(delivery)
    return batch.new


def _read_first(delivery: Delivery) -> Batch | None:
    """None where somebody else reads it."""
    try:
        with claimed(delivery) as claim:
            if claim is None:
                return None
            batch = write(delivery, claim=claim)
    except ClaimLost:
        logger.warning("another process took over delivery %s", delivery.pk)
        return None
    publish(delivery)
    return batch


def _read_again(delivery: Delivery) -> Batch:
    """What is new, now or since a reading that was interrupted, gets a number of its own: others have read past that of
    the delivery."""
    apart = Apart(delivery)
    batch = write(delivery, apart.delivery)
    apart.take(batch.inserted)
    publish(delivery)
    apart.take(surplus_of(delivery.pk))
    apart.publish()
    return batch


def write(
    delivery: Delivery,
    entries: EntryDelivery | None = None,
    *,
    claim: Claim | None = None,
    settle_later: Touched | None = None,
) -> Batch:
    """Insert what the delivery brings first, settle what holds, bring the companies up to date, and mark the delivery
    as read. What happens to changes that were published before is published with the delivery, or, where others may
    have read that already, with one from `entries`. With `settle_later`, what it touches is only noted there.

    The transactions only make it faster. There are several: whoever compares a company or applies its events has to
    see what others have inserted, and they what was inserted here.
    """
    is_first_reading = delivery.state == DeliveryState.RECEIVED
    batch = read(delivery)
    severities = SeverityTable()
    with transaction.atomic():
        insert_what_is_new(batch, severities)
    if is_full_product(delivery.registration.detail):
        batch.inserted += compare_seeds(delivery, severities, {reading.item.duns for reading in batch.moved})
    if claim:
        claim.keep()
    moved = order_moments(_moments(batch))
    if settle_later is None:
        own = delivery.pk if is_first_reading else None
        settle(_touched(batch), own, (lambda: delivery) if is_first_reading else entries or Apart(delivery).delivery)
    else:
        settle_later.join(_touched(batch))
    with transaction.atomic():
        _bring_companies_up_to_date(batch, severities, moved)
        _mark_ingested(batch, claim)
    return batch


def _bring_companies_up_to_date(batch: Batch, severities: SeverityTable, moved: set[str]) -> None:
    changed: dict[str, datetime] = {}
    new: dict[str, NewEvents] = {}
    for reading in batch.readings:
        _note_new(new, reading)
        newest = _newest(batch, reading, severities)
        if newest:
            changed[reading.item.duns] = max(newest, changed.get(reading.item.duns, newest))
    in_another_order = moved | {reading.item.duns for reading in batch.moved} | _placed_elsewhere(batch)
    summary = set(new) | in_another_order
    if batch.delivery.state != DeliveryState.RECEIVED:
        project(changed, summary, bump=set())
        return
    known = in_another_order | _known_before(batch)
    to_apply = {duns: events for duns, events in new.items() if duns not in known}
    project(changed, summary, bump=summary, new=to_apply)


def _note_new(new: dict[str, NewEvents], reading: Reading) -> None:
    for fact in reading.facts:
        if touches_summary(fact.kind, fact.path):
            events = new.setdefault(reading.item.duns, NewEvents())
            if fact.kind == Kind.BASELINE:
                events.seeds.add(reading.id)
            else:
                events.changes.add(fact.id)


def _placed_elsewhere(batch: Batch) -> set[str]:
    """Whose changes may stand elsewhere in the order, now that another source has reported them."""
    return {
        reading.item.duns
        for reading in batch.known_elsewhere
        for fact in reading.facts
        if fact.kind != Kind.BASELINE and touches_summary(fact.kind, fact.path)
    }


def _known_before(batch: Batch) -> set[str]:
    """Of which something was there already: applied, or left by a reading that was interrupted."""
    inserted = {change.pk for change in batch.inserted}
    return {
        reading.item.duns
        for reading in batch.readings
        for fact in reading.facts
        if fact.id not in inserted and touches_summary(fact.kind, fact.path)
    }


def _newest(batch: Batch, reading: Reading, severities: SeverityTable) -> datetime | None:
    """When the last change of this notification that is not noise happened."""
    moments = [
        fact.moment or reading.delivered_at or batch.stamp or batch.now
        for fact in reading.facts
        if not fact.path or severities.of_element(fact.path, fact.value) > Severity.NOISE
    ]
    return max(moments, default=None)


def _mark_ingested(batch: Batch, claim: Claim | None) -> None:
    delivery = batch.delivery
    delivery.notification_count = len(batch.raw)
    delivery.unreadable_count = len({unreadable.position for unreadable in batch.unreadable})
    delivery.unreadable_tail = trailing_unreadable(len(batch.raw), {u.position for u in batch.unreadable})
    delivery.unreadable_run = _longest_run(batch)
    delivery.new_count = len({reading.id for reading in batch.readings})
    delivery.placed_count = len(batch.placed)
    delivery.ingested_at = delivery.ingested_at or batch.now
    fields = {
        "notification_count": delivery.notification_count,
        "unreadable_count": delivery.unreadable_count,
        "unreadable_tail": delivery.unreadable_tail,
        "unreadable_run": delivery.unreadable_run,
        "new_count": delivery.new_count,
        "placed_count": delivery.placed_count,
        "ingested_at": delivery.ingested_at,
        "error": "",
    }
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    waiting = claim.held() if claim else Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.RECEIVED)
    if not waiting.update(state=DeliveryState.INGESTED, claimed_until=None) and claim:
        raise ClaimLost


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

    def take(self, entries: Sequence[Entered]) -> None:
        for model in (Change, Observation):
            for rows in in_batches([row.pk for row in entries if isinstance(row, model)]):
                model._default_manager.filter(pk__in=rows, delivery=self.of).update(delivery=self.delivery())

    def publish(self) -> None:
        if self.made:
            publish(self.made)


def _moments(batch: Batch) -> Iterator[tuple[str, datetime]]:
    """When the delivery says that something was different."""
    for reading in [*batch.readings, *batch.moved, *batch.known_elsewhere]:
        for fact in reading.facts:
            moment = fact.moment or reading.delivered_at or batch.stamp
            if fact.kind in (Kind.ELEMENT, Kind.BASELINE) and moment:
                yield reading.item.duns, moment


def surplus_of(delivery: uuid.UUID) -> list[Entered]:
    """What came into a delivery after its publication, as somebody leaves it who was killed before it got a number: of
    all that is in it, what was recorded last."""
    publication = Publication.objects.filter(delivery=delivery).first()
    if publication is None:
        return []
    entries: list[Entered] = list(Change.objects.filter(delivery=delivery).only("recorded_at"))
    entries += Observation.objects.filter(delivery=delivery).only("recorded_at")
    return sorted(entries, key=lambda row: (row.recorded_at, row.pk.int))[publication.entry_count :]


def publish_surplus(delivery: Delivery) -> int:
    """Publish again what came into it after its publication; returns how many entries that were."""
    apart, entries = Apart(delivery), surplus_of(delivery.pk)
    apart.take(entries)
    apart.publish()
    return len(entries)


def _touched(batch: Batch) -> Touched:
    """What the delivery's items say happened, whether it was written now or before an interruption."""
    touched = Touched()
    for reading in [*batch.readings, *batch.moved, *batch.known_elsewhere]:
        for fact in reading.facts:
            # A baseline stands between two documents that were neighbors.
            kind = Kind.ELEMENT if fact.kind == Kind.BASELINE else fact.kind
            touched.add(reading.item.duns, kind, fact.moment or reading.delivered_at or batch.stamp or batch.now)
    return touched


def _longest_run(batch: Batch) -> int:
    bad = {unreadable.position for unreadable in batch.unreadable}
    longest = run = 0
    for position in range(len(batch.raw)):
        run = run + 1 if position in bad else 0
        longest = max(longest, run)
    return longest


def retry_dead_letter(letter: DeadLetter) -> bool:
    """Read an unreadable item again, as a small delivery of its own; True when it could be read this time."""
    delivery = Delivery.objects.create(
        registration=letter.registration,
        source=Source.RETRY,
        state=DeliveryState.CALLED,
        called_at=timezone.now(),
        answer_stamp=letter.delivery.answer_stamp,
        turn=letter.delivery.turn,
        stands_for=letter.delivery.stands_for,
        place=place_of(letter.delivery, letter.position),
    )
    store_bytes(delivery.pk, load_bytes(letter.pk))
    claim = Claim(delivery.pk, end_of_a_claim())
    delivery.state = DeliveryState.RECEIVED
    fields = {"state": delivery.state, "received_at": timezone.now(), "claimed_until": claim.until}
    Delivery.objects.filter(pk=delivery.pk).update(**fields)
    write(delivery, claim=claim)
    publish(delivery)
    solved = delivery.unreadable_count == 0
    state = DeadLetterState.SOLVED if solved else letter.state
    DeadLetter.objects.filter(pk=letter.pk).update(state=state, tried_at=timezone.now())
    return solved


def waiting_deliveries() -> list[uuid.UUID]:
    """Received and not read yet, oldest first, without those that somebody reads and those of registrations whose
    reading a person has to resume."""
    stopped = Registration.objects.exclude(ingest_stopped_reason="").values_list("pk", flat=True)
    waiting = Delivery.objects.filter(unclaimed(), state=DeliveryState.RECEIVED).exclude(registration__in=list(stopped))
    return list(waiting.order_by("id").values_list("pk", flat=True))
