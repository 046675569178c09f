"""Consecutive SEEDs of a company compared: changes that D&B has not told one by one."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from core.db import in_batches, insert_new
from core.json_text import dump_json
from direct_plus.exact_json import parse_json
from monitoring.content_ids import derived_change_id
from monitoring.elements.json_paths import comparable, differences
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.elements.score_dates import is_only_dates
from monitoring.history.window import ANSWERS_OR_FILES, near_each_other, of_source
from monitoring.models import Change, Delivery, Kind, Notification, Severity
from monitoring.story_order import OF_FETCHES, notification_key, source_of, story_place

AT_ONCE = 100
Pair = tuple[Notification, Notification]
Difference = tuple[str, Any, Any]
# Of each company the keys of SEEDs; None for all.
Chosen = Mapping[str, AbstractSet[uuid.UUID] | None]
Chains = Mapping[str, list[Notification]]


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
    chosen: Chosen = {**seeds, **dict.fromkeys(moved)}
    return _compare_until_unchanged(delivery, chosen, severities)


def compare_company(delivery: Delivery, duns: str, severities: SeverityTable) -> list[Change]:
    """Compare all consecutive SEEDs of one company; returns what was inserted."""
    return _compare_until_unchanged(delivery, {duns: None}, severities)


def _compare_until_unchanged(delivery: Delivery, chosen: Chosen, severities: SeverityTable) -> list[Change]:
    """Others may add SEEDs or place them elsewhere meanwhile, and see nothing of what is written here until it is
    committed: whoever writes comparisons looks at the SEEDs again afterwards, and at where the comparisons stand."""
    inserted: list[Change] = []
    for batch in in_batches(sorted(chosen), AT_ONCE):
        waiting = {duns: chosen[duns] for duns in batch}
        moved = {duns for duns, seeds in waiting.items() if seeds is None}
        while waiting:
            with transaction.atomic():
                chains = _chains(delivery.registration_id, waiting)
                _keep_places(delivery, {duns: chains[duns] for duns in moved & waiting.keys()})
                inserted += _compare(delivery, waiting, chains, severities)
            now = _chains(delivery.registration_id, waiting)
            waiting = {duns: chosen[duns] for duns in waiting if _places(now[duns]) != _places(chains[duns])}
            moved |= waiting.keys()
    return inserted


def _compare(delivery: Delivery, chosen: Chosen, chains: Chains, severities: SeverityTable) -> list[Change]:
    """Once over the pairs with one of the chosen (None: all); what was inserted."""
    found: list[Pair] = []
    for duns, seeds in chosen.items():
        pairs = _pairs(chains[duns])
        found += [pair for pair in pairs if seeds is None or not seeds.isdisjoint(_keys(pair))]
    inserted: list[Change] = []
    for some in in_batches(found, AT_ONCE):
        inserted += insert_new(Change, _comparisons(delivery, some, severities))
    return inserted


def _pairs(chain: Iterable[Notification]) -> list[Pair]:
    """Neighbors of one source: a registration's answers and its files each tell the story on their own account."""
    by_source: defaultdict[str, list[Notification]] = defaultdict(list)
    for seed in chain:
        by_source[source_of(seed.registration_id, seed.place)].append(seed)
    return [pair for seeds in by_source.values() for pair in pairwise(seeds)]


def _keep_places(delivery: Delivery, chains: Chains) -> None:
    """A comparison stands where its later SEED stands."""
    for duns, chain in chains.items():
        later = {two.pk: two for _, two in _pairs(chain)}
        derived = Change.objects.filter(company=duns, registration=delivery.registration_id).exclude(derived_from="")
        for row in derived.only("notification_id", "position", "place"):
            seed = later.get(row.notification_id)
            if seed and row.place != (place := _story_place(seed, row.position)):
                Change.objects.filter(pk=row.pk).update(place=place)


def _chains(registration: uuid.UUID, chosen: Chosen) -> Chains:
    """The registration's SEEDs of each company, in the order of the story: all, or only the chosen and their
    neighbors. A fetched document holds other data blocks than the registration sends: it is compared with none."""
    seeds = Notification.objects.filter(registration=registration, type="SEED").exclude(place__range=OF_FETCHES)
    rows = seeds.defer("organization")
    unstamped = rows.filter(company__in=list(chosen), delivered_at=None).values_list("company_id", flat=True)
    whole = {duns for duns, seeds in chosen.items() if seeds is None}.union(unstamped)
    ranges = _ranges({key for duns, seeds in chosen.items() if duns not in whole for key in seeds or ()}, registration)
    found = list(rows.filter(company__in=sorted(whole))) if whole else []
    for companies in near_each_other({duns: first for duns, (first, _) in ranges.items()}):
        last = max(ranges[duns][1] for duns in companies)
        found += rows.filter(company__in=companies, delivered_at__gte=ranges[companies[0]][0], delivered_at__lte=last)
    chains: dict[str, list[Notification]] = {duns: [] for duns in chosen}
    for seed in sorted(found, key=notification_key):
        chains[seed.company_id].append(seed)
    return chains


def _ranges(seeds: AbstractSet[uuid.UUID], registration: uuid.UUID) -> dict[str, tuple[datetime, datetime]]:
    """Of each company from the SEED of its source before the first of these to the one after the last: stamps, so that
    all that share one are among them."""
    ranges: dict[str, tuple[datetime, datetime]] = {}
    for is_file in ANSWERS_OR_FILES:
        source = of_source(registration, is_file=is_file)
        others = source.filter(company=OuterRef("company"))
        before = others.filter(delivered_at__lt=OuterRef("delivered_at")).order_by("-delivered_at")
        after = others.filter(delivered_at__gt=OuterRef("delivered_at")).order_by("delivered_at")
        stamps = [Subquery(rows.values("delivered_at")[:1]) for rows in (before, after)]
        for keys in in_batches(sorted(seeds)):
            found = source.filter(pk__in=keys).values_list("company_id", "delivered_at", *stamps)
            for duns, stamp, previous, following in found:
                first, last = ranges.get(duns, (stamp, stamp))
                ranges[duns] = min(first, previous or stamp), max(last, following or stamp)
    return ranges


def _keys(chain: Iterable[Notification]) -> list[uuid.UUID]:
    return [seed.pk for seed in chain]


def _places(chain: Iterable[Notification]) -> list[tuple[uuid.UUID, str]]:
    return [(seed.pk, seed.place) for seed in chain]


def _story_place(seed: Notification, position: int) -> str:
    """The baseline itself is the first change of its place; its comparison follows."""
    return story_place(seed.registration_id, seed.delivered_at or seed.recorded_at, seed.place, position + 1)


def _comparisons(delivery: Delivery, pairs: Iterable[Pair], severities: SeverityTable) -> list[Change]:
    keys = {seed.pk for pair in pairs for seed in pair}
    texts = Notification.objects.filter(pk__in=sorted(keys)).values_list("pk", "organization")
    documents = {key: parse_json(text or "{}") for key, text in texts}
    found = [(one, two, document_differences(documents[one.pk], documents[two.pk])) for one, two in pairs]
    severities.learn(path for _, _, differing in found for path, _, _ in differing)
    return [
        _derived(delivery, earlier, later, position, difference, severities)
        for earlier, later, differing in found
        for position, difference in enumerate(differing)
    ]


def document_differences(before: Any, after: Any) -> list[Difference]:
    return [one for one in differences(before, after) if comparable(one[1]) != comparable(one[2])]


def is_first_known(path: str, before: Any) -> bool:
    """Whether the earlier document lacked the whole member, as it does where a registration gains a data block: what is
    known for the first time did not happen."""
    return before is None and path.count(".") == 1


def _is_noise(difference: Difference) -> bool:
    path, before, _after = difference
    return is_first_known(path, before) or is_only_dates(*difference)


def _derived(
    delivery: Delivery,
    earlier: Notification,
    later: Notification,
    position: int,
    difference: Difference,
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
        severity=Severity.NOISE if _is_noise(difference) else severities.of_element(path, after, before),
        notification_id=later.pk,
        registration_id=later.registration_id,
        delivery_id=delivery.pk,
        derived_from=f"{earlier.pk}:{later.pk}",
    )
