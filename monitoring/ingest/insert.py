"""What a delivery says → rows: notifications, changes, what is unreadable. What is known changes nothing."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import DatabaseError, models
from django.utils.translation import gettext

from core.blobs import store_bytes
from core.bulk import find_rows, has_sql
from core.db import clean_text, existing_keys, insert_new
from monitoring import content_ids
from monitoring.company_sources import DOCUMENTS, add_source, source_of_delivery
from monitoring.elements.registry import SeverityTable
from monitoring.ingest.batch import Batch, place_in_story, source_of
from monitoring.ingest.parser import Fact, Reading, Unreadable
from monitoring.ingest.rows import ChangeRow, CompanyRow, NotificationRow, change_rows, notification_row
from monitoring.models import (
    Change,
    DeadLetter,
    Delivery,
    Notification,
    Purpose,
    Source,
)
from monitoring.observations import Report, keep_reports, place_again, record_reports
from monitoring.replay.passes import begin_pass
from monitoring.story_order import place_of, reporter_at
from portfolio.companies.word_index import write_company_words
from portfolio.models import Company

Row = TypeVar("Row", NotificationRow, ChangeRow)
FULL_PRODUCT = "FULL_PRODUCT"


# Of companies that are not there, the rows that are known already.
Describe = Callable[[Sequence[Batch], AbstractSet[str]], Mapping[str, CompanyRow]]


def insert_what_is_new(
    batch: Batch, severities: SeverityTable, *later: Batch, describe: Describe = lambda batches, unknown: {}
) -> None:
    """Together with what `later` deliveries bring: of what several bring, it is the first one's. Companies that are
    not there are inserted as `describe` gives them."""
    batches = (batch, *later)
    are_new = _insert_notifications(batches, describe)
    severities.learn(fact.path for fact in _facts(batches) if fact.path)
    # What is new and reported by nobody else is not asked for first.
    _insert_changes(batches, severities, asked=are_new and not any(one.is_shared for one in batches))
    for one in batches:
        # When all changes are there, since they move with their notifications.
        _move(one)
        one.observed += record_reports(one.delivery, _reports(one))
        _keep_unreadable(one)


def _reports(batch: Batch) -> Iterator[Report]:
    """What this delivery brings and is known as a change already: by another source, or by the same in another way."""
    for reading in [*batch.readings, *batch.moved, *batch.known_elsewhere]:
        for fact in reading.facts:
            if fact.id not in batch.inserted:
                yield _report(batch, reading, fact)


def _report(batch: Batch, reading: Reading, fact: Fact) -> Report:
    observed_at = reading.delivered_at or batch.stamp or batch.now
    return Report(fact.id, reading.id, place_in_story(batch, reading, fact), observed_at)


def _facts(batches: Sequence[Batch]) -> Iterator[Fact]:
    return (fact for batch in batches for reading in batch.readings for fact in reading.facts)


def _insert_notifications(batches: Sequence[Batch], describe: Describe) -> bool:
    """Insert those nobody has brought; go on with what each delivery brought, now or before it was interrupted. Returns
    whether all of them were new.

    What another delivery brought is that one's to finish, and it stays unread until it is.
    """
    shown = [reading.id for batch in batches for reading in batch.readings]
    owners = _owners(shown)
    fresh = _fresh(batches, owners)
    _insert_companies(batches, {row.company_id for row in fresh}, describe)
    inserted = _insert(batches, Notification, fresh, attrgetter("id"), asked=True)
    new = Counter(row.delivery_id for row in inserted)
    for batch in batches:
        batch.new = new[batch.delivery.pk]
    if len(inserted) == len(shown):
        return True
    owners.update((row.id, Owner(row.delivery_id, row.place)) for row in inserted)
    if len(inserted) < len(fresh):
        # Somebody else inserts as well, or the database took a row and could not say so: the row tells whose it is.
        owners = _owners(shown)
    for batch in batches:
        _note_known(batch, owners)
        batch.readings = [one for one in batch.readings if one.id in owners and _is_own(batch, owners[one.id])]
    return False


def _insert_companies(batches: Sequence[Batch], companies: set[str], describe: Describe) -> None:
    unknown = companies - existing_keys(Company, list(companies))
    # Without transactions, a company would be there before what its columns are made of.
    described = describe(batches, unknown) if unknown and has_sql() else {}
    sources = _sources(batches)
    rows = [described.get(duns, CompanyRow(duns))._replace(sources=sources.get(duns, "")) for duns in sorted(unknown)]
    write_company_words((row.duns, row.name, row.city) for row in described.values())
    created = {row.duns for row in insert_new(Company, rows, asked=True)} if rows else set()
    for batch in batches:
        batch.described |= created & described.keys()
    # Once more: of those that others have inserted since it was done for companies that were there.
    add_sources(batches, created)


def add_sources(batches: Sequence[Batch], without: AbstractSet[str] = frozenset()) -> None:
    """Of companies that are there."""
    have = {
        source: add_source(source, companies - without)
        for source, companies in sorted(_companies_by_source(batches).items())
    }
    for batch in batches:
        batch.sourced |= set.intersection(*(set(have[source]) for source in _sources_of(batch)))
        batch.is_shared |= any(known != one for one in _sources_of(batch) for known in have[one].values())


def _companies_by_source(batches: Sequence[Batch]) -> dict[str, set[str]]:
    """Those whose sources are not known to be kept."""
    found: dict[str, set[str]] = defaultdict(set)
    for batch in batches:
        companies = {reading.item.duns for reading in batch.readings} - batch.sourced
        for source in _sources_of(batch):
            found[source] |= companies
    return found


def _sources_of(batch: Batch) -> list[str]:
    source = source_of_delivery(batch.delivery)
    return [source, DOCUMENTS] if is_full_product(batch.delivery.registration.detail) else [source]


def _sources(batches: Sequence[Batch]) -> dict[str, str]:
    """Of companies that nobody knew, as they are kept with each."""
    found: dict[str, list[str]] = defaultdict(list)
    for source, companies in sorted(_companies_by_source(batches).items()):
        for duns in companies:
            found[duns].append(source)
    return {duns: " ".join(sources) for duns, sources in found.items()}


class Owner(NamedTuple):
    """Which delivery brought a notification, and where that one stands."""

    delivery: uuid.UUID
    place: str


def _is_own(batch: Batch, owner: Owner) -> bool:
    return owner.delivery == batch.delivery.pk


def _owners(notifications: Sequence[uuid.UUID]) -> dict[uuid.UUID, Owner]:
    """Of those that are there."""
    rows = find_rows(Notification, ("id", "delivery", "place"), notifications)
    return {key: Owner(delivery, place) for key, delivery, place in rows}


def _fresh(batches: Sequence[Batch], owners: Mapping[uuid.UUID, Owner]) -> list[NotificationRow]:
    """One row for each that is not there, of the first that shows it."""
    rows: dict[uuid.UUID, NotificationRow] = {}
    for batch in batches:
        for reading in batch.readings:
            if reading.id not in owners and reading.id not in rows:
                rows[reading.id] = notification_row(batch, reading)
    return _in_order(rows.values())


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """Whoever inserts the same at the same time does it in the same order, and neither waits for the other for ever."""
    return sorted(rows, key=lambda row: row.id.int)


def _note_known(batch: Batch, owners: Mapping[uuid.UUID, Owner]) -> None:
    """What stands elsewhere now, or since a reading that was interrupted: a notification stands where the first of all
    answers that show it has it. And what another source brought: a replay repeats what its registration's answers said;
    a file says it on its own account."""
    first = {reading.id: reading for reading in reversed(batch.readings) if reading.id in owners}
    for key, reading in first.items():
        owner, place = owners[key], place_of(batch.delivery, reading.position)
        is_own = _is_own(batch, owner)
        if not owner.place or place < owner.place or (place == owner.place and not is_own):
            batch.moved.append(reading)
        elif not is_own and reporter_at(place) != reporter_at(owner.place):
            batch.known_elsewhere.append(reading)


def _move(batch: Batch) -> None:
    """What somebody else has moved further is known from elsewhere."""
    moved: list[Reading] = []
    for reading in batch.moved:
        (moved if _moves(batch, reading) else batch.known_elsewhere).append(reading)
    batch.moved = moved
    batch.placed = {reading.id for reading in moved} - {reading.id for reading in batch.readings}


def _moves(batch: Batch, reading: Reading) -> bool:
    """One row by compare-and-swap: harmless when repeated, and whoever writes first, the least stays."""
    place, rows = place_of(batch.delivery, reading.position), Notification.objects.filter(pk=reading.id)
    while (stands := rows.values_list("place", flat=True).first()) != place:
        if stands is None or (stands and stands < place):
            return False
        if reporter_at(stands) != reporter_at(place):
            batch.observed += keep_reports(batch.delivery, reading.id)
        # What represents it says when it was delivered: a file has another stamp.
        rows.filter(place=stands).update(place=place, delivered_at=reading.delivered_at)
    place_again([_report(batch, reading, fact) for fact in reading.facts])
    return True


def _insert_changes(batches: Sequence[Batch], severities: SeverityTable, *, asked: bool) -> None:
    rows = _in_order(row for batch in batches for row in change_rows(batch, severities))
    inserted: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for row in _insert(batches, Change, rows, attrgetter("notification_id"), asked=asked):
        inserted[row.delivery_id].add(row.id)
    for batch in batches:
        batch.inserted |= inserted[batch.delivery.pk]


def _insert(
    batches: Sequence[Batch],
    model: type[models.Model],
    rows: Sequence[Row],
    notification: Callable[[Row], uuid.UUID],
    *,
    asked: bool = False,
) -> list[Row]:
    """Insert what is new; where the database refuses, find the row it refuses and keep its item as unreadable."""
    try:
        return insert_new(model, rows, asked=asked)
    except DatabaseError:
        return [row for row in rows if _insert_alone(batches, model, row, notification)]


def _insert_alone(
    batches: Sequence[Batch], model: type[models.Model], row: Row, notification: Callable[[Row], uuid.UUID]
) -> bool:
    try:
        return bool(insert_new(model, [row]))
    except DatabaseError as error:
        if not _database_answers():
            raise
        reason = gettext("The database rejected the item: %(error)s") % {"error": error}
        for batch in batches:
            _refuse(batch, notification(row), reason)
        return False


def _database_answers() -> bool:
    """A refused row is the row's fault only while the database takes anything at all."""
    return Delivery.objects.filter(pk=uuid.UUID(int=0)).exists() is False


def _refuse(batch: Batch, notification: uuid.UUID, reason: str) -> None:
    for reading in batch.readings:
        if reading.id == notification:
            batch.unreadable.append(Unreadable(reading.position, batch.raw[reading.position], reason))
            batch.refused.add(reading.item.duns)
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


@lru_cache(maxsize=256)
def is_full_product(detail: str) -> bool:
    """Whether every change of this registration comes as a whole SEED (`notificationType`)."""
    if not detail:
        return False
    registration: Any = json.loads(detail).get("messages", {}).get("registration", {})
    return bool(registration.get("notificationType") == FULL_PRODUCT)
