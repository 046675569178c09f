"""Which of a company's changes are one fact, which are live, who observed each, and the answers that the rules allow.

“An UPDATE's change is always a row. A difference of two documents is live only while nothing explains it: it is
explained by the latest UPDATE change that its teller has not told yet, after the last one it told at that leaf, in
(t_earlier − 4 days, t_later + 15 minutes], with the same `current` at its leaves. A teller tells a fact once; what
the teller's first SEED already shows counts as told. Compare by leaves (a container needs all its leaves), arrays
as multisets, null, absent, [], {} and "" alike.”
“Two differences (or UPDATEs) of different tellers with the same leaf and value, nothing in between, at most 4 days
apart: one fact. Of the same teller: two. When unsure, both stay: twice is better than lost.”
“`deleted`, `restored`, `transferred` (same retained number), `under_review`, `reviewed` are one a company only if
they repeat their family's neighbour in the order. `left`, `entered`, `removed` are facts of a registration and
never merged; `unknown` is one a notification.”
“Facts: a unit sees a change if and only if a registration of the unit told it.”
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

from tests.story.model import (
    FILE,
    READINGS,
    Event,
    Known,
    Reading,
    StoredDelivery,
    Story,
    Teller,
    chains,
    differences,
    events_of,
    notifications,
)
from tests.story.values import Json, Path, canon, leaves, loose, overlap, path_of, value_at

BEFORE, AFTER, APART = timedelta(days=4), timedelta(minutes=15), timedelta(days=4)
FAMILIES = {
    "deleted": "existence",
    "restored": "existence",
    "transferred": "transfer",
    "under_review": "review",
    "reviewed": "review",
}

FACT_READINGS = {
    "explained-by-one": "of a difference with several leaves, one UPDATE explains all",
    "container-one-leaf": "a container explains a difference at one leaf though others of its leaves differ",
    "explained-by-key": "the latest UPDATE is the last by the key, not by the story's order",
    "first-seed-exact": "the first SEED shows only changes timed before it, not up to 15 minutes later",
    "told-whole": "a fact told at one of its leaves is told at all of them for later differences",
    "merge-equal-previous": "one fact only where `previous` is the same too",
    "merge-by-leaves": "one fact also where the earlier one says more, as one of a container does",
    "merge-mixed": "an UPDATE and a difference that it does not explain are one fact too",
    "merge-updates": "of two UPDATEs that are one fact, one is live",
    "transfer-is-existence": "TRANSFER is of the family of DELETE and UNDELETE",
}

Token = tuple[str, ...]
Observers = dict[Token, frozenset[str]]


@dataclass
class Answer:
    """What one reading of the rules says of a company."""

    reading: Reading
    order: list[tuple[datetime, Token]]
    chained: frozenset[datetime]
    state: dict[str, str]
    # Who certainly observed each fact; and who did if a first SEED counts as an observation.
    observed: Observers
    perhaps: Observers


@dataclass
class Facts:
    """Who stands for whom: a change that is not live, and the one that stays."""

    replaced: dict[Event, Event] = field(default_factory=dict)
    told: dict[Event, set[str]] = field(default_factory=lambda: defaultdict(set))
    shown_at_first: dict[Event, set[str]] = field(default_factory=lambda: defaultdict(set))

    def is_live(self, event: Event) -> bool:
        return event not in self.replaced

    def stays(self, event: Event) -> Event:
        while event in self.replaced:
            event = self.replaced[event]
        return event


def answers(deliveries: Iterable[StoredDelivery], company: str, full_product: frozenset[str]) -> list[Answer]:
    """The answer of the first readings, then those of every other reading alone."""
    known = known_of(deliveries, company)
    tried = [frozenset[str](), *(frozenset({name}) for name in (*READINGS, *FACT_READINGS))]
    return [answer(known, full_product, reading) for reading in tried]


def rarer_answers(deliveries: Iterable[StoredDelivery], company: str, full_product: frozenset[str]) -> Iterator[Answer]:
    """Those of two or three other readings together, where no sentence alone makes a difference."""
    known = known_of(deliveries, company)
    for size in (2, 3):
        for some in combinations((*READINGS, *FACT_READINGS), size):
            yield answer(known, full_product, frozenset(some))


def known_of(deliveries: Iterable[StoredDelivery], company: str) -> list[Known]:
    return [one for one in notifications(deliveries) if one.item.company == company]


def answer(known: list[Known], full_product: frozenset[str], reading: Reading) -> Answer:
    facts, whole = Facts(), Story(reading).tell([*events_of(known), *differences(known, full_product)]).told
    firsts = {teller: chain[0] for teller, chain in chains(known, full_product).items()}
    Explaining(whole, firsts, facts, reading).explain()
    merge(whole, facts, reading)
    join_repeats(whole, facts, reading)
    story = Story(reading).tell([event for event in whole if facts.is_live(event)])
    observed, perhaps = observers(whole, facts)
    order = [(event.moment, token_of(event)) for event in story.told]
    state = {".".join(path): canon(value) for path, value in leaves(story.state).items()}
    return Answer(reading, order, frozenset(story.chained), state, observed, perhaps)


def token_of(event: Event) -> Token:
    """What an event is known by here: the registration stands where it is a part of the event's identity."""
    values = (".".join(event.path), canon(event.previous), canon(event.current)) if event.path else ("", "null", "null")
    who = event.source[0] if event.source else ""
    return event.kind, event.moment.isoformat(timespec="milliseconds"), *values, who


# Explained differences --------------------------------------------------------------------------------------------


@dataclass
class Explaining:
    whole: list[Event]
    firsts: dict[Teller, Event]
    facts: Facts
    reading: Reading
    last: dict[tuple[Teller, Path], int] = field(default_factory=dict)
    whole_told: dict[tuple[Teller, Event], datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        updates = [event for event in self.whole if event.path and event.later is None]
        if "explained-by-key" in self.reading:
            updates.sort(key=lambda event: event.key)
        self.updates = updates
        self.leaves = {leaf for event in self.whole if event.path for leaf in touched(event)}

    def explain(self) -> None:
        for source, seed in self.firsts.items():
            self.count_as_told(source, seed)
        # A teller tells in the order of its documents, whatever else its differences are chained with.
        for difference in sorted((event for event in self.whole if event.later is not None), key=lambda one: one.key):
            self.explain_one(difference)

    def count_as_told(self, source: Teller, seed: Event) -> None:
        until = seed.moment + (timedelta(0) if "first-seed-exact" in self.reading else AFTER)
        for place, update in enumerate(self.updates):
            for leaf, value in self.said(update).items():
                if update.moment <= until and loose(value_at(seed.document, leaf)) == loose(value):
                    self.last[source, leaf] = place
                    self.facts.shown_at_first[update].add(source[0])

    def said(self, update: Event) -> dict[Path, Json]:
        """Of every leaf that any change is about: what a container does not name is absent after it."""
        around = len(update.path)
        below = {leaf for leaf in self.leaves if leaf[:around] == update.path}
        return {leaf: value_at(update.current, leaf[around:]) for leaf in below} | touched(update)

    def explain_one(self, difference: Event) -> None:
        """By one UPDATE for each of its leaves, or for all of them."""
        assert difference.source is not None
        found = {leaf: self.latest(difference, leaf) for leaf in touched(difference)}
        places = [place for place in found.values() if place is not None]
        if len(places) < len(found) or not found:
            return
        if "explained-by-one" in self.reading and len(set(places)) > 1:
            return
        self.last |= {(difference.source, leaf): place for leaf, place in found.items() if place is not None}
        for place in places:
            self.whole_told.setdefault((difference.source, self.updates[place]), difference.moment)
            self.facts.told[self.updates[place]].add(difference.source[0])
        self.facts.replaced[difference] = self.updates[max(places)]

    def latest(self, difference: Event, leaf: Path) -> int | None:
        """The place of the last UPDATE that explains the leaf."""
        assert difference.source is not None and difference.earlier is not None
        after = self.last_told(difference.source, leaf)
        for place in range(len(self.updates) - 1, after, -1):
            update = self.updates[place]
            in_time = difference.earlier - BEFORE < update.moment <= difference.moment + AFTER
            if in_time and self.fits(update, difference, leaf):
                return place
        return None

    def last_told(self, source: Teller, leaf: Path) -> int:
        """Also told at a leaf around or below it: a leaf in one document is a container in another."""
        told = (place for (who, path), place in self.last.items() if who == source and overlap(path, leaf))
        return max(told, default=-1)

    def fits(self, update: Event, difference: Event, leaf: Path) -> bool:
        assert difference.source is not None
        before = self.whole_told.get((difference.source, update))
        if "told-whole" in self.reading and before is not None and before < difference.moment:
            return False
        if not overlap(update.path, leaf) or len(update.path) > len(leaf):
            return False
        if "container-one-leaf" in self.reading:
            inner = value_at(update.current, leaf[len(update.path) :])
            return loose(inner) == loose(value_at(difference.later, leaf))
        return loose(value_at(difference.later, update.path)) == loose(update.current)


def touched(change: Event) -> dict[Path, Json]:
    """The leaves that the change has or had, with their values after it."""
    before, after = leaves(change.previous, change.path), leaves(change.current, change.path)
    return {path: after.get(path) for path in {**before, **after}} or {change.path: None}


# Facts of several sources -----------------------------------------------------------------------------------------


def merge(whole: list[Event], facts: Facts, reading: Reading) -> None:
    """Along each path: the neighbour before, of another teller, with the same value."""
    told: dict[Event, set[Teller]] = {}
    live = [event for event in whole if event.path and facts.is_live(event)]
    for position, event in enumerate(live):
        told[event] = tellers(event)
        earlier = next((one for one in reversed(live[:position]) if overlap(one.path, event.path)), None)
        if earlier is None or not is_one(earlier, event, reading):
            continue
        first = facts.stays(earlier)
        if not told[first] & told[event]:
            told[first] |= told[event]
            facts.replaced[event] = first


def tellers(event: Event) -> set[Teller]:
    return {event.source} if event.source else {(registration, way == FILE) for registration, way in event.observers}


def is_one(earlier: Event, later: Event, reading: Reading) -> bool:
    if not says_the_same(earlier, later, reading):
        return False
    if later.moment - earlier.moment > APART:
        return False
    if "merge-equal-previous" in reading and loose(earlier.previous) != loose(later.previous):
        return False
    mixed = (earlier.later is None) != (later.later is None)
    if mixed:
        return "merge-mixed" in reading and later.later is not None
    return earlier.later is not None or "merge-updates" in reading


def says_the_same(earlier: Event, later: Event, reading: Reading) -> bool:
    if "merge-by-leaves" in reading:
        before, after = touched(earlier), touched(later)
        return before.keys() >= after.keys() and all(loose(before[leaf]) == loose(after[leaf]) for leaf in after)
    return earlier.path == later.path and loose(earlier.current) == loose(later.current)


def join_repeats(whole: list[Event], facts: Facts, reading: Reading) -> None:
    last: dict[str, Event] = {}
    for event in whole:
        family = FAMILIES.get(event.kind, "")
        if family == "transfer" and "transfer-is-existence" in reading:
            family = "existence"
        if not family:
            continue
        before = last.get(family)
        if before and (before.kind, before.retained) == (event.kind, event.retained):
            facts.replaced[event] = before
        else:
            last[family] = event


def observers(whole: list[Event], facts: Facts) -> tuple[Observers, Observers]:
    found: dict[Token, set[str]] = defaultdict(set)
    perhaps: dict[Token, set[str]] = defaultdict(set)
    for event in whole:
        token, who = token_of(facts.stays(event)), {registration for registration, _ in event.observers}
        who |= facts.told[event]
        found[token] |= who
        perhaps[token] |= who | facts.shown_at_first[event]
    return {key: frozenset(who) for key, who in found.items()}, {key: frozenset(who) for key, who in perhaps.items()}


def state_of(document: object) -> dict[str, str]:
    """The leaves of a document in the form of `Answer.state`."""
    return {".".join(path): canon(value) for path, value in leaves(document).items() if path != path_of("duns")}
