"""What company lists show, as far as events were applied: kept with each company, so that a new event needs no other.

A projection is what a fold of the events gives, less all that no column shows and no later event can bring back. Only
an event behind all that were applied can be applied to it; any other asks for a fold.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from core.json_text import dump_json
from direct_plus.exact_json import parse_json
from monitoring.elements.json_paths import names_below_root
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.state import CompanyState, Event, apply_events
from monitoring.models import Kind

SUMMARY = (
    "organization.primaryName",
    "organization.countryISOAlpha2Code",
    "organization.primaryAddress",
    "organization.dunsControlStatus",
    "organization.corporateLinkage.globalUltimate",
)
SUMMARY_KINDS = (Kind.BASELINE, Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED)
# Of those, what is kept.
SHOWN = (
    ("primaryName",),
    ("countryISOAlpha2Code",),
    ("primaryAddress", "addressCountry", "isoAlpha2Code"),
    ("primaryAddress", "addressLocality", "name"),
    ("dunsControlStatus", "operatingStatus", "description"),
    ("corporateLinkage", "globalUltimate", "duns"),
    # No column, but the name of the group where its head is not in the portfolio.
    ("corporateLinkage", "globalUltimate", "primaryName"),
)
MEMBERS = {names[0] for names in SHOWN}
# Of what is stored: another one is not understood, and made anew.
FORMAT = 2


@lru_cache(maxsize=4096)
def touches_summary(kind: str, path: str) -> bool:
    """Whether a change can alter what company lists show."""
    if kind != Kind.ELEMENT:
        return kind in SUMMARY_KINDS
    return any(path.startswith(known) or known.startswith(path + ".") for known in SUMMARY)


@dataclass(slots=True)
class Projection:
    """The state, and the order of the last event applied to it."""

    state: CompanyState
    order: tuple[Any, ...]
    # When each member was last touched by a change; the document as a whole is "".
    touched: dict[str, datetime] = field(default_factory=dict)

    def note(self, event: Event) -> None:
        self.order = event.order
        if event.kind == Kind.ELEMENT:
            self.touched["".join(names_below_root(event.path)[:1])] = event.moment

    def is_overlapped(self, event: Event) -> bool:
        """Whether a SEED may not show yet what happened shortly before it, to what it carries or removes."""
        if event.seed is None or event.is_fetched:
            return False
        about = event.seed.keys() | self.state.carried.get(event.registration, set())
        return any(
            moment >= event.moment - SEED_MAY_LAG and (not member or member in about)
            for member, moment in self.touched.items()
        )


def folded(events: Iterable[Event]) -> Projection | None:
    """Of all events of a company; None where none of them tells anything."""
    telling = sorted((one for one in events if touches_summary(one.kind, one.path)), key=lambda one: one.order)
    if not telling:
        return None
    projection = Projection(apply_events(telling), ())
    for event in telling:
        projection.note(event)
    return projection


def of_document(registration: uuid.UUID, document: dict[str, Any], order: tuple[Any, ...]) -> Projection:
    """What a fold of one SEED gives."""
    return Projection(CompanyState(document=document, carried={registration: set(document)}), order)


def advanced(
    projection: Projection, events: Iterable[Event], hidden: Collection[uuid.UUID] = (), before: Iterable[Event] = ()
) -> Projection | None:
    """With the events applied, less those that make no difference; None where only a fold can tell what comes out. What
    was given is used up. A SEED that may lack what happened shortly `before` it needs these changes."""
    ordered = sorted((one for one in events if one.id not in hidden), key=lambda one: one.order)
    for event in ordered:
        if event.order <= projection.order or event.carried is not None:
            return None
        projection.note(event)
    apply_events(ordered, projection.state, before)
    return projection


def stored(projection: Projection | None) -> str:
    """What lists show of it, as text."""
    return written(projection, MEMBERS, _shown)


def written(
    projection: Projection | None, members: AbstractSet[str], kept: Callable[[dict[str, Any]], dict[str, Any]]
) -> str:
    """The same text for the same projection, however it came about: of the document what is to be `kept`, which is
    some of these members."""
    if projection is None:
        return ""
    state, moment = projection.state, projection.order[0]
    carried = {registration.hex: sorted(names & members) for registration, names in state.carried.items()}
    return dump_json(
        {
            "format": FORMAT,
            "order": written_order(projection.order),
            "document": kept(state.document),
            "status": _status_text(state.status),
            "carried": {registration: names for registration, names in sorted(carried.items()) if names},
            "touched": {
                member: touched.isoformat()
                for member, touched in sorted(projection.touched.items())
                if touched >= moment - SEED_MAY_LAG
            },
        }
    )


def restored(text: str) -> Projection | None:
    """None where there is none, or one of another version of the program."""
    found = parse_json(text) if text else {}
    if found.get("format") != FORMAT:
        return None
    state = CompanyState(
        document=found["document"],
        status=_status(found["status"]),
        carried={uuid.UUID(registration): set(names) for registration, names in found["carried"].items()},
        notes_mismatches=False,
    )
    touched = {member: datetime.fromisoformat(moment) for member, moment in found["touched"].items()}
    return Projection(state, read_order(found["order"]), touched)


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for names in SHOWN:
        if names[0] not in document:
            continue
        value, depth = document[names[0]], 1
        while isinstance(value, dict) and depth < len(names):
            value, depth = value.get(names[depth]), depth + 1
        if isinstance(value, list):
            # Nothing is placed below it.
            value = []
        if value is not None:
            place = kept
            for name in names[: depth - 1]:
                place = place.setdefault(name, {})
            place[names[depth - 1]] = value
    return kept


def written_order(order: tuple[Any, ...]) -> list[Any]:
    moment, step, place, key = order
    return [moment.isoformat(), step, place, f"{key:032x}"]


def read_order(texts: list[Any]) -> tuple[Any, ...]:
    moment, step, place, key = texts
    return datetime.fromisoformat(moment), int(step), place, int(key, 16)


def _status_text(status: Event | None) -> dict[str, Any] | None:
    if status is None:
        return None
    return {
        "kind": str(status.kind),
        "current": status.current,
        "order": written_order(status.order),
        "registration": status.registration.hex,
    }


def _status(found: dict[str, Any] | None) -> Event | None:
    if found is None:
        return None
    order = read_order(found["order"])
    registration = uuid.UUID(found["registration"])
    return Event(uuid.UUID(int=order[3]), order[0], order, found["kind"], registration, current=found["current"])
