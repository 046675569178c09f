"""Consecutive SEEDs of a company compared: changes that D&B has not told one by one."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.db import insert_new
from core.json_text import dump_json
from direct_plus.exact_json import parse_json
from monitoring.content_ids import derived_change_id
from monitoring.elements.json_paths import differences
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.history.facts import comparable
from monitoring.models import Change, Delivery, Kind, Notification, Severity
from monitoring.story_order import notification_key, source_of, story_place

# Of a company's SEEDs; more are read only for one that comes late.
NEWEST = 20


def compare_seeds(delivery: Delivery, severities: SeverityTable, moved: Iterable[str] = ()) -> list[Change]:
    """Compare the SEEDs that this delivery brought with those before and after them; returns what was inserted.

    The differences become `element` changes of this delivery, so that consumers of publications see them. Which of
    them hold is decided afterwards (settle.py). Of the companies in `moved`, whose SEEDs stand in another order now,
    all are compared.
    """
    brought = Notification.objects.filter(delivery=delivery, type="SEED").values_list("pk", "company_id")
    seeds: defaultdict[str, set[uuid.UUID]] = defaultdict(set)
    for key, company in brought:
        seeds[company].add(key)
    chosen: dict[str, set[uuid.UUID] | None] = {**seeds, **dict.fromkeys(moved)}
    return _compare_until_unchanged(delivery, chosen, severities)


def compare_company(delivery: Delivery, duns: str, severities: SeverityTable) -> list[Change]:
    """Compare all consecutive SEEDs of one company; returns what was inserted."""
    return _compare_until_unchanged(delivery, {duns: None}, severities)


def _compare_until_unchanged(
    delivery: Delivery, chosen: Mapping[str, set[uuid.UUID] | None], severities: SeverityTable
) -> list[Change]:
    """Others may add SEEDs meanwhile, and see nothing of what is written here until it is committed: whoever writes
    comparisons looks at the SEEDs again afterwards."""
    inserted: list[Change] = []
    waiting = sorted(chosen)
    while waiting:
        compared: dict[str, list[uuid.UUID]] = {}
        with transaction.atomic():
            for duns in waiting:
                rows, compared[duns] = _compare(delivery, duns, severities, chosen[duns])
                inserted += rows
        waiting = [
            duns
            for duns, seeds in compared.items()
            if _keys(_chain(delivery.registration_id, duns, chosen[duns])) != seeds
        ]
    return inserted


def _compare(
    delivery: Delivery, duns: str, severities: SeverityTable, seeds: set[uuid.UUID] | None
) -> tuple[list[Change], list[uuid.UUID]]:
    """Once over the pairs with one of `seeds` (None: all); what was inserted, and the SEEDs as they stood."""
    chain = _chain(delivery.registration_id, duns, seeds)
    pairs = [pair for pair in _pairs(chain) if seeds is None or not seeds.isdisjoint(seed.pk for seed in pair)]
    inserted = [row for pair in pairs for row in insert_new(Change, _comparison(delivery, *pair, severities))]
    if seeds is None:
        _keep_places(delivery, duns, pairs)
    return inserted, _keys(chain)


def _pairs(chain: Sequence[Notification]) -> list[tuple[Notification, Notification]]:
    """Neighbors of one source: a registration's answers and its files each tell the story on their own account."""
    by_source: defaultdict[str, list[Notification]] = defaultdict(list)
    for seed in chain:
        by_source[source_of(seed.registration_id, seed.place)].append(seed)
    return [pair for seeds in by_source.values() for pair in pairwise(seeds)]


def _keep_places(delivery: Delivery, duns: str, pairs: Iterable[tuple[Notification, Notification]]) -> None:
    """A comparison stands where its later SEED stands."""
    later = {two.pk: two for _, two in pairs}
    derived = Change.objects.filter(company=duns, registration=delivery.registration_id).exclude(derived_from="")
    for row in derived.only("notification_id", "position", "place"):
        seed = later.get(row.notification_id)
        if seed and row.place != (place := _story_place(seed, row.position)):
            Change.objects.filter(pk=row.pk).update(place=place)


def _chain(registration: uuid.UUID, duns: str, seeds: set[uuid.UUID] | None) -> list[Notification]:
    """The registration's SEEDs of a company, in the order of the story: all, or only the newest where they hold the
    neighbors of `seeds`, as they nearly always do."""
    rows = Notification.objects.filter(registration=registration, company=duns, type="SEED").defer("organization")
    if seeds is None:
        return sorted(rows, key=notification_key)
    newest = list(rows.order_by("-delivered_at")[:NEWEST])
    if len(newest) == NEWEST and not (_holds_neighbors(newest, seeds) and _all_are_stamped(rows)):
        newest = list(rows)
    return sorted(newest, key=notification_key)


def _holds_neighbors(newest: Sequence[Notification], seeds: AbstractSet[uuid.UUID]) -> bool:
    """Whether each of `seeds` is among the newest, with one of its source before it, and no stamp of them is cut."""
    if any(seed.delivered_at is None for seed in newest) or not seeds <= set(_keys(newest)):
        return False
    stamps = {seed.pk: seed.delivered_at for seed in newest if seed.delivered_at}
    first = min(stamps.values())
    earliest: dict[str, datetime] = {}
    for seed in newest:
        if (stamp := stamps[seed.pk]) > first:
            source = source_of(seed.registration_id, seed.place)
            earliest[source] = min(stamp, earliest.get(source, stamp))
    brought = [seed for seed in newest if seed.pk in seeds]
    sources = [(stamps[seed.pk], source_of(seed.registration_id, seed.place)) for seed in brought]
    return all(source in earliest and earliest[source] < stamp for stamp, source in sources)


def _all_are_stamped(rows: QuerySet[Notification]) -> bool:
    return not rows.filter(delivered_at=None).exists()


def _keys(chain: Iterable[Notification]) -> list[uuid.UUID]:
    return [seed.pk for seed in chain]


def _story_place(seed: Notification, position: int) -> str:
    """The baseline itself is the first change of its place; its comparison follows."""
    return story_place(seed.registration_id, seed.delivered_at or seed.recorded_at, seed.place, position + 1)


def _comparison(
    delivery: Delivery, earlier: Notification, later: Notification, severities: SeverityTable
) -> list[Change]:
    texts = dict(Notification.objects.filter(pk__in=[earlier.pk, later.pk]).values_list("pk", "organization"))
    before, after = (parse_json(texts[pk] or "{}") for pk in (earlier.pk, later.pk))
    found = [one for one in differences(before, after) if comparable(one[1]) != comparable(one[2])]
    severities.learn(path for path, _, _ in found)
    return [
        _derived(delivery, earlier, later, position, difference, severities)
        for position, difference in enumerate(found)
    ]


def is_first_known(path: str, before: Any) -> bool:
    """Whether the earlier document lacked the whole member, as it does where a registration gains a data block: what is
    known for the first time did not happen."""
    return before is None and path.count(".") == 1


def _derived(
    delivery: Delivery,
    earlier: Notification,
    later: Notification,
    position: int,
    difference: tuple[str, Any, Any],
    severities: SeverityTable,
) -> Change:
    path, before, after = difference
    moment = later.delivered_at or later.recorded_at
    return Change(
        id=derived_change_id(earlier.pk, later.pk, path, moment),
        company_id=later.company_id,
        kind=Kind.ELEMENT,
        element=element_key(path),
        previous=None if before is None else dump_json(before),
        current=None if after is None else dump_json(after),
        changed_at=moment,
        delivered_at=later.delivered_at,
        position=position,
        place=_story_place(later, position),
        recorded_at=timezone.now(),
        severity=Severity.NOISE if is_first_known(path, before) else severities.of_element(path, after),
        notification_id=later.pk,
        registration_id=later.registration_id,
        delivery_id=delivery.pk,
        derived_from=f"{earlier.pk}:{later.pk}",
    )
