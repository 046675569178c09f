"""What a set of stored deliveries says of a company, written from the rules and not from the application's code.

Whatever the order in which deliveries were received, the answer is the same: it is a function of their content. The
rules, as the house's page on order and facts has them:

    “A notification's place is the least, over all stored answers that show it, of (0 pull | 1 replay | 2 file,
    stands_for, turn, position).”
    “Sort by (moment, SEED before change, delivered_at, teller, stands_for, pull / replay / file, turn, position, index
    of the element, id). A change's place is the least over its tellings of (delivered_at, teller, place). Among a
    company's changes with equal `changed_at` and overlapping paths, the next is the first by place whose `previous` is
    what is known by then, else the first by place.”
    “SEED ids get k: how often the same document with the same stamp returned in its answer with another document of
    that company in between; adjacent repeats are one.” Any other notification: “k: the how-manieth identical one in its
    answer, file or repair pass”; a page of a pass counts as an answer here, since pages overlap.
    “An UPDATE is known by the sorted set of (path, previous, current, timestamp)”, a change of an element by the same.
    “SEEDs are chained per teller (registration × {pull and replay, file}).” “Consecutive SEEDs of a FULL_PRODUCT
    registration are compared and make `element` changes.”
    “A profile is the fold of SEEDs and changes in the order of their times. A SEED replaces the first-level members it
    carries and removes those that the previous SEED of the same registration carried and it does not; other
    registrations' members stay. A SEED is stamped when pulled: a change timed within 4 days before it counts as after
    it if its `previous` equals the SEED at that path.”
    “A score with an older `scoreDate` never replaces a newer one.”
    “The state stays right”, also where a difference is explained wrongly: so differences take no part in the state.

Where these sentences can be read in two ways, both are tried: `READINGS` names the second ones. A company whose answers
differ is undecided for what differs, with the names; the application has to give one of the answers all the same. Facts
that several sources report are in `facts.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from tests.story.values import Json, Path, canon, loose, overlap, path_of, put, value_at

WAYS = {"pull": 0, "replay": 1, "file": 2}
FILE = WAYS["file"]
SEED_MAY_LAG = timedelta(days=4)
SCORE: Path = ("dnbAssessment", "failureScore")
SCORE_DATE: Path = (*SCORE, "scoreDate")
KINDS = {
    "SEED": "baseline",
    "DELETE": "deleted",
    "UNDELETE": "restored",
    "TRANSFER": "transferred",
    "UNDER_REVIEW": "under_review",
    "REVIEWED": "reviewed",
    "EXIT": "left",
    "ENTER": "entered",
    "REMOVED": "removed",
}

Reading = frozenset[str]
Place = tuple[int, int, int, int]
Key = tuple[Any, ...]
Teller = tuple[str, bool]

# The second reading of each sentence that has two. The first is what the code below does without it.
READINGS = {
    "lag-literal": "a change before a lagging SEED is compared with the SEED alone, not with what others made of it",
    "lag-not-carried": "also where the SEED says nothing of the first-level member",
    "equal-is-alike": "`previous` equals a value also where both are empty, or arrays hold the same in another order",
    "known-before-seeds": "what is known by then leaves out SEEDs of the same moment",
    "overlap-pairwise": "only changes that overlap the first by place may come before it",
    "removal-by-source": "the previous SEED is that of the same registration by the same way",
    "file-is-a-teller": "the teller in the key is registration × {pull and replay, file}",
    "seed-in-both-chains": "a SEED that a pull and a file show stands in both chains",
    "differences-by-alike": "two documents differ only where they are not alike",
    "chained-together": "SEEDs of a registration are one chain, by whichever way they come",
    "older-score": "whether a score with an older date replaces a newer one",
}


@dataclass(frozen=True)
class Element:
    path: str
    previous: Json
    current: Json
    at: datetime
    names_previous: bool = True


@dataclass(frozen=True)
class Item:
    """A notification as one answer shows it; `stamp` is its deliveryTimeStamp, or its answer's or file's time."""

    type: str
    company: str
    stamp: datetime
    elements: tuple[Element, ...] = ()
    document: Json = None
    retained: str = ""


@dataclass(frozen=True)
class StoredDelivery:
    registration: str
    source: str
    turn: int
    stands_for: int
    stamp: datetime
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Known:
    """One notification, represented by the answer with the least place."""

    registration: str
    item: Item
    place: Place
    by_file: frozenset[bool]
    ways: frozenset[int]
    # The other stamps it was shown with, as by a file, and where.
    also: tuple[tuple[datetime, Place], ...]
    # Of one that answers show, where files show it: a telling of their own.
    in_files: tuple[datetime, Place] | None = None


@dataclass(frozen=True)
class Telling:
    delivered: datetime
    registration: str
    place: Place
    index: int = 0

    def teller(self, reading: Reading) -> Teller:
        return self.registration, "file-is-a-teller" in reading and self.place[0] == FILE

    def least(self, reading: Reading) -> Key:
        return self.delivered, self.teller(reading), self.place, self.index


@dataclass(eq=False)
class Event:
    """A SEED (`document`), an element's change (`path`), or what happened to a company as a whole."""

    kind: str
    moment: datetime
    told: list[Telling]
    path: Path = ()
    previous: Json = None
    current: Json = None
    document: Json = None
    retained: str = ""
    source: Teller | None = None
    # Of a difference: when the earlier SEED was stamped, and the whole later document.
    earlier: datetime | None = None
    later: Json = None
    score_date: str = ""
    observers: set[tuple[str, int]] = field(default_factory=set)
    also: list[Telling] = field(default_factory=list)

    def key(self, reading: Reading) -> Key:
        return self.key_by(min(self.told, key=lambda telling: telling.least(reading)), reading)

    def key_by(self, telling: Telling, reading: Reading) -> Key:
        way, stands_for, turn, position = telling.place
        rank, who = self.document is None, telling.teller(reading)
        return self.moment, rank, telling.delivered, who, stands_for, way, turn, position, telling.index, self.path


# Notifications ----------------------------------------------------------------------------------------------------


def notifications(deliveries: Iterable[StoredDelivery]) -> list[Known]:
    shown: dict[Key, list[tuple[Place, Item]]] = defaultdict(list)
    for delivery in deliveries:
        for position, (identity, item) in enumerate(_identified(delivery)):
            place = (WAYS[delivery.source], delivery.stands_for, delivery.turn, position)
            shown[(delivery.registration, *identity)].append((place, item))
    return [_known(identity[0], showings) for identity, showings in shown.items()]


def _known(registration: str, showings: list[tuple[Place, Item]]) -> Known:
    place, item = min(showings, key=lambda showing: showing[0])
    ways = frozenset(place[0] for place, _ in showings)
    also = tuple((shown.stamp, where) for where, shown in showings if shown.stamp != item.stamp)
    files = [showing for showing in showings if showing[0][0] == FILE]
    in_files = None
    if files and place[0] != FILE:
        where, shown = min(files, key=lambda showing: showing[0])
        in_files = shown.stamp, where
    return Known(registration, item, place, frozenset(way == FILE for way in ways), ways, also, in_files)


def _identified(delivery: StoredDelivery) -> Iterator[tuple[Key, Item]]:
    """Each item with what it is known by, k included."""
    last: dict[str, Key] = {}
    returned: dict[Key, int] = defaultdict(int)
    for item in delivery.items:
        if item.type == "UPDATE":
            yield (item.company, frozenset(map(_fact, item.elements))), item
            continue
        identity: Key = (item.type, item.company, item.stamp, canon(item.document), item.retained)
        if item.type == "SEED":
            returned[identity] += last.get(item.company) != identity
            last[item.company] = identity
        else:
            returned[identity] += 1
        yield (*identity, returned[identity]), item


def _fact(element: Element) -> Key:
    return path_of(element.path), canon(element.previous), canon(element.current), element.at


# Events -----------------------------------------------------------------------------------------------------------


def events_of(known: Iterable[Known]) -> list[Event]:
    """The SEEDs, the changes of elements, and the others, of one company; differences are in `differences`."""
    changes: dict[Key, Event] = {}
    events: list[Event] = []
    for one in known:
        if one.item.type != "UPDATE":
            events.append(_whole(one))
            continue
        for index, element in enumerate(one.item.elements):
            fresh = Event("element", element.at, [], path_of(element.path), element.previous, element.current)
            fresh.score_date = _date_told(one.item, element)
            change = changes.setdefault(_fact(element), fresh)
            tellings = [(one.item.stamp, one.place), *([one.in_files] if one.in_files else [])]
            change.told += [Telling(stamp, one.registration, place, index) for stamp, place in tellings]
            change.also += [Telling(stamp, one.registration, place, index) for stamp, place in one.also]
            change.observers |= {(one.registration, way) for way in one.ways}
    return [*events, *changes.values()]


def _whole(one: Known) -> Event:
    item = one.item
    event = Event(KINDS.get(item.type, "unknown"), item.stamp, [Telling(item.stamp, one.registration, one.place)])
    event.document, event.retained = item.document, item.retained
    event.source = one.registration, one.place[0] == FILE
    event.observers = {(one.registration, way) for way in one.ways}
    return event


def _date_told(item: Item, element: Element) -> str:
    """The date of the score that the element belongs to, where its notification tells it."""
    path = path_of(element.path)
    if path == SCORE:
        return str(value_at(element.current, ("scoreDate",)) or "")
    if path[: len(SCORE)] != SCORE:
        return ""
    return next((str(one.current or "") for one in item.elements if path_of(one.path) == SCORE_DATE), "")


def differences(known: Iterable[Known], full_product: frozenset[str], reading: Reading) -> list[Event]:
    """Of consecutive SEEDs, per registration × {pull and replay, file}; each at the moment of the later one."""
    chains: dict[Teller, list[tuple[Event, Known]]] = defaultdict(list)
    for one in known:
        if one.item.type == "SEED" and one.registration in full_product:
            both = "seed-in-both-chains" in reading
            for by_file in one.by_file if both else [one.place[0] == FILE]:
                apart = "chained-together" not in reading
                chains[one.registration, by_file and apart].append((_whole(one), one))
    found: list[Event] = []
    for source, chain in chains.items():
        chain.sort(key=lambda link: link[0].key(reading))
        for (earlier, _), (later, _) in zip(chain, chain[1:], strict=False):
            found += _compared(source, earlier, later, reading)
    return found


def first_seeds(known: Iterable[Known], full_product: frozenset[str], reading: Reading) -> dict[Teller, Event]:
    found: dict[Teller, Event] = {}
    for seed in (_whole(one) for one in known if one.item.type == "SEED" and one.registration in full_product):
        assert seed.source is not None
        found[seed.source] = min(found.get(seed.source, seed), seed, key=lambda event: event.key(reading))
    return found


def _compared(source: Teller, earlier: Event, later: Event, reading: Reading) -> Iterator[Event]:
    same = loose if "differences-by-alike" in reading else canon
    for path in sorted(_apart(earlier.document, later.document)):
        before, after = value_at(earlier.document, path), value_at(later.document, path)
        if same(before) != same(after):
            change = Event("element", later.moment, later.told, path, before, after)
            change.source, change.earlier, change.later = source, earlier.moment, later.document
            change.observers = set(later.observers)
            if path[: len(SCORE)] == SCORE:
                change.score_date = str(value_at(later.document, SCORE_DATE) or "")
            yield change


def _apart(one: Json, other: Json, path: Path = ()) -> Iterator[Path]:
    """Down as far as both are objects: what one lacks as a whole is one difference."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _apart(one.get(name), other.get(name), (*path, name))
    else:
        yield path


# The story --------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """Events from the first to the last, what they make of the company, and the moments that the key alone does not
    order: there changes of other paths may stand between in any way."""

    reading: Reading
    keeps_newer_scores: bool
    told: list[Event] = field(default_factory=list)
    state: dict[str, Json] = field(default_factory=dict)
    chained: set[datetime] = field(default_factory=set)
    carried: dict[Teller, set[str]] = field(default_factory=dict)

    def equal(self, one: Json, other: Json) -> bool:
        same = loose if "equal-is-alike" in self.reading else canon
        return same(one) == same(other)

    def tell(self, events: Iterable[Event]) -> Story:
        ordered = sorted(events, key=lambda event: event.key(self.reading))
        for moment, group in groupby(ordered, lambda event: event.moment):
            self.tell_moment(moment, list(group))
        return self

    def tell_moment(self, moment: datetime, group: list[Event]) -> None:
        before = deepcopy(self.state)
        seeds = [event for event in group if event.document is not None]
        for seed in seeds:
            self.take_seed(seed)
        changes = [event for event in group if event.document is None]
        ordered = self.chain(changes, before if "known-before-seeds" in self.reading else deepcopy(self.state))
        if ordered != changes:
            self.chained.add(moment)
        for change in ordered:
            self.apply_to_state(change)
        self.told += [*seeds, *ordered]

    def chain(self, changes: list[Event], known: dict[str, Json]) -> list[Event]:
        """Each group of overlapping paths in its own order, in the positions that its changes have by the key."""
        ordered = list(changes)
        for group in components(changes):
            slots = [changes.index(change) for change in group]
            for slot, change in zip(slots, self.next_by_previous(group, known), strict=True):
                ordered[slot] = change
        return ordered

    def next_by_previous(self, group: list[Event], known: dict[str, Json]) -> Iterator[Event]:
        left = list(group)
        while left:
            near = [one for one in left if overlap(one.path, left[0].path)]
            pool = near if "overlap-pairwise" in self.reading else left
            fitting = (one for one in pool if self.equal(value_at(known, one.path), one.previous))
            change = next(fitting, left[0])
            left.remove(change)
            self.apply(known, change)
            yield change

    def apply_to_state(self, change: Event) -> None:
        """Differences leave it alone: its SEEDs tell as much, and it may not depend on which of them are live."""
        if change.later is None:
            self.apply(self.state, change)

    def apply(self, state: dict[str, Json], change: Event) -> None:
        if change.path and not self.is_older_score(state, change.score_date):
            put(state, change.path, deepcopy(change.current))

    def is_older_score(self, state: dict[str, Json], date: str) -> bool:
        known = str(value_at(state, SCORE_DATE) or "")
        return self.keeps_newer_scores and bool(date and known) and date < known

    def take_seed(self, seed: Event) -> None:
        document = deepcopy(seed.document)
        if self.is_older_score(self.state, str(value_at(document, SCORE_DATE) or "")):
            put(document, SCORE, deepcopy(value_at(self.state, SCORE)))
        assert seed.source is not None
        by_source = "removal-by-source" in self.reading
        who = seed.source if by_source else (seed.source[0], False)
        gone = self.carried.get(who, set()) - set(seed.document)
        self.carried[who] = set(seed.document)
        for name in gone:
            self.state.pop(name, None)
        self.state |= document
        self.take_again(seed, gone)

    def take_again(self, seed: Event, gone: set[str]) -> None:
        """Changes that the SEED does not show yet."""
        about = gone | set(seed.document)
        shown = deepcopy(seed.document)
        for change in self.told:
            if (
                not change.path
                or change.later is not None
                or not seed.moment - SEED_MAY_LAG <= change.moment < seed.moment
            ):
                continue
            if change.path[0] not in about and "lag-not-carried" not in self.reading:
                continue
            known = seed.document if "lag-literal" in self.reading else shown
            if self.equal(value_at(known, change.path), change.previous):
                self.apply(shown, change)
                self.apply_to_state(change)


def components(changes: Sequence[Event]) -> list[list[Event]]:
    """Groups of changes whose paths overlap, if need be through another's."""
    groups: list[list[Event]] = []
    for change in (one for one in changes if one.path):
        touching = [group for group in groups if any(overlap(change.path, one.path) for one in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([*(one for group in touching for one in group), change])
    return [sorted(group, key=list(changes).index) for group in groups]
