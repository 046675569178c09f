"""Which sources report a company, kept with it: of one that has a single source, and no documents that are compared,
all changes are facts.

Kept before a source's first change is there, so whoever settles what others bring at the same time finds it. Too many
do no harm: then the changes are looked at. A company of which nothing is kept may have any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from core.bulk import distinct_digits, distinct_values, replace_value, select_values
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
    for batch in in_batches(sorted(_lacking(source, kept))):
        _add(source, {duns: kept[duns] for duns in batch})
    return kept


def _lacking(source: str, kept: Mapping[str, str]) -> list[str]:
    return [duns for duns, known in kept.items() if source not in known.split()]


def several_sources(companies: Collection[str]) -> list[str]:
    """Those that may have more than one."""
    return [duns for duns, known in _kept(companies) if len(known.split()) != 1]


def _kept(companies: Collection[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for batch in in_batches(sorted(companies)):
        found += sorted(select_values(Company, ("duns", "sources"), pk__in=batch))
    return found


def _add(source: str, kept: Mapping[str, str]) -> None:
    """By compare-and-swap: of two who add at the same time, the slower adds to what the other has written."""
    while kept:
        missed = [
            duns
            for (before, after), companies in _swaps(source, kept).items()
            if replace_value(Company, "sources", before, after, companies) < len(companies)
            for duns in companies
        ]
        found = dict(_kept(missed))
        kept = {duns: found[duns] for duns in _lacking(source, found)}


def _swaps(source: str, kept: Mapping[str, str]) -> dict[tuple[str, str], list[str]]:
    """The companies whose text becomes another one, by both."""
    history = _of_history([duns for duns, known in kept.items() if not known])
    swaps: dict[tuple[str, str], list[str]] = defaultdict(list)
    for duns, known in kept.items():
        sources = {source, *known.split(), *history.get(duns, ())}
        swaps[known, " ".join(sorted(sources))].append(duns)
    return swaps


def _of_history(companies: Collection[str]) -> dict[str, set[str]]:
    """Where a change does not hold or compares documents, both have to be looked at."""
    found: dict[str, set[str]] = defaultdict(set)
    if not companies:
        return found
    for duns, source in distinct_digits(Change, "company_id", "place", SOURCE, company__in=companies):
        found[duns].add(source)
    for not_plain in ({"superseded": True}, {"derived_from__gt": ""}):
        for duns in distinct_values(Change, "company_id", company__in=list(found), **not_plain):
            found[duns].add(DOCUMENTS)
    return found
