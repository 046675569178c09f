"""Which changes of a company are one fact: pure rules over changes at hand, in the order of the story.

An UPDATE's change is always a fact. The difference of two documents of one source (a registration's answers, or its
files) is one only while nothing explains it: an UPDATE's change to the same value that this source has not reported
yet. Two differences, or two UPDATEs, of different sources are one fact when they say the same within four days and
nothing stands between them. When unsure, both stay: twice is better than lost.

docs/develop/invariants.md#one-fact says why.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitoring.elements.json_paths import ROOT, comparable, value_at
from monitoring.models import Kind

SEED_MAY_LAG = timedelta(days=4)
# A document may be stamped a little before the change that it shows.
SEED_MAY_LEAD = timedelta(minutes=15)
SAME_WITHIN = timedelta(days=4)
Order = tuple[datetime, str, int]
Leaf = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a change holds; and where another one reports the same fact, which."""

    live: bool
    replaced_by: uuid.UUID | None = None


LIVE, WITHDRAWN = Verdict(live=True), Verdict(live=False)


@dataclass(slots=True)
class Element:
    """One change of an element: by an UPDATE, or (`since` set) as the difference of two documents."""

    id: uuid.UUID
    order: Order
    source: str
    path: str
    leaves: dict[str, str]
    since: datetime | None = None
    is_adjacent: bool = True
    sources: set[str] = field(default_factory=set)

    @property
    def moment(self) -> datetime:
        return self.order[0]

    def value_at(self, leaf: str) -> str | None:
        """Of a leaf at the path or below it: what a container does not name is absent after it. None where the leaf is
        a container itself."""
        if leaf in self.leaves:
            return self.leaves[leaf]
        return None if any(value and other.startswith(leaf + ".") for other, value in self.leaves.items()) else ""


@dataclass(frozen=True, slots=True)
class FirstDocument:
    """What a source showed of a company at first: it has reported what led there."""

    moment: datetime
    document: Mapping[str, Any]

    def leaf(self, path: str) -> str | None:
        """None where it says nothing about that part."""
        names = path.split(".")
        member = names[1] if names[0] == ROOT and len(names) > 1 else names[0]
        return comparable(value_at(dict(self.document), path)) if member in self.document else None


def leaves_of(path: str, previous: Any, current: Any) -> dict[str, str]:
    """The plain values below a path after a change, as text that equal ones share; empty where it removes one."""
    before, after = dict(_leaves(path, previous)), dict(_leaves(path, current))
    return dict.fromkeys((leaf for leaf, value in before.items() if value), "") | after


def _leaves(path: str, value: Any) -> Iterator[Leaf]:
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from _leaves(f"{path}.{name}", below)
    else:
        yield path, comparable(value)


def judge(
    elements: Sequence[Element], known: Mapping[uuid.UUID, Verdict], first: Mapping[str, FirstDocument]
) -> dict[uuid.UUID, Verdict]:
    """The verdict on each of one company's elements, given in the order of the story; what is `known` stays so."""
    verdicts = _explained(elements, known, first)
    by_id = {element.id: element for element in elements}
    last: dict[str, Element] = {}
    for element in elements:
        verdict = known.get(element.id) or verdicts.get(element.id) or _merged(element, last)
        verdicts[element.id] = verdict
        if element.id in known:
            _note_merged(element, by_id.get(verdict.replaced_by or element.id))
        if verdict.live:
            last |= dict.fromkeys(element.leaves, element)
    return {key: _resolved(verdict, verdicts) for key, verdict in verdicts.items()}


def _note_merged(element: Element, target: Element | None) -> None:
    """What is known to be one with another counts among its reports."""
    if target and target is not element and (target.since is None) == (element.since is None):
        target.sources |= element.sources | {element.source}


def _resolved(verdict: Verdict, verdicts: Mapping[uuid.UUID, Verdict]) -> Verdict:
    """What is replaced by a change that is itself one with another is replaced by that."""
    seen = set()
    while verdict.replaced_by and verdict.replaced_by not in seen:
        seen.add(verdict.replaced_by)
        target = verdicts.get(verdict.replaced_by, LIVE)
        if target.live or target.replaced_by is None:
            break
        verdict = target
    return verdict


def _merged(element: Element, last: Mapping[str, Element]) -> Verdict:
    """One with its neighbors where each of its leaves says what the one before it said, by another source."""
    before = [last.get(leaf) for leaf in element.leaves]
    neighbors = [one for one in before if one is not None]
    if not neighbors or len(neighbors) < len(before):
        return LIVE
    if not all(_is_same(element, one) for one in neighbors):
        return LIVE
    target = max(neighbors, key=lambda one: one.order)
    for one in neighbors:
        one.sources |= element.sources | {element.source}
    return Verdict(live=False, replaced_by=target.id)


def _is_same(element: Element, earlier: Element) -> bool:
    shared = element.leaves.keys() & earlier.leaves.keys()
    return (
        (element.since is None) == (earlier.since is None)
        and not earlier.sources & (element.sources | {element.source})
        and element.moment - earlier.moment <= SAME_WITHIN
        and all(element.leaves[leaf] == earlier.leaves[leaf] for leaf in shared)
    )


# Differences that an UPDATE explains


def _explained(
    elements: Sequence[Element], known: Mapping[uuid.UUID, Verdict], first: Mapping[str, FirstDocument]
) -> dict[uuid.UUID, Verdict]:
    """Of the differences: withdrawn where its documents are no neighbors, replaced where an UPDATE explains it."""
    updates = _updates_by_path(elements)
    reported: dict[tuple[str, str], Order] = {}
    verdicts: dict[uuid.UUID, Verdict] = {}
    for element in elements:
        if element.since is None:
            continue
        if not element.is_adjacent:
            verdicts[element.id] = WITHDRAWN
            continue
        _note_first(element, first.get(element.source), updates, reported)
        found = _as_known(element, known, updates) if element.id in known else _explaining(element, updates, reported)
        if found:
            reported |= {(element.source, leaf): update.order for leaf, update in found.items()}
            verdicts[element.id] = Verdict(False, max(found.values(), key=lambda update: update.order).id)
    return verdicts


def _as_known(
    element: Element, known: Mapping[uuid.UUID, Verdict], updates: Mapping[str, Sequence[Element]]
) -> dict[str, Element]:
    target = known[element.id].replaced_by
    return {leaf: one for leaf in element.leaves for one in _about(leaf, updates) if one.id == target}


def _updates_by_path(elements: Iterable[Element]) -> dict[str, list[Element]]:
    updates: dict[str, list[Element]] = defaultdict(list)
    for element in elements:
        if element.since is None:
            updates[element.path].append(element)
    return updates


def _about(leaf: str, updates: Mapping[str, Sequence[Element]]) -> list[Element]:
    """The UPDATEs of a leaf, or of a container that it is in, from the first to the last."""
    names = leaf.split(".")
    around = (".".join(names[:depth]) for depth in range(1, len(names) + 1))
    return sorted((one for path in around for one in updates.get(path, ())), key=lambda one: one.order)


def _note_first(
    element: Element,
    first: FirstDocument | None,
    updates: Mapping[str, Sequence[Element]],
    reported: dict[tuple[str, str], Order],
) -> None:
    """What a source's first document shows counts as reported by it."""
    if first is None:
        return
    for leaf in element.leaves:
        key = element.source, leaf
        if key not in reported:
            shown, until = first.leaf(leaf), first.moment + SEED_MAY_LEAD
            orders = [one.order for one in _about(leaf, updates) if one.moment <= until and one.value_at(leaf) == shown]
            if orders:
                reported[key] = orders[-1]


def _explaining(
    element: Element, updates: Mapping[str, Sequence[Element]], reported: Mapping[tuple[str, str], Order]
) -> dict[str, Element] | None:
    """For each leaf the latest UPDATE to the same value that the source has not reported yet; None unless all have."""
    assert element.since is not None
    start, end = element.since - SEED_MAY_LAG, element.moment + SEED_MAY_LEAD
    found: dict[str, Element] = {}
    for leaf, value in element.leaves.items():
        after = reported.get((element.source, leaf))
        for update in reversed(_about(leaf, updates)):
            is_new = after is None or update.order > after
            if start < update.moment <= end and update.value_at(leaf) == value and is_new:
                found[leaf] = update
                break
        else:
            return None
    return found


# What happens to a company as a whole

FAMILIES: Mapping[str, str] = {
    Kind.DELETED: "status",
    Kind.RESTORED: "status",
    Kind.TRANSFERRED: "status",
    Kind.UNDER_REVIEW: "review",
    Kind.REVIEWED: "review",
}


@dataclass(frozen=True, slots=True)
class LifecycleEvent:
    id: uuid.UUID
    order: Order
    kind: str
    retained: str | None


def judge_lifecycle(events: Iterable[LifecycleEvent]) -> dict[uuid.UUID, Verdict]:
    """One company's events in the order of the story: what only repeats its family's neighbor is the same fact."""
    last: dict[str, LifecycleEvent] = {}
    verdicts: dict[uuid.UUID, Verdict] = {}
    for event in sorted(events, key=lambda event: event.order):
        before = last.get(FAMILIES[event.kind])
        if before and (before.kind, before.retained) == (event.kind, event.retained):
            verdicts[event.id] = Verdict(live=False, replaced_by=before.id)
        else:
            verdicts[event.id] = LIVE
            last[FAMILIES[event.kind]] = event
    return verdicts
