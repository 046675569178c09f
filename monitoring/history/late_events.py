"""Late events that make no difference any more, because what happened after them says all they do: no fold for these.

A change is hidden by a later one at its path or above, unless a SEED came since it, which may take it up once more; and
by a SEED from more than four days after it that carries its member. A status is hidden by a later one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from django.db.models import Count, Max, Q

from direct_plus.exact_json import parse_json
from monitoring.elements.json_paths import names_below_root
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.state import SNAPSHOT, STATUS_KINDS, Event
from monitoring.history.summary import Projection
from monitoring.models import Change, Kind, Notification

Late = Mapping[str, Sequence[Event]]
ANY_TIME = datetime.max.replace(tzinfo=UTC)


def hidden_events(events: Late, projections: Mapping[str, Projection]) -> set[uuid.UUID]:
    """Those that come before the last that was applied to their company's projection, and alter nothing in it."""
    late = {
        duns: found
        for duns, projection in projections.items()
        if (found := [event for event in events.get(duns, ()) if event.order < projection.order])
    }
    hidden = {event.id for duns in late for event in late[duns] if _has_later_status(event, projections[duns])}
    changes = {
        duns: found
        for duns in late
        if (found := [event for event in late[duns] if event.kind == Kind.ELEMENT and names_below_root(event.path)])
    }
    return hidden | set(_hidden_changes(changes)) if changes else hidden


def _has_later_status(event: Event, projection: Projection) -> bool:
    status = projection.state.status
    return event.kind in STATUS_KINDS and status is not None and event.order < status.order


def _hidden_changes(late: Late) -> Iterator[uuid.UUID]:
    since = min(event.moment for events in late.values() for event in events)
    seeds = _last_seeds(list(late), since)
    members = _members(seeds)
    later = _later_changes(late, since)
    for duns, events in late.items():
        for event in events:
            seed = seeds.get(duns)
            if seed is None or seed < event.moment:
                is_hidden = any(later.get((duns, path), event.moment) > event.moment for path in _above(event.path))
            else:
                is_hidden = seed > event.moment + SEED_MAY_LAG and names_below_root(event.path)[0] in members[duns]
            if is_hidden:
                yield event.id


def _last_seeds(companies: Sequence[str], since: datetime) -> dict[str, datetime]:
    """Of companies that got one since then; one without a stamp may stand anywhere."""
    seeds = Notification.objects.filter(company__in=companies, type__in=("SEED", SNAPSHOT))
    recent = seeds.filter(Q(delivered_at__gte=since) | Q(delivered_at=None)).order_by().values_list("company_id")
    found = recent.annotate(Max("delivered_at"), Count("pk"), Count("delivered_at"))
    return {duns: last if count == stamped else ANY_TIME for duns, last, count, stamped in found}


def _members(seeds: Mapping[str, datetime]) -> dict[str, set[str]]:
    """What the last SEED carries."""
    members: dict[str, set[str]] = {duns: set() for duns in seeds}
    last = Q(pk__in=())
    for duns, stamp in seeds.items():
        last |= Q(company=duns, delivered_at=stamp)
    for duns, text in Notification.objects.filter(last, type="SEED").values_list("company_id", "organization"):
        members[duns] = set(parse_json(text or "{}"))
    return members


def _later_changes(late: Late, since: datetime) -> dict[tuple[str, str], datetime]:
    """When each path, or one above it, changed last."""
    paths = {path for events in late.values() for event in events for path in _above(event.path)}
    rows = Change.objects.filter(company__in=list(late), kind=Kind.ELEMENT, derived_from="", changed_at__gt=since)
    found = rows.filter(element__in=sorted(paths)).order_by().values_list("company_id", "element")
    return {(duns, path): moment for duns, path, moment in found.annotate(Max("changed_at"))}


def _above(path: str) -> list[str]:
    """The path and those above it, below the document."""
    names = path.split(".")
    first = len(names) - len(names_below_root(path))
    return [".".join(names[:depth]) for depth in range(first + 1, len(names) + 1)]
