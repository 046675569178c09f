"""Figures read from what is known of a company; those that a change may alter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from monitoring.figures.catalog import CATALOG, Figure, Figures
from monitoring.history.state import CompanyState

NOTHING = Figures()
UNKNOWN: Mapping[str, Any] = NOTHING._asdict()


def figures_of(state: CompanyState, known: Figures | None = None, again: Iterable[Figure] = ()) -> Figures:
    """What the state tells; of what is `known` already, only the figures to be read `again`."""
    if known is None and not state.document and state.status is None:
        return NOTHING
    values: dict[str, Any] = {}
    for figure in CATALOG if known is None else again:
        if not figure.is_unknown(state):
            values |= zip(figure.columns, figure.read(state), strict=True)
        elif known:
            values |= {name: UNKNOWN[name] for name in figure.columns}
    return (known or NOTHING)._replace(**values)


@lru_cache(maxsize=4096)
def figures_told(path: str) -> tuple[Figure, ...]:
    """Those that a change of this element may alter; one without an element, all."""
    return tuple(
        figure
        for figure in CATALOG
        if not path or any(path.startswith(one) or one.startswith(path + ".") for one in figure.paths)
    )
