"""Deliveries → rows, companies, publications. Any process, any number of times: the known changes nothing.

Who reads a delivery for the first time claims it (claims.py). Several that wait are read together, which costs less
than one by one and comes to the same; where anything about one of them is unusual, each is read alone. Whoever is
killed on the way leaves nothing out: what was not read is read by another when the claim has ended, and what was read
and not published is published then.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from core.blobs import load_all, load_bytes, store_bytes
from core.bulk import durable_later
from core.db import refresh
from monitoring.claims import Claim, ClaimLost, claimed_together, end_of_a_claim, unclaimed
from monitoring.elements.registry import SeverityTable
from monitoring.history.checkpoints import forget as forget_checkpoints
from monitoring.history.company_projection import project, raise_times
from monitoring.history.seed_diff import compare_seeds
from monitoring.history.settle import EntryDelivery, Touched, settle
from monitoring.history.steps import order_moments
from monitoring.ingest.batch import Batch, read
from monitoring.ingest.circuit_breaker import check_breaker, trailing_unreadable
from monitoring.ingest.insert import add_sources, insert_what_is_new, is_full_product
from monitoring.models import DeadLetter, DeadLetterState, Delivery, DeliveryState, Source
from monitoring.pipeline.apart import Apart, correct_entries, publish_surplus, surplus_of
from monitoring.pipeline.new_companies import describe
from monitoring.pipeline.touched import (
    at_any_time,
    known_before,
    moments,
    new_events,
    newest_changes,
    placed_elsewhere,
    reported_again,
    said_at,
    shown_companies,
    touched_by,
)
from monitoring.publications.sequence import publish
from monitoring.story_order import place_of
from portfolio.models import Registration

__all__ = [
    "Apart",
    "ingest",
    "ingest_together",
    "publish_surplus",
    "retry_dead_letter",
    "surplus_of",
    "waiting_deliveries",
    "waiting_together",
    "write",
]

logger = logging.getLogger(__name__)
# Of what waits, read together: more deliveries, or items of files, save nothing and take memory.
MOST_DELIVERIES, MOST_ITEMS = 10, 2000


def ingest(delivery: Delivery) -> int:
    """Read a received delivery into notifications and changes and publish it; returns how many were new.

    Does nothing while a person has to look at the registration's unreadable items first, or somebody else reads it.
    """
    refresh(delivery.registration, "ingest_stopped_reason", "detail")
    if delivery.registration.ingest_stopped_reason:
        return 0
    refresh(delivery, "state")
    is_first_reading = delivery.state == DeliveryState.RECEIVED
    batches = _read_first([delivery]) if is_first_reading else [_read_again(delivery)]
    _check(batches)
    return sum(batch.new for batch in batches)


def ingest_together(deliveries: Sequence[Delivery]) -> int:
    """Read several received deliveries, each with its registration, as one; returns how many notifications were new.

    Leaves them as they are where an item is unreadable: alone, each may stop the reading of those that follow.
    """
    batches = _read_first([one for one in deliveries if not one.registration.ingest_stopped_reason])
    _check(batches)
    return sum(batch.new for batch in batches)


def _check(batches: Iterable[Batch]) -> None:
    for batch in batches:
        if batch.delivery.unreadable_count and batch.delivery.source not in (Source.RETRY, Source.FETCH):
            check_breaker(batch.delivery)


def _read_first(deliveries: Sequence[Delivery]) -> list[Batch]:
    """Without those that somebody else reads."""
    try:
        with claimed_together(deliveries) as claims:
            contents = load_all(claims)
            batches = [read(one, contents[one.pk]) for one in deliveries if one.pk in claims]
            if not batches or (len(batches) > 1 and any(batch.unreadable for batch in batches)):
                return []
            _write(batches, claims)
            return batches
    except ClaimLost:
        logger.warning("another process took over delivery %s", ", ".join(str(one.pk) for one in deliveries))
        return []


def _read_again(delivery: Delivery) -> Batch:
    """What is new, now or since a reading that was interrupted, gets a number of its own: others have read past that of
    the delivery."""
    apart = Apart(delivery)
    batch = write(delivery, apart.delivery)
    apart.take([*batch.inserted, *(row.pk for row in batch.observed)])
    publish(delivery)
    apart.take([row.pk for row in surplus_of(delivery.pk)])
    apart.publish()
    correct_entries([delivery])
    return batch


def write(delivery: Delivery, entries: EntryDelivery | None = None, *, settle_later: Touched | None = None) -> Batch:
    """What was read before, or nobody may publish yet: insert what the delivery brings first, settle what holds, bring
    the companies up to date, and mark the delivery as read. What happens to changes that were published before is
    published with the delivery, or, where others may have read that already, with one from `entries`. With
    `settle_later`, what it touches is only noted there."""
    batch = read(delivery)
    _write([batch], {}, entries, settle_later)
    return batch


def _write(
    batches: Sequence[Batch],
    claims: Mapping[uuid.UUID, Claim],
    entries: EntryDelivery | None = None,
    settle_later: Touched | None = None,
) -> None:
    """Publishes what is claimed, too.

    The transactions only make it faster. There are several: whoever compares a company or applies its events has to
    see what others have inserted, and they what was inserted here.
    """
    severities = SeverityTable()
    add_sources(batches)
    with durable_later():
        insert_what_is_new(batches[0], severities, *batches[1:], describe=describe)
        newest = newest_changes(batches, severities)
        written_later = {duns: newest.pop(duns) for duns in shown_companies(batches) & newest.keys()}
        raise_times(newest)
    _compare(batches, severities)
    for claim in claims.values():
        claim.keep()
    moved = order_moments((moment for batch in batches for moment in moments(batch)), said_at(batches))
    touched = touched_by(batches)
    forget_checkpoints(touched.earliest(), moved | at_any_time(batches))
    if settle_later is None:
        _settle([batch.delivery for batch in batches], touched, entries)
    else:
        settle_later.join(touched)
    with transaction.atomic():
        _bring_companies_up_to_date(batches, moved, written_later)
        for batch in batches:
            _mark_ingested(batch, claims.get(batch.delivery.pk))
        if claims:
            publish(*(batch.delivery for batch in batches))
    for claim in claims.values():
        claim.is_used = True
    if claims:
        correct_entries([batch.delivery for batch in batches])


def _compare(batches: Sequence[Batch], severities: SeverityTable) -> None:
    """The last first: the difference of two documents belongs to the delivery that brought the later of them."""
    for batch in reversed(batches):
        if batch.delivery.source != Source.FETCH and is_full_product(batch.delivery.registration.detail):
            moved = {reading.item.duns for reading in batch.moved}
            batch.inserted |= {row.pk for row in compare_seeds(batch.delivery, severities, moved)}


def _settle(deliveries: Sequence[Delivery], touched: Touched, entries: EntryDelivery | None) -> None:
    last = deliveries[-1]
    if last.state == DeliveryState.RECEIVED:
        settle(touched, frozenset(one.pk for one in deliveries), lambda: last)
    else:
        settle(touched, None, entries or Apart(last).delivery)


def _bring_companies_up_to_date(batches: Sequence[Batch], moved: set[str], changed: Mapping[str, datetime]) -> None:
    """With the times of those whose other columns may be different too: a row that changes is a new one in each of its
    indexes on PostgreSQL."""
    reported = reported_again(batches)
    new = new_events(batches, reported)
    in_another_order = moved | placed_elsewhere(batches)
    summary = set(new) | in_another_order
    if batches[0].delivery.state != DeliveryState.RECEIVED:
        project(changed, summary, bump=set())
        return
    known = in_another_order | known_before(batches, reported)
    to_apply = {duns: events for duns, events in new.items() if duns not in known}
    project(changed, summary, bump=summary, new=to_apply)


def _mark_ingested(batch: Batch, claim: Claim | None) -> None:
    delivery, bad = batch.delivery, {unreadable.position for unreadable in batch.unreadable}
    fields = {
        "notification_count": len(batch.raw),
        "unreadable_count": len(bad),
        "unreadable_tail": trailing_unreadable(len(batch.raw), bad),
        "unreadable_run": _longest_run(batch, bad),
        "new_count": len({reading.id for reading in batch.readings}),
        "placed_count": len(batch.placed),
        "ingested_at": delivery.ingested_at or batch.now,
        "error": "",
    }
    for name, value in fields.items():
        setattr(delivery, name, value)
    read_now = {"state": DeliveryState.INGESTED, "claimed_until": None}
    if claim is None:
        Delivery.objects.filter(pk=delivery.pk).update(**fields)
        Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.RECEIVED).update(**read_now)
    elif not claim.update_held(**fields, **read_now):
        raise ClaimLost


def _longest_run(batch: Batch, bad: set[int]) -> int:
    longest = run = 0
    for position in range(len(batch.raw) if bad else 0):
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
    _write([read(delivery)], {delivery.pk: claim})
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


def waiting_together() -> Iterator[list[Delivery]]:
    """The same, in groups that may be read as one."""
    keys = waiting_deliveries()
    counts = dict(Delivery.objects.filter(pk__in=keys).values_list("pk", "notification_count"))
    group: list[uuid.UUID] = []
    items = 0
    for key in keys:
        count = counts.get(key) or 0
        if group and (len(group) == MOST_DELIVERIES or items + count > MOST_ITEMS):
            yield _with_registrations(group)
            group, items = [], 0
        group.append(key)
        items += count
    if group:
        yield _with_registrations(group)


def _with_registrations(keys: Sequence[uuid.UUID]) -> list[Delivery]:
    """As they are now."""
    waiting = Delivery.objects.filter(pk__in=keys, state=DeliveryState.RECEIVED)
    return list(waiting.select_related("registration").order_by("id"))
