"""Company rows follow history: the columns that lists show."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from core.bulk import select_rows, update_later, update_versions
from core.db import clean_text, in_batches, search_name
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.late_events import hidden_events
from monitoring.history.state import CompanyState, Event, changes_since, events_among, events_of
from monitoring.history.summary import SUMMARY, Projection, advanced, folded, restored, stored
from monitoring.models import Kind
from portfolio.companies.word_index import write_company_words
from portfolio.models import Company

PROJECTED = ("name", "search_name", "country", "city", "operating_status", "merged_into", "global_ultimate")
COLUMNS = ("duns", *PROJECTED, "changed_at", "projection", "version")
STATUS = {Kind.DELETED: "Deleted at D&B", Kind.TRANSFERRED: "Merged into another company"}


@dataclass(slots=True)
class NewEvents:
    """What a delivery brought of a company and nobody has applied: keys of its SEEDs, and of its changes."""

    seeds: set[uuid.UUID] = field(default_factory=set)
    changes: set[uuid.UUID] = field(default_factory=set)


def project(
    changed: Mapping[str, datetime],
    summary: AbstractSet[str],
    bump: AbstractSet[str],
    new: Mapping[str, NewEvents] | None = None,
) -> None:
    """Bring company rows up to date: `changed` holds each company's newest change, `summary` those to apply again.

    Of a company in `new`, only these events are applied to what was there, if they come after all that was applied: no
    more work for a long past than for a short one. For any other, all its events are read and applied.

    Those in `bump` get a new version even when nothing differs: whoever applied their events without what was inserted
    just now, and has not written yet, must not get through.
    """
    for batch in in_batches(sorted(set(changed) | summary), 200):
        waiting = list(batch)
        while waiting:
            waiting = _project_round(waiting, changed, summary, bump, new or {})


def _project_round(
    duns: list[str],
    changed: Mapping[str, datetime],
    summary: AbstractSet[str],
    bump: AbstractSet[str],
    new: Mapping[str, NewEvents],
) -> list[str]:
    """One try for each company; returns those that somebody else changed meanwhile."""
    rows = sorted(select_rows(Company, COLUMNS, pk__in=duns), key=attrgetter("pk"))
    columns = _projected([row for row in rows if row.duns in summary], new)
    different = [(row, _different(row, columns.get(row.duns), changed.get(row.duns))) for row in rows]
    write_company_words(
        (row.duns, new.get("name", ""), new.get("city", "")) for row, new in different if new.keys() & {"name", "city"}
    )
    return [row.pk for row in update_versions([(row, new) for row, new in different if new or row.duns in bump])]


def raise_times(changed: Mapping[str, datetime]) -> None:
    """Companies of which nothing else is different: each has the time of its newest change, whoever writes last."""
    update_later(Company, "changed_at", dict(sorted(changed.items())))


def _projected(rows: Sequence[Company], new: Mapping[str, NewEvents]) -> dict[str, dict[str, Any]]:
    """The columns that are projected, of each company."""
    projections: dict[str, Projection | None] = _advanced([row for row in rows if row.duns in new], new)
    to_fold = [row.duns for row in rows if row.duns not in projections]
    events = events_of(to_fold, paths=SUMMARY) if to_fold else {}
    projections.update((duns, folded(events.get(duns, []))) for duns in to_fold)
    return {duns: columns_from(projection) for duns, projection in projections.items()}


def _advanced(rows: Sequence[Company], new: Mapping[str, NewEvents]) -> dict[str, Projection | None]:
    """Those whose new events can be applied to what was applied before.

    The events are read after the row: whoever moves one in the order gives the row another version afterwards.
    """
    known = {row.duns: projection for row in rows if (projection := restored(row.projection))}
    seeds = [key for duns in known for key in sorted(new[duns].seeds)]
    changes = [key for duns in known for key in sorted(new[duns].changes)]
    events = events_among(seeds, changes)
    hidden, before = hidden_events(events, known), shortly_before(events, known, SUMMARY)
    found: dict[str, Projection | None] = {}
    for duns, projection in known.items():
        is_whole = len(events.get(duns, [])) == len(new[duns].seeds) + len(new[duns].changes)
        if is_whole and (after := advanced(projection, events[duns], hidden, before.get(duns, ()))):
            found[duns] = after
    return found


def shortly_before(
    events: Mapping[str, Sequence[Event]], projections: Mapping[str, Projection], paths: Sequence[str]
) -> dict[str, list[Event]]:
    """The changes that a SEED among the events may not show yet."""
    seeds = [
        (duns, event.moment)
        for duns, projection in projections.items()
        for event in events.get(duns, ())
        if projection.is_overlapped(event)
    ]
    if not seeds:
        return {}
    since = min(moment for _, moment in seeds) - SEED_MAY_LAG
    found = changes_since(since, sorted({duns for duns, _ in seeds}), paths)
    return {duns: [one for one in found[duns] if one not in events[duns]] for duns, _ in seeds}


def columns_from(projection: Projection | None) -> dict[str, Any]:
    """All that is projected: what lists show, and what it was made of."""
    state = projection.state if projection else CompanyState()
    return columns_of(state) | {"projection": stored(projection)}


def _different(row: Company, columns: dict[str, Any] | None, newest: datetime | None) -> dict[str, Any]:
    values = dict(columns or {})
    if newest and (row.changed_at is None or newest > row.changed_at):
        values["changed_at"] = newest
    return {name: value for name, value in values.items() if getattr(row, name) != value}


def columns_of(profile: CompanyState) -> dict[str, Any]:
    name = clean_text(_string(profile.value("organization.primaryName")))
    return {
        "name": name,
        "search_name": search_name(name),
        "city": clean_text(_string(profile.value("organization.primaryAddress.addressLocality.name")), 200),
        "merged_into": merged_into(profile),
        **shared_columns(profile),
    }


def shared_columns(profile: CompanyState) -> dict[str, str]:
    """Of those columns, the ones that are figures too."""
    country = profile.value("organization.countryISOAlpha2Code") or profile.value(
        "organization.primaryAddress.addressCountry.isoAlpha2Code"
    )
    return {
        "country": clean_text(_string(country), 2).upper(),
        "operating_status": _status(profile),
        "global_ultimate": _number(profile.value("organization.corporateLinkage.globalUltimate.duns")),
    }


def merged_into(profile: CompanyState) -> str:
    """The company that D&B has merged it into, if its number can be one."""
    status = profile.status
    if status is None or status.kind != Kind.TRANSFERRED or not isinstance(status.current, str):
        return ""
    return _number(status.current)


def _number(value: Any) -> str:
    """A D-U-N-S number, where it can be one."""
    try:
        return normalise_duns(value) if isinstance(value, str) else ""
    except InvalidDuns:
        return ""


def _status(profile: CompanyState) -> str:
    if profile.status and profile.status.kind in STATUS:
        return STATUS[Kind(profile.status.kind)]
    status = profile.value("organization.dunsControlStatus.operatingStatus")
    text = status.get("description") if isinstance(status, dict) else status
    return clean_text(_string(text), 200)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
