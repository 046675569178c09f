"""Names of owners that are not in the portfolio, as D&B reports them with the companies that they own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from monitoring.company_page.summary import LINKAGE
from monitoring.history.state import apply_events, events_of
from monitoring.history.summary import restored
from portfolio.models import Company

ROLES = (("parent", "parent"), ("domestic_ultimate", "domesticUltimate"), ("global_ultimate", "globalUltimate"))
MOST = 20


def ultimate_name(company: Company) -> str:
    """As the company reports it now; empty where it reports none. Of a row with its projection: no query."""
    projection = restored(company.projection)
    name = projection.state.value(f"{LINKAGE}.globalUltimate.primaryName") if projection else None
    return name if isinstance(name, str) else ""


def names_of(numbers: Iterable[str], companies: Iterable[Company]) -> dict[str, str]:
    """Of as many as one look at history may cost; the others are shown by their numbers."""
    wanted = set(numbers)
    reporters: dict[str, str] = {}
    for row in companies:
        for column, _role in ROLES:
            if (owner := getattr(row, column)) in wanted and len(reporters) < MOST:
                reporters.setdefault(owner, row.duns)
    events = events_of(sorted(set(reporters.values())), paths=[LINKAGE]) if reporters else {}
    found: dict[str, str] = {}
    for duns in sorted(events):
        found |= _names_in(apply_events(events[duns]).value(LINKAGE))
    return {number: found[number] for number in wanted if found.get(number)}


def _names_in(linkage: Any) -> dict[str, str]:
    owners = [linkage.get(role) for _column, role in ROLES] if isinstance(linkage, Mapping) else []
    return {
        one["duns"]: one["primaryName"]
        for one in owners
        if isinstance(one, Mapping) and isinstance(one.get("duns"), str) and isinstance(one.get("primaryName"), str)
    }
