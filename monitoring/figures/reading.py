"""Figures read from what is known of a company; those that a change may alter."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from monitoring.figures.catalog import CATALOG, MEMBERS, Figure, Figures
from monitoring.history.state import CompanyState

NOTHING = Figures()


def figures_of(state: CompanyState, known: Figures | None = None, again: Collection[Figure] = ()) -> Figures:
    """What the state tells; of what is `known` already, only the figures to be read `again`."""
    if known is None and not state.document and state.status is None:
        return NOTHING
    readable = _readable(MEMBERS.intersection(state.document)) if state.status is None else CATALOG
    is_whole = known is None or len(again) == len(CATALOG)
    values = list(NOTHING if known is None or is_whole else known)
    for figure in readable if is_whole else again:
        told = figure.read(state) if figure in readable else figure.unknown
        for place, value in zip(figure.places, told, strict=True):
            values[place] = value
    return Figures._make(values)


@lru_cache(maxsize=4096)
def _readable(members: frozenset[str]) -> tuple[Figure, ...]:
    """Those that a document with these members could tell."""
    return tuple(figure for figure in CATALOG if not figure.members.isdisjoint(members))


@lru_cache(maxsize=4096)
def figures_told(path: str) -> tuple[Figure, ...]:
    """Those that a change of this element may alter; one without an element, all."""
    return tuple(
        figure
        for figure in CATALOG
        if not path or any(path.startswith(one) or one.startswith(path + ".") for one in figure.paths)
    )
