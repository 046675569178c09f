"""What a publication says: changes, and what became of changes that were published before.

An entry is a row of one of two tables: a change where it was published first, and an observation. Whoever reads by
registration gets the first report of each of those instead, at its own publication; such a report may be a change that
never held and stands for another. The ids of both tables sort together: each begins with the time of the change.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from core.db import in_batches
from monitoring.models import Change, Entry, Observation, Publication, Verb


class Published(NamedTuple):
    sequence: int
    delivery: uuid.UUID
    change_count: int
    entry_count: int

    @property
    def size(self) -> int:
        """At most so many entries."""
        return max(self.entry_count, self.change_count)

    @property
    def has_more_than_changes(self) -> bool:
        return self.entry_count != self.change_count


PUBLISHED = ("sequence", "delivery_id", "change_count", "entry_count")


class Key(NamedTuple):
    """As much of an entry as filters look at: who reports, and of the change what they choose by."""

    id: uuid.UUID
    delivery: uuid.UUID
    change: uuid.UUID
    verb: str
    registration: uuid.UUID
    recorded_at: datetime
    company: str = ""
    kind: str = ""
    severity: int = 0
    element: str = ""


OF_CHANGE = ("company_id", "kind", "severity", "element")
COLUMNS_OF_CHANGE = ("id", "delivery_id", "replaced_by", "entry", "registration_id", "recorded_at", *OF_CHANGE)
REPORTED = ("registration_id", "delivery_id")
COLUMNS_OF_OBSERVATION = ("id", "delivery_id", "change_id", "verb", "registration_id", "recorded_at")
Registrations = Collection[uuid.UUID] | None
FIRST = Q(entry=Entry.CHANGE)
STANDS_FOR_ANOTHER = Q(entry=Entry.OBSERVATION, replaced_by__isnull=False)
LATER = Q(verb__in=[Verb.REPLACED, Verb.WITHDRAWN, Verb.REINSTATED])


def first_keys(published: Published, registrations: Registrations, after: uuid.UUID | None, limit: int) -> list[Key]:
    """The first keys of one publication, in order, after the id `after`."""
    tables = _tables([published], registrations)
    found = [key for rows in tables for key in _keys(_beyond(rows, after).order_by("id")[:limit])]
    return sorted(found)[:limit]


def keys_of(publications: Sequence[Published], registrations: Registrations) -> list[Key]:
    """All keys of these publications, in order."""
    numbers = {published.delivery: published.sequence for published in publications}
    found = [key for rows in _tables(publications, registrations) for key in _keys(rows)]
    return sorted(found, key=lambda key: (numbers[key.delivery], key.id))


def _beyond(rows: QuerySet[Any], after: uuid.UUID | None) -> QuerySet[Any]:
    return rows if after is None else rows.filter(id__gt=after)


def _tables(publications: Sequence[Published], registrations: Registrations) -> list[QuerySet[Any]]:
    """The rows that are entries. The second table is read only where the counts say that there are some."""
    tables: list[QuerySet[Any]] = [
        Change.objects.filter(
            FIRST if registrations is None else FIRST | STANDS_FOR_ANOTHER,
            delivery__in=[published.delivery for published in publications],
        )
    ]
    if observed := [published.delivery for published in publications if published.has_more_than_changes]:
        shown = LATER if registrations is None else LATER | Q(is_first=True)
        tables.append(Observation.objects.filter(shown, delivery__in=observed))
    return tables


def _keys(rows: QuerySet[Any]) -> list[Key]:
    if rows.model is Change:
        return [_key_of_change(*row) for row in rows.values_list(*COLUMNS_OF_CHANGE)]
    return [Key(*row) for row in rows.values_list(*COLUMNS_OF_OBSERVATION)]


def _key_of_change(
    key: uuid.UUID,
    delivery: uuid.UUID,
    stands_for: uuid.UUID | None,
    entry: int,
    registration: uuid.UUID,
    recorded_at: datetime,
    *of_change: Any,
) -> Key:
    if entry == Entry.CHANGE or stands_for is None:
        return Key(key, delivery, key, Verb.OBSERVED, registration, recorded_at, *of_change)
    return Key(key, delivery, stands_for, Verb.OBSERVED, registration, recorded_at)


def completed(keys: Sequence[Key]) -> list[Key]:
    """With the change that each is about; without those whose change is gone."""
    missing = {key.change for key in keys if not key.company}
    known: dict[uuid.UUID, tuple[Any, ...]] = {}
    for batch in in_batches(sorted(missing)):
        rows = Change.objects.filter(pk__in=batch).values_list("id", *OF_CHANGE)
        known.update({key: tuple(rest) for key, *rest in rows})
    whole = [key if key.company else Key(*key[:6], *known.get(key.change, ())) for key in keys]
    return [key for key in whole if key.company]


def by_reporter(
    keys: Sequence[Key], registrations: Collection[uuid.UUID], numbers: Mapping[uuid.UUID, int]
) -> list[Key]:
    """What became of a change concerns each registration that had reported it by then: each such key gets the first of
    the chosen ones. `numbers` are the publications of the keys."""
    others = [key for key in keys if key.verb != Verb.OBSERVED and key.registration not in registrations]
    if not others:
        return list(keys)
    reports = _reports({key.change for key in others}, registrations)
    return [_as_reported(key, reports.get(key.change, ()), numbers[key.delivery]) for key in keys]


def once_each(keys: Sequence[Key], registrations: Collection[uuid.UUID], numbers: Mapping[uuid.UUID, int]) -> list[Key]:
    """Of a change that several of the chosen registrations reported, the first report alone."""
    reported = {key.change for key in keys if _is_report(key, registrations)}
    if len(registrations) < 2 or not reported:
        return list(keys)
    first = _first_numbers(reported, registrations)
    return [
        key
        for key in keys
        if not _is_report(key, registrations) or numbers[key.delivery] <= first.get(key.change, numbers[key.delivery])
    ]


def _is_report(key: Key, registrations: Collection[uuid.UUID]) -> bool:
    return key.verb == Verb.OBSERVED and key.registration in registrations


def _first_numbers(changes: Collection[uuid.UUID], registrations: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Of each change the first publication in which one of the registrations reported it."""
    found = {key: [number for number, _ in reports] for key, reports in _reports(changes, registrations).items()}
    for batch in in_batches(sorted(changes)):
        own = dict(_of(Change.objects.filter(FIRST, pk__in=batch), registrations, "pk", "delivery_id"))
        numbers = _numbers(set(own.values()))
        for key, delivery in own.items():
            if delivery in numbers:
                found.setdefault(key, []).append(numbers[delivery])
    return {key: min(several) for key, several in found.items()}


def _as_reported(key: Key, reports: Sequence[tuple[int, uuid.UUID]], number: int) -> Key:
    if key.verb == Verb.OBSERVED:
        return key
    earlier = [report for report in reports if report[0] <= number]
    return key._replace(registration=min(earlier)[1]) if earlier else key


def _reports(
    changes: Collection[uuid.UUID], registrations: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[int, uuid.UUID]]]:
    """Of each change the publications in which others of the chosen registrations reported it."""
    rows: list[tuple[uuid.UUID, uuid.UUID, uuid.UUID]] = []
    for batch in in_batches(sorted(changes)):
        observed = Observation.objects.filter(change__in=batch, verb=Verb.OBSERVED, is_first=True)
        replaced = Change.objects.filter(replaced_by__in=batch)
        rows += _of(observed, registrations, "change_id", *REPORTED) + _of(
            replaced, registrations, "replaced_by", *REPORTED
        )
    numbers = _numbers({delivery for *_, delivery in rows})
    found: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {}
    for change, registration, delivery in rows:
        if delivery in numbers:
            found.setdefault(change, []).append((numbers[delivery], registration))
    return found


def _of(rows: QuerySet[Any, Any], registrations: Collection[uuid.UUID], *columns: str) -> list[Any]:
    return list(rows.filter(registration__in=list(registrations)).values_list(*columns))


def _numbers(deliveries: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    numbers: dict[uuid.UUID, int] = {}
    for batch in in_batches(sorted(deliveries)):
        numbers.update(Publication.objects.filter(delivery__in=batch).values_list("delivery_id", "sequence"))
    return numbers
