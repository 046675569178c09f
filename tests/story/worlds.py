"""Random worlds: what happens to a few companies, and what D&B's registrations deliver of it, by one seed.

A world yields stored deliveries as the application would have stored them, with their turns. The sentences it keeps to:

    “Every call that may carry notifications takes the registration's next `turn`. A pull stands for its own turn; a
    replay pass stands for the smallest turn of the doubts that were open when it began, else for its own first.”
    “A replay page starts at a stamp's edge, never inside a run of equal stamps.” It may end inside one.
    “`deliveryTimeStamp` is set at the first pull and stays the same on replay.” Replay serves only what was pulled.
    “A change's timestamp is the event's; a SEED is stamped when pulled”, and may lag behind by less than 4 days.

Values are few, so that documents return; clocks often stand still, so that stamps are equal; answers are lost and made
good by replay in other cuts, or never; a company's registrations see different parts of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.story.model import ASSESSMENT, DATE, Element, Item, StoredDelivery
from tests.story.values import ROOT, Json, Path, put, value_at

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
# Their ids in the database sort like their names, so that it is all the same which of the two sorts tellers.
REGISTRATIONS = {"STORY_01": False, "STORY_03": True, "STORY_04": False, "STORY_10": True}
FULL_PRODUCT = frozenset(name for name, is_full in REGISTRATIONS.items() if is_full)
# Milliseconds are added, so that no two moments are exactly 15 minutes or 4 days apart.
STEPS = (0, 0, 0, 1, 60, 600, 3 * 3600, 86_400, 3 * 86_400)
NOTICES = ("DELETE", "UNDELETE", "UNDER_REVIEW", "REVIEWED", "EXIT", "ENTER", "REMOVED", "TRANSFER", "SOMETHING_NEW")
SCORES = ("failureScore", "delinquencyScore")
MEMBERS = ("primaryName", "primaryAddress", "telephone", "numberOfEmployees", ASSESSMENT)


@dataclass
class Company:
    """What is true of it: `past` holds earlier documents with the time each ended."""

    name: str
    document: dict[str, Json]
    past: list[tuple[datetime, dict[str, Json]]] = field(default_factory=list)


@dataclass
class Subscriber:
    """A registration: what waits at D&B, what was pulled and can be replayed, and the turn of its last call."""

    name: str
    members: set[str]
    waiting: list[Item] = field(default_factory=list)
    log: list[Item] = field(default_factory=list)
    doubts: list[tuple[int, datetime]] = field(default_factory=list)
    turn: int = 0
    stamp: datetime = START

    @property
    def is_full(self) -> bool:
        return REGISTRATIONS[self.name]

    def take_turn(self) -> int:
        self.turn += 1
        return self.turn


class World:
    """`deliveries`, in the order in which they were stored, and the names of `companies`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = START
        self.deliveries: list[StoredDelivery] = []
        # One stamp for an answer, one for each item, or one over several answers.
        self.stamps = self.random.choice(("answer", "answer", "answer", "item", "answers"))
        self._companies = [self._company(f"c{number}") for number in range(self.random.randint(1, 3))]
        names = self.random.sample(sorted(REGISTRATIONS), self.random.randint(1, 3))
        self._subscribers = [Subscriber(name, self._members()) for name in sorted(names)]
        self._live()

    @property
    def companies(self) -> list[str]:
        return [company.name for company in self._companies]

    def arrivals(self, count: int) -> list[list[StoredDelivery]]:
        """Orders in which the deliveries may be read: as stored, the other way round, and shuffled."""
        shuffle = random.Random(len(self.deliveries))
        orders = [list(self.deliveries), self.deliveries[::-1]]
        while len(orders) < count:
            orders.append(shuffle.sample(self.deliveries, len(self.deliveries)))
        return orders[:count]

    # What happens -------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        for subscriber in self._subscribers:
            for company in self._companies:
                if self._chance(0.85):
                    self._seed(subscriber, company)
        for _ in range(self.random.randint(4, 12)):
            self._pass_time()
            self._happen(self.random.choice(self._companies))
            for subscriber in self._subscribers:
                self._call(subscriber)
        for subscriber in self._subscribers:
            self._pass_time()
            while subscriber.waiting and self._chance(0.9):
                self._pull(subscriber)
            if subscriber.doubts and self._chance(0.8):
                self._replay(subscriber)

    def _pass_time(self) -> None:
        step = self.random.choice(STEPS)
        if step:
            self.now += timedelta(seconds=step, milliseconds=self.random.randint(1, 999))

    def _happen(self, company: Company) -> None:
        chance = self.random.random()
        if chance < 0.2:
            self._announce(company)
        elif chance < 0.3:
            for subscriber in self._subscribers:
                if self._chance(0.4):
                    self._seed(subscriber, company)
        else:
            self._change(company)

    def _announce(self, company: Company) -> None:
        kind = self.random.choice(NOTICES)
        retained = self.random.choice(("150483782", "804735132")) if kind == "TRANSFER" else ""
        for subscriber in self._subscribers:
            if self._chance(0.7):
                self._queue(subscriber, Item(kind, company.name, self.now, retained=retained))

    def _change(self, company: Company) -> None:
        elements = [one for _ in range(self.random.choice((1, 1, 1, 2))) for one in self._elements(company)]
        for subscriber in self._subscribers:
            told = [self._as_told(one) for one in elements if self._is_told(subscriber, one)]
            if not told or not self._chance(0.85):
                continue
            if subscriber.is_full:
                self._seed(subscriber, company)
            else:
                self._queue(subscriber, Item("UPDATE", company.name, self.now, tuple(told)))
        if self._chance(0.05):
            self.random.choice(self._subscribers).members ^= {self.random.choice(MEMBERS)}

    def _is_told(self, subscriber: Subscriber, element: Element) -> bool:
        """Of what comes together, not all registrations hear all."""
        return element.path.split(".")[1] in subscriber.members and self._chance(0.95)

    def _elements(self, company: Company) -> list[Element]:
        company.past.append((self.now, deepcopy(company.document)))
        return [self._element(company, *one) for one in self._values()]

    def _element(self, company: Company, path: Path, current: Json) -> Element:
        previous = deepcopy(value_at(company.document, path))
        put(company.document, path, deepcopy(current))
        return Element(ROOT + ".".join(path), previous, current, self.now)

    def _values(self) -> list[tuple[Path, Json]]:
        """Paths that change together, each with one of its few values."""
        choose = self.random.choice
        one: tuple[Path, Json] = choose(
            [
                (("primaryName",), choose(["A Ltd", "B Ltd", "C Ltd"])),
                (("primaryName",), choose(["A Ltd", "B Ltd"])),
                (("numberOfEmployees",), choose([7, 8, None])),
                (("primaryAddress", "town"), choose(["Leeds", "York"])),
                (("primaryAddress",), choose([{"town": "Leeds", "street": "High St"}, {"town": "York"}, None])),
                (("telephone",), choose([[], [{"n": "1"}], [{"n": "1"}, {"n": "2"}], [{"n": "2"}, {"n": "1"}]])),
                (("telephone",), choose([[{"n": "1", "x": None}], [{"n": "1", "x": []}, {}], [{"n": "2", "x": None}]])),
                ((ASSESSMENT,), None),
                ((ASSESSMENT,), None),
            ]
        )
        return [one] if one[0] != (ASSESSMENT,) else self._scores()

    def _scores(self) -> list[tuple[Path, Json]]:
        """A score as a whole or in its parts, or all of them together."""
        chance, name = self.random.random(), self.random.choice(SCORES)
        if chance < 0.2:
            return [((ASSESSMENT,), {name: self._score() for name in SCORES})]
        if chance < 0.5:
            return [((ASSESSMENT, name, part), value) for part, value in self._score().items()]
        return [((ASSESSMENT, name), self._score())]

    def _score(self) -> dict[str, Json]:
        """Of a day of January, in one case in four of an old one."""
        day = "2025-12-24" if self._chance(0.25) else f"{self.now:%Y-%m-%d}"
        return {"classScore": self.random.choice((1, 2, 3)), DATE: day}

    def _as_told(self, element: Element) -> Element:
        """Registrations do not all write the same change alike."""
        if not element.previous and self._chance(0.5):
            return replace(element, previous=self.random.choice(([], None)))
        if element.previous is None and self._chance(0.5):
            return replace(element, names_previous=False)
        if self._chance(0.05):
            return replace(element, at=element.at + timedelta(seconds=self.random.choice((1, 90))))
        return element

    # What is sent -------------------------------------------------------------------------------------------------

    def _company(self, name: str) -> Company:
        document: dict[str, Json] = {
            "primaryName": "A Ltd",
            "primaryAddress": {"town": "Leeds", "street": "High St"},
            "telephone": [{"n": "1"}],
            "numberOfEmployees": 7,
        }
        for score in SCORES:
            put(document, (ASSESSMENT, score), {"classScore": 2, DATE: "2026-01-02"})
        return Company(name, document)

    def _members(self) -> set[str]:
        return set(MEMBERS) if self._chance(0.6) else {"primaryName", *self.random.sample(MEMBERS, 3)}

    def _seed(self, subscriber: Subscriber, company: Company) -> None:
        """Of now, or of up to three days ago."""
        document = company.document
        recent = [past for ended, past in company.past if self.now - ended < timedelta(days=3)]
        if recent and self._chance(0.2):
            document = self.random.choice(recent)
        shown = {name: deepcopy(member) for name, member in document.items() if name in subscriber.members}
        self._queue(subscriber, Item("SEED", company.name, self.now, document=shown))

    def _queue(self, subscriber: Subscriber, item: Item) -> None:
        copies = 2 if self._chance(0.03) else 1
        subscriber.waiting += [item] * copies

    def _call(self, subscriber: Subscriber) -> None:
        chance = self.random.random()
        if chance < 0.5:
            self._pull(subscriber)
        elif chance < 0.58:
            self._deliver_file(subscriber)
        elif chance < 0.68:
            self._replay(subscriber)

    def _pull(self, subscriber: Subscriber) -> None:
        if not subscriber.waiting:
            return
        turn, size = subscriber.take_turn(), self.random.randint(1, 5)
        items = self._stamped(subscriber, subscriber.waiting[:size])
        del subscriber.waiting[:size]
        subscriber.log += items
        if self._chance(0.15):
            subscriber.doubts.append((turn, items[0].stamp))
        else:
            self._store(subscriber, "pull", turn, turn, items)

    def _stamped(self, subscriber: Subscriber, items: Sequence[Item]) -> list[Item]:
        """As pulled now; stamps of a registration never go back."""
        if self.stamps == "item":
            stamps = [max(self.now, subscriber.stamp) + timedelta(milliseconds=n + 1) for n in range(len(items))]
        elif self.stamps == "answers" and self._chance(0.5):
            stamps = [subscriber.stamp] * len(items)
        else:
            stamps = [max(self.now, subscriber.stamp)] * len(items)
        subscriber.stamp = stamps[-1]
        return [replace(item, stamp=stamp) for item, stamp in zip(items, stamps, strict=True)]

    def _replay(self, subscriber: Subscriber) -> None:
        """From the first doubt or some time before; a pass in pages, each from the edge of a stamp."""
        if not subscriber.log:
            return
        since = min((stamp for _, stamp in subscriber.doubts), default=self.random.choice(subscriber.log).stamp)
        log = [item for item in subscriber.log if item.stamp >= since]
        turn = subscriber.take_turn()
        stands_for = min((lost for lost, _ in subscriber.doubts), default=turn)
        for page in pages(log, self.random.randint(1, 4)):
            self._store(subscriber, "replay", turn, stands_for, page)
            turn = subscriber.take_turn()
        subscriber.doubts.clear()

    def _deliver_file(self, subscriber: Subscriber) -> None:
        """SEEDs of all companies, or what waits; stamped to the second, and like nothing else."""
        stamp = max(self.now, subscriber.stamp).replace(microsecond=0) - timedelta(seconds=1)
        if self._chance(0.5):
            kept = list(subscriber.waiting)
            subscriber.waiting.clear()
            for company in self._companies:
                self._seed(subscriber, company)
            items, subscriber.waiting = subscriber.waiting, kept
        else:
            items = list(subscriber.waiting)
            if self._chance(0.6):
                subscriber.waiting.clear()
        if items:
            turn = subscriber.take_turn()
            self._store(subscriber, "file", turn, turn, [replace(item, stamp=stamp) for item in items])

    def _store(self, subscriber: Subscriber, source: str, turn: int, stands_for: int, items: Sequence[Item]) -> None:
        stored = StoredDelivery(subscriber.name, source, turn, stands_for, items[-1].stamp, tuple(items))
        self.deliveries.append(stored)

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability


def pages(log: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The next page begins where the last stamp of this one began; more a page where that is no progress."""
    start, wanted = 0, size
    while start < len(log):
        end = min(start + wanted, len(log))
        yield log[start:end]
        edge = next(n for n in range(len(log)) if log[n].stamp == log[end - 1].stamp)
        if end == len(log):
            return
        if edge > start:
            start, wanted = edge, size
        elif log[end].stamp != log[edge].stamp:
            start, wanted = end, size
        else:
            wanted += size
