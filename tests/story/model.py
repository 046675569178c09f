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
    that company in between; adjacent repeats are one.” In between means of that stamp: “a replay page starts at a
    stamp's edge”, so what came before with other stamps is not seen by all who show the document. Any other
    notification: “k: the how-manieth identical one in its answer, file or repair pass”; a page of a pass counts as an
    answer here, since pages overlap, and so does a part of a file: “Known limit: one stamp over several answers and a
    document that returns in a later answer.”
    “An UPDATE is known by the sorted set of (path, previous, current, timestamp)”, a change of an element by the same.
    “SEEDs are chained per teller (registration × {pull and replay, file}).” So a registration's files are a teller of
    their own wherever tellers count. A line of a file has the file's time, which no answer has: no SEED is in both
    chains. “Consecutive SEEDs of a FULL_PRODUCT registration are compared and make `element` changes.” “Compare by
    leaves, arrays as multisets, null, absent, [], {} and "" alike.”
    “A profile is the fold of SEEDs and changes in the order of their times. A SEED replaces the first-level members it
    carries and removes those that the previous SEED of the same registration carried and it does not; other
    registrations' members stay. A SEED is stamped when pulled: a change timed within 4 days before it counts as after
    it if its `previous` equals the SEED at that path.”
    “A score with an older `scoreDate` never replaces a newer one”: any score of `dnbAssessment`, also where all of them
    come together, or a part of one by itself. A part has the date that is told of its score at the same moment; the
    date itself is what it says.
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
from itertools import groupby, pairwise
from typing import Any

from tests.story.values import Json, Path, canon, loose, overlap, path_of, put, value_at

WAYS = {"pull": 0, "replay": 1, "file": 2}
FILE = WAYS["file"]
SEED_MAY_LAG = timedelta(days=4)
ASSESSMENT = "dnbAssessment"
DATE = "scoreDate"
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
    "differences-by-key": "`previous` orders the changes of UPDATEs; differences of documents stand by the key alone",
    "removal-by-teller": "the previous SEED is that of the same registration by the same way",
    "others-members-stay": "what a SEED lacks stays where another registration's last SEED carried it",
    "date-by-notification": "a part of a score has the date that its own notifications tell",
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
    ways: frozenset[int]
    # Of one that answers show, where files show it: a telling of their own.
    in_files: tuple[datetime, Place] | None = None


@dataclass(frozen=True)
class Telling:
    delivered: datetime
    registration: str
    place: Place
    index: int = 0

    @property
    def teller(self) -> Teller:
        return self.registration, self.place[0] == FILE

    @property
    def least(self) -> Key:
        return self.delivered, self.teller, self.place, self.index


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
    # Of a part of a score: the dates that come with it.
    date_of_moment: str = ""
    date_of_notification: str = ""
    observers: set[tuple[str, int]] = field(default_factory=set)

    @property
    def key(self) -> Key:
        telling = min(self.told, key=lambda telling: telling.least)
        way, stands_for, turn, position = telling.place
        rank, who = self.document is None, telling.teller
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
    files = [showing for showing in showings if showing[0][0] == FILE]
    in_files = None
    if files and place[0] != FILE:
        where, shown = min(files, key=lambda showing: showing[0])
        in_files = shown.stamp, where
    return Known(registration, item, place, ways, in_files)


def _identified(delivery: StoredDelivery) -> Iterator[tuple[Key, Item]]:
    """Each item with what it is known by, k included."""
    last: dict[tuple[str, datetime], str] = {}
    count: dict[Key, int] = {}
    for item in delivery.items:
        if item.type == "UPDATE":
            yield (item.company, frozenset(map(_fact, item.elements))), item
            continue
        document = canon(item.document)
        identity: Key = (item.type, item.company, item.stamp, document, item.retained)
        is_repeated = item.type == "SEED" and last.get((item.company, item.stamp)) == document
        if identity not in count or not is_repeated:
            count[identity] = count.get(identity, -1) + 1
        if item.type == "SEED":
            last[item.company, item.stamp] = document
        yield (*identity, count[identity]), item


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
            change = changes.setdefault(_fact(element), fresh)
            change.date_of_notification = max(change.date_of_notification, _date_told(one.item, change.path))
            tellings = [(one.item.stamp, one.place), *([one.in_files] if one.in_files else [])]
            change.told += [Telling(stamp, one.registration, place, index) for stamp, place in tellings]
            change.observers |= {(one.registration, way) for way in one.ways}
    for change in changes.values():
        same = (one for one in changes.values() if one.moment == change.moment and is_date_of(one.path, change.path))
        change.date_of_moment = max((str(one.current or "") for one in same), default="")
    return [*events, *changes.values()]


def _whole(one: Known) -> Event:
    item = one.item
    event = Event(KINDS.get(item.type, "unknown"), item.stamp, [Telling(item.stamp, one.registration, one.place)])
    event.document, event.retained = item.document, item.retained
    event.source = one.registration, one.place[0] == FILE
    event.observers = {(one.registration, way) for way in one.ways}
    return event


def _date_told(item: Item, part: Path) -> str:
    told = (str(one.current or "") for one in item.elements if is_date_of(path_of(one.path), part))
    return max(told, default="")


def is_date_of(path: Path, part: Path) -> bool:
    """Of the score that the part belongs to; the date itself is of no other."""
    if path[:1] != (ASSESSMENT,) or len(path) != 3 or path[2] != DATE:
        return False
    return part == path or (len(part) > 2 and part[:2] == path[:2] and part[2] != DATE)


def differences(known: Iterable[Known], full_product: frozenset[str]) -> list[Event]:
    """Of consecutive SEEDs, per registration × {pull and replay, file}; each at the moment of the later one."""
    found: list[Event] = []
    for teller, chain in chains(known, full_product).items():
        for earlier, later in pairwise(chain):
            found += _compared(teller, earlier, later)
    return found


def chains(known: Iterable[Known], full_product: frozenset[str]) -> dict[Teller, list[Event]]:
    found: dict[Teller, list[Event]] = defaultdict(list)
    for seed in (_whole(one) for one in known if one.item.type == "SEED" and one.registration in full_product):
        assert seed.source is not None
        found[seed.source].append(seed)
    return {teller: sorted(chain, key=lambda seed: seed.key) for teller, chain in found.items()}


def _compared(teller: Teller, earlier: Event, later: Event) -> Iterator[Event]:
    for path in sorted(_apart(earlier.document, later.document)):
        before, after = value_at(earlier.document, path), value_at(later.document, path)
        if loose(before) != loose(after):
            change = Event("element", later.moment, list(later.told), path, before, after)
            change.source, change.earlier, change.later = teller, earlier.moment, later.document
            change.observers = {(who, way) for who, way in later.observers if (who, way == FILE) == teller}
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
    told: list[Event] = field(default_factory=list)
    state: dict[str, Json] = field(default_factory=dict)
    chained: set[datetime] = field(default_factory=set)
    carried: dict[Teller, set[str]] = field(default_factory=dict)

    def equal(self, one: Json, other: Json) -> bool:
        same = loose if "equal-is-alike" in self.reading else canon
        return same(one) == same(other)

    def tell(self, events: Iterable[Event]) -> Story:
        ordered = sorted(events, key=lambda event: event.key)
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
        by_key = "differences-by-key" in self.reading
        for group in components([one for one in changes if one.later is None or not by_key]):
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
        if not change.path or self.is_part_of_older(state, change):
            return
        put(state, change.path, deepcopy(self.newest(change.path, value_at(state, change.path), change.current)))

    def is_part_of_older(self, state: dict[str, Json], change: Event) -> bool:
        date = change.date_of_notification if "date-by-notification" in self.reading else change.date_of_moment
        if change.path[2:] == (DATE,):
            # Of several that are told of one moment, an older one replaces no newer one either.
            date = str(change.current or "")
        known = value_at(state, change.path[:2]) if change.path[0] == ASSESSMENT else None
        return len(change.path) > 2 and bool(date) and date < date_of(known)

    def newest(self, path: Path, known: Json, new: Json) -> Json:
        """Of a score the newer one, of an assessment each score, of anything else what is new."""
        if path == (ASSESSMENT,) and isinstance(new, dict) and isinstance(known, dict):
            return {name: self.newest((*path, name), known.get(name), score) for name, score in new.items()}
        is_score = len(path) == 2 and path[0] == ASSESSMENT
        return known if is_score and date_of(new) and date_of(new) < date_of(known) else new

    def take_seed(self, seed: Event) -> None:
        assert seed.source is not None
        who = seed.source if "removal-by-teller" in self.reading else (seed.source[0], False)
        gone = self.carried.get(who, set()) - set(seed.document)
        self.carried[who] = set(seed.document)
        if "others-members-stay" in self.reading:
            gone = gone.difference(*self.carried.values())
        for name in gone:
            self.state.pop(name, None)
        for name, member in seed.document.items():
            self.state[name] = deepcopy(self.newest((name,), self.state.get(name), member))
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


def date_of(score: Json) -> str:
    return str(value_at(score, (DATE,)) or "")


def components(changes: Sequence[Event]) -> list[list[Event]]:
    """Groups of changes whose paths overlap, if need be through another's."""
    groups: list[list[Event]] = []
    for change in (one for one in changes if one.path):
        touching = [group for group in groups if any(overlap(change.path, one.path) for one in group)]
        groups = [group for group in groups if group not in touching]
        groups.append([*(one for group in touching for one in group), change])
    return [sorted(group, key=list(changes).index) for group in groups]
