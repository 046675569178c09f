"""Company rows follow history: headline columns for lists; consecutive SEEDs compared (design §4.8, §4.10)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.bulk import update_version
from core.db import clean_text, in_batches, insert_new, search_name
from core.json_text import dump_json
from direct_plus.duns import InvalidDuns, normalise_duns
from direct_plus.payloads import parse_json
from monitoring.history import Profile, differences, events_of, fold
from monitoring.identity import derived_change_id
from monitoring.models import Change, Delivery, Kind, Notification
from monitoring.order import notification_key, story_place
from monitoring.weighing import Weights, element_key
from portfolio.models import Company

HEADLINE = (
    "organization.primaryName",
    "organization.countryISOAlpha2Code",
    "organization.primaryAddress",
    "organization.dunsControlStatus",
)
HEADLINE_KINDS = (Kind.BASELINE, Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED)
STANDING = {Kind.DELETED: "Deleted at D&B", Kind.TRANSFERRED: "Merged into another company"}


def touches_headline(kind: str, path: str) -> bool:
    """Whether a change can alter what company lists show."""
    if kind != Kind.ELEMENT:
        return kind in HEADLINE_KINDS
    return any(path.startswith(known) or known.startswith(path + ".") for known in HEADLINE)


def project(changed: dict[str, datetime], headline: set[str], bump: set[str]) -> None:
    """Bring company rows up to date: `changed` holds each company's newest change, `headline` those to fold again.

    Those in `bump` get a new version even when nothing differs: whoever folded them without what was inserted just
    now, and has not written yet, must not get through.
    """
    for batch in in_batches(sorted(set(changed) | headline), 200):
        waiting = list(batch)
        while waiting:
            waiting = _project_round(waiting, changed, headline, bump)


def _project_round(duns: list[str], changed: dict[str, datetime], headline: set[str], bump: set[str]) -> list[str]:
    """One try for each company; returns those that somebody else changed meanwhile."""
    rows = list(Company.objects.filter(pk__in=duns).order_by("pk"))
    folded = [row.duns for row in rows if row.duns in headline]
    events = events_of(folded, paths=HEADLINE) if folded else {}
    columns = {row.duns: columns_of(fold(events.get(row.duns, []))) for row in rows if row.duns in headline}
    return [
        row.duns
        for row in rows
        if not _update(row, columns.get(row.duns), changed.get(row.duns), bump=row.duns in bump)
    ]


def _update(row: Company, columns: dict[str, Any] | None, newest: datetime | None, *, bump: bool) -> bool:
    """Write what differs, if nobody else did meanwhile; False asks for another round."""
    wanted = dict(columns or {})
    if newest and (row.changed_at is None or newest > row.changed_at):
        wanted["changed_at"] = newest
    different = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if not different and not (bump and columns is not None):
        return True
    return update_version(row, different)


def columns_of(profile: Profile) -> dict[str, Any]:
    name = clean_text(_string(profile.value("organization.primaryName")))
    country = profile.value("organization.countryISOAlpha2Code") or profile.value(
        "organization.primaryAddress.addressCountry.isoAlpha2Code"
    )
    return {
        "name": name,
        "search_name": search_name(name),
        "country": clean_text(_string(country), 2).upper(),
        "city": clean_text(_string(profile.value("organization.primaryAddress.addressLocality.name")), 200),
        "operating_status": _status(profile),
        "merged_into": merged_into(profile),
    }


def merged_into(profile: Profile) -> str:
    """The company that D&B has merged it into, if its number can be one."""
    standing = profile.standing
    if standing is None or standing.kind != Kind.TRANSFERRED or not isinstance(standing.current, str):
        return ""
    try:
        return normalise_duns(standing.current)
    except InvalidDuns:
        return ""


def _status(profile: Profile) -> str:
    if profile.standing and profile.standing.kind in STANDING:
        return STANDING[Kind(profile.standing.kind)]
    status = profile.value("organization.dunsControlStatus.operatingStatus")
    text = status.get("description") if isinstance(status, dict) else status
    return clean_text(_string(text), 200)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def compare_seeds(delivery: Delivery, weights: Weights, moved: Iterable[str] = ()) -> list[Change]:
    """Compare the SEEDs that this delivery brought with those before and after them; returns what was inserted.

    The differences become `element` changes of this delivery, so that readers of publications see them; the comparison
    that a late SEED stands between is marked superseded. Of the companies in `moved`, whose SEEDs stand in another
    order now, all are compared.
    """
    brought = Notification.objects.filter(delivery=delivery, type="SEED").values_list("pk", "company_id")
    seeds: defaultdict[str, set[uuid.UUID]] = defaultdict(set)
    for key, company in brought:
        seeds[company].add(key)
    chosen: dict[str, set[uuid.UUID] | None] = {**seeds, **dict.fromkeys(moved)}
    return _compare_until_unchanged(delivery, chosen, weights)


def compare_company(delivery: Delivery, duns: str, weights: Weights) -> list[Change]:
    """Compare all consecutive SEEDs of one company; returns what was inserted."""
    return _compare_until_unchanged(delivery, {duns: None}, weights)


def _compare_until_unchanged(
    delivery: Delivery, chosen: Mapping[str, set[uuid.UUID] | None], weights: Weights
) -> list[Change]:
    """Others may add SEEDs meanwhile, and see nothing of what is written here until it is committed: whoever writes
    comparisons looks at the SEEDs again afterwards."""
    inserted: list[Change] = []
    waiting = sorted(chosen)
    while waiting:
        compared: dict[str, list[uuid.UUID]] = {}
        with transaction.atomic():
            for duns in waiting:
                rows, compared[duns] = _compare(delivery, duns, weights, chosen[duns])
                inserted += rows
        waiting = [duns for duns, seeds in compared.items() if _keys(_chain(delivery, duns)) != seeds]
    return inserted


def _compare(
    delivery: Delivery, duns: str, weights: Weights, seeds: set[uuid.UUID] | None
) -> tuple[list[Change], list[uuid.UUID]]:
    """Once over the pairs with one of `seeds` (None: all); what was inserted, and the SEEDs as they stood."""
    derived = Change.objects.filter(company=duns, registration=delivery.registration_id).exclude(derived_from="")
    # Read before the SEEDs: whoever made these rows saw SEEDs that the next query sees as well.
    known = dict(derived.order_by().values_list("derived_from", "superseded"))
    chain = _chain(delivery, duns)
    wanted = {f"{one.pk}:{two.pk}": (one, two) for one, two in pairwise(chain)}
    pairs = [pair for pair in wanted.values() if seeds is None or not seeds.isdisjoint(seed.pk for seed in pair)]
    inserted = [row for pair in pairs for row in insert_new(Change, _comparison(delivery, *pair, weights))]
    derived.filter(derived_from__in=known.keys() - wanted.keys(), superseded=False).update(superseded=True)
    again = {pair for pair, superseded in known.items() if superseded and pair in wanted}
    derived.filter(derived_from__in=again, superseded=True).update(superseded=False)
    if seeds is None:
        _keep_places(derived, wanted.values())
    return inserted, _keys(chain)


def _keep_places(derived: QuerySet[Change], pairs: Iterable[tuple[Notification, Notification]]) -> None:
    """A comparison stands where its later SEED stands."""
    later = {two.pk: two for _, two in pairs}
    for row in derived.filter(superseded=False).only("notification_id", "position", "place"):
        seed = later.get(row.notification_id)
        if seed and row.place != (place := _story_place(seed, row.position)):
            Change.objects.filter(pk=row.pk).update(place=place)


def _chain(delivery: Delivery, duns: str) -> list[Notification]:
    """The registration's SEEDs of a company, in the order of the story."""
    rows = Notification.objects.filter(registration=delivery.registration_id, company=duns, type="SEED")
    return sorted(rows.defer("organization"), key=notification_key)


def _keys(chain: Iterable[Notification]) -> list[uuid.UUID]:
    return [seed.pk for seed in chain]


def _story_place(seed: Notification, position: int) -> str:
    """The baseline itself is the first change of its place; its comparison follows."""
    return story_place(seed.delivered_at or seed.recorded_at, seed.place, position + 1)


def _comparison(delivery: Delivery, earlier: Notification, later: Notification, weights: Weights) -> list[Change]:
    texts = dict(Notification.objects.filter(pk__in=[earlier.pk, later.pk]).values_list("pk", "organization"))
    before, after = (parse_json(texts[pk] or "{}") for pk in (earlier.pk, later.pk))
    found = differences(before, after)
    weights.learn(path for path, _, _ in found)
    return [
        _derived(delivery, earlier, later, position, difference, weights) for position, difference in enumerate(found)
    ]


def _derived(
    delivery: Delivery,
    earlier: Notification,
    later: Notification,
    position: int,
    difference: tuple[str, Any, Any],
    weights: Weights,
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
        severity=weights.of_element(path, after),
        notification_id=later.pk,
        registration_id=later.registration_id,
        delivery_id=delivery.pk,
        derived_from=f"{earlier.pk}:{later.pk}",
    )
