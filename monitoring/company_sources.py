"""Which sources report a company, kept with it: of one that has a single source, and no documents that are compared,
all changes are facts.

Kept before a source's first change is there, so whoever settles what others bring at the same time finds it. Too many
do no harm: then the changes are looked at. A company of which nothing is kept may have any.
"""

from __future__ import annotations

from collections.abc import Collection

from core.bulk import distinct_digits, distinct_values, select_values, update_values
from core.db import in_batches
from monitoring.models import Change, Delivery
from monitoring.story_order import SOURCE, place_of, source_of
from portfolio.models import Company

# Beside the source, where it reports by documents.
DOCUMENTS = "documents"


def source_of_delivery(delivery: Delivery) -> str:
    return source_of(delivery.registration_id, place_of(delivery, 0))


def add_source(source: str, companies: Collection[str]) -> dict[str, str]:
    """To those that are there and lack it; returns those that are there, with what was kept before."""
    kept = dict(_kept(companies))
    for duns, known in kept.items():
        if source not in known.split():
            _add(source, duns, known)
    return kept


def several_sources(companies: Collection[str]) -> list[str]:
    """Those that may have more than one."""
    return [duns for duns, known in _kept(companies) if len(known.split()) != 1]


def _kept(companies: Collection[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for batch in in_batches(sorted(companies)):
        found += sorted(select_values(Company, ("duns", "sources"), pk__in=batch))
    return found


def _add(source: str, duns: str, known: str) -> None:
    """By compare-and-swap: of two who add at once, the slower adds to what the other has written."""
    while source not in known.split():
        before = set(known.split()) if known else _of_history(duns)
        if update_values(Company, {"sources": " ".join(sorted(before | {source}))}, pk=duns, sources=known):
            return
        found = _kept([duns])
        if not found:
            return
        known = found[0][1]


def _of_history(duns: str) -> set[str]:
    """Where a change does not hold or compares documents, both have to be looked at."""
    found = {source for _, source in distinct_digits(Change, "company_id", "place", SOURCE, company=duns)}
    not_plain = ({"superseded": True}, {"derived_from__gt": ""})
    if any(distinct_values(Change, "company_id", company=duns, **condition) for condition in not_plain):
        found.add(DOCUMENTS)
    return found
