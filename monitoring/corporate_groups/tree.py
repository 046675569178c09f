"""Companies of a group as a tree, as far as their owners are known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portfolio.models import Company

Owned = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Node:
    """A company of the group, and how far it is below the top. Of owners not here, the number is known."""

    duns: str
    depth: int
    company: Company | None = None


def tree_of(companies: Mapping[str, Company], top: str) -> list[Node]:
    """The top, and below each company what it owns, by name. Companies that own each other stand below the top."""
    owned = _owned(companies, top)
    depths: dict[str, int] = {}
    _descend(top, 0, owned, depths)
    for duns in _by_name(companies, companies):
        _descend(duns, 1, owned, depths)
    return [Node(duns, depth, companies.get(duns)) for duns, depth in depths.items()]


def _owned(companies: Mapping[str, Company], top: str) -> Owned:
    owners = {duns: owner_of(row, top) for duns, row in companies.items() if duns != top}
    owners |= dict.fromkeys(set(owners.values()) - companies.keys() - {top}, top)
    owned: dict[str, list[str]] = defaultdict(list)
    for duns, owner in owners.items():
        owned[owner].append(duns)
    return {owner: _by_name(numbers, companies) for owner, numbers in owned.items()}


def owner_of(row: Company, top: str) -> str:
    """The nearest that D&B reports."""
    return next(number for number in (row.parent, row.domestic_ultimate, top) if number and number != row.duns)


def _by_name(numbers: Sequence[str] | Mapping[str, Company], companies: Mapping[str, Company]) -> list[str]:
    return sorted(numbers, key=lambda duns: (companies[duns].search_name if duns in companies else "", duns))


def _descend(first: str, depth: int, owned: Owned, depths: dict[str, int]) -> None:
    waiting = [(first, depth)]
    while waiting:
        duns, depth = waiting.pop()
        if duns not in depths:
            depths[duns] = depth
            waiting += [(one, depth + 1) for one in reversed(owned.get(duns, ()))]
