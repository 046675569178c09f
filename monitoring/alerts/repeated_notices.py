"""Notices of D&B's that say again what an earlier one has said: they raise nothing."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping

from monitoring.models import Change, Kind, Publication
from monitoring.story_order import OLDEST_FIRST, story_key

FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED}),
    frozenset({Kind.UNDER_REVIEW, Kind.REVIEWED}),
    frozenset({Kind.LEFT, Kind.ENTERED, Kind.REMOVED}),
)


def known_already(changes: Iterable[Change], sequence: int) -> set[uuid.UUID]:
    """Notices that say what the last one about the company, published before, has said already."""
    notices = {change.pk: change for change in changes if _family(change.kind)}
    if not notices:
        return set()
    earlier = _earlier_notices({change.company_id for change in notices.values()}, sequence)
    return {key for key, change in notices.items() if _is_known(change, sequence, earlier[change.company_id])}


def _family(kind: str) -> frozenset[str]:
    return next((family for family in FAMILIES if kind in family), frozenset())


def _earlier_notices(companies: set[str], sequence: int) -> Mapping[str, list[tuple[int, Change]]]:
    """Notices about these companies with the publication that brought each, up to this one."""
    kinds = [kind for family in FAMILIES for kind in family]
    rows = list(Change.objects.filter(company__in=companies, kind__in=kinds).order_by(*OLDEST_FIRST))
    published = Publication.objects.filter(delivery__in={row.delivery_id for row in rows}, sequence__lte=sequence)
    numbers = dict(published.values_list("delivery_id", "sequence"))
    found: dict[str, list[tuple[int, Change]]] = defaultdict(list)
    for row in rows:
        if row.delivery_id in numbers:
            found[row.company_id].append((numbers[row.delivery_id], row))
    return found


def _is_known(change: Change, sequence: int, notices: Iterable[tuple[int, Change]]) -> bool:
    """Compared with its neighbours in time among those published before it."""
    family = _family(change.kind)
    is_of_registration = Kind.LEFT in family
    before = after = None
    for published, other in notices:
        if (published, story_key(other)) >= (sequence, story_key(change)) or other.kind not in family:
            continue
        if is_of_registration and other.registration_id != change.registration_id:
            continue
        if story_key(other) < story_key(change):
            before = other
        else:
            after = after or other
    return any(other is not None and _says_the_same(other, change) for other in (before, after))


def _says_the_same(one: Change, other: Change) -> bool:
    return one.kind == other.kind and (one.kind != Kind.TRANSFERRED or one.current == other.current)
