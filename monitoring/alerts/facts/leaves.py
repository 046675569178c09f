"""The plain values that a change has changed, each with its path: of a container those of its members."""

from __future__ import annotations

from monitoring.elements.compare import leaves
from monitoring.elements.formatting import from_json
from monitoring.elements.json_paths import same_value
from monitoring.elements.paths import Facet
from monitoring.models import Change


def changed_leaves(change: Change) -> dict[str, Facet]:
    facet = Facet(change.element, from_json(change.previous), from_json(change.current))
    return {leaf.path: leaf for leaf in leaves(facet) if not same_value(leaf.previous, leaf.current)}


def overlap(one: str, other: str) -> bool:
    """Whether one element is the other, or a part of it."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")
