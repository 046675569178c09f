"""The members of a tree as a tree, whatever D&B lists: parents that are missing, circles, and members listed twice."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Why a member stands beside the top, not below its parent."""

    TOP = ""
    MISSING = "missing"
    CIRCLE = "circle"


@dataclass(frozen=True, slots=True)
class Shape:
    """Who is below whom, by name; the top first, and beside it what nothing at the top leads to."""

    below: Mapping[str, Sequence[str]]
    heads: Mapping[str, Why]


@dataclass(slots=True)
class Branch:
    """A member in its place. Not all that is below it may be shown: `left_out` says how many directly below are not."""

    duns: str
    depth: int
    parent: str = ""
    below: list[Branch] = field(default_factory=list)
    left_out: int = 0
    # Shown with what is below it at another place.
    is_repeated: bool = False


def shape_of(links: Iterable[tuple[str, str, str]], top: str) -> Shape:
    """From the number, the parent and the name of each."""
    rows = sorted(links, key=lambda row: (row[2].casefold(), row[0]))
    below: dict[str, list[str]] = defaultdict(list)
    parents: dict[str, list[str]] = defaultdict(list)
    for duns, parent, _ in rows:
        # At the top, a parent would be one that D&B does not name the top.
        if duns != top:
            below[parent].append(duns)
        parents[duns].append(parent)
    heads: dict[str, Why] = {top: Why.TOP} if top in parents else {}
    reached = set(_reached(heads, below))
    for is_missing in (True, False):
        for duns in parents:
            if duns not in reached and (not is_missing or not any(one in parents for one in parents[duns])):
                heads[duns] = Why.MISSING if is_missing else Why.CIRCLE
                reached.update(_reached([duns], below))
    return Shape({duns: found for duns, found in below.items() if found and duns}, heads)


def _reached(first: Iterable[str], below: Mapping[str, Sequence[str]]) -> Iterator[str]:
    waiting, seen = list(first), set[str]()
    while waiting:
        duns = waiting.pop()
        if duns not in seen:
            seen.add(duns)
            yield duns
            waiting += below.get(duns, ())


def branches_of(shape: Shape, first: Sequence[str], *, most: int, start: int = 0) -> list[Branch]:
    """The branches that begin with these members, level by level as far as `most` reaches. Below a single one with
    more, those from `start` on."""
    found = [Branch(duns, 0) for duns in first]
    seen, left = set(first), most - len(first)
    waiting = deque(found)
    while waiting:
        branch = waiting.popleft()
        numbers = list(shape.below.get(branch.duns, ()))
        if branch.depth == 0 and len(first) == 1:
            numbers = numbers[start : start + left]
        if branch.is_repeated or len(numbers) > left:
            branch.left_out = len(numbers)
            continue
        left -= len(numbers)
        branch.below = [Branch(one, branch.depth + 1, branch.duns, is_repeated=one in seen) for one in numbers]
        seen.update(numbers)
        waiting.extend(branch.below)
    return found


def path_to(shape: Shape, duns: str) -> list[str]:
    """From a head of the tree to the member's parent; empty for a head."""
    owners = {one: owner for owner, owned in reversed(list(shape.below.items())) for one in owned}
    way = {duns: None}
    while duns not in shape.heads and (owner := owners.get(duns)) and owner not in way:
        way[owner] = None
        duns = owner
    return list(way)[:0:-1]
