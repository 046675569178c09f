"""What a company's figures were made of, as text: of the document only what tells a figure."""

from __future__ import annotations

from typing import Any

from monitoring.elements.json_paths import names_below_root
from monitoring.figures.catalog import MEMBERS, PATHS
from monitoring.history.summary import Projection, written


def stored(projection: Projection | None) -> str:
    return written(projection, MEMBERS, lambda document: _kept(document, TREE))


def _kept(document: dict[str, Any], tree: dict[str, Any]) -> dict[str, Any]:
    """What the tree names. An array on the way stays as it is: nothing is placed below it."""
    kept: dict[str, Any] = {}
    for name, below in tree.items():
        value = document.get(name)
        if below and isinstance(value, dict):
            value = _kept(value, below) or None
        if value is not None:
            kept[name] = value
    return kept


def _tree() -> dict[str, Any]:
    """The paths as members of members; an empty one keeps all below it."""
    tree: dict[str, Any] = {}
    for path in sorted(PATHS, key=len, reverse=True):
        place = tree
        *above, last = names_below_root(path)
        for name in above:
            place = place.setdefault(name, {})
        place[last] = {}
    return tree


TREE = _tree()
