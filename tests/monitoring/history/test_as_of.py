"""A company as of a day equals what a plain reading of the raw deliveries makes of it.

The recomputation here shares no code with the program: it reads the stored answers as JSON and folds them by the
rules alone. The stream comes from a sandbox that tells things late, twice, in another order, and drops answers.
"""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from core.blobs import load_bytes
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.company_page.view_data import read_story
from monitoring.history import checkpoints
from monitoring.history.checkpoints import profile
from monitoring.models import Delivery, DeliveryState, HistoryCheckpoint, Source
from portfolio.models import Contract, Registration
from tests.builders.deliveries import pull_now
from tests.builders.elements import an_element
from tests.builders.notifications import a_seed, an_update
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.times import stamp
from tests.servers.sandbox import emit

OTHER = "ACME_LOD_02"
COMPANIES, DATES, ROUNDS = 40, 5, 5
NAMES = ("primaryName", "figures.employees", "figures", "phones", "rating")
Document = dict[str, Any]
Fact = tuple[datetime, int, str, Any]


class Telling:
    """What happens to companies, and how D&B tells it: mostly true, sometimes late, stale or wrong."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.numbers = count(1)
        self.now: dict[str, Document] = {f"{100_000_000 + number}": {} for number in range(COMPANIES)}
        self.before: dict[str, Document] = {}

    def round(self, clock: datetime) -> dict[str, list[Any]]:
        """For each registration a queue of its own, out of order."""
        queues: dict[str, list[Any]] = {REFERENCE: [], OTHER: []}
        for duns in self.chance.sample(sorted(self.now), COMPANIES * 2 // 3):
            self.before[duns] = deepcopy(self.now[duns])
            update = an_update(*self._elements(duns, clock), duns=duns)
            for reference in self.chance.sample(sorted(queues), self.chance.choice((1, 1, 2))):
                queues[reference].append(update)
            if self.chance.random() < 0.5:
                queues[self.chance.choice(sorted(queues))].append(self._seed(duns))
        for queue in queues.values():
            self.chance.shuffle(queue)
        return queues

    def _elements(self, duns: str, clock: datetime) -> Iterator[Any]:
        for _ in range(self.chance.randint(1, 3)):
            name, number = self.chance.choice(NAMES), next(self.numbers)
            # Up to six days late, and never two at one moment: who came first is another test's question.
            moment = clock - timedelta(hours=self.chance.randint(1, 144), milliseconds=number)
            previous = known(self.now[duns], name)
            current = self._value(name, number)
            put(self.now[duns], name, current)
            said = "something else" if self.chance.random() < 0.1 else previous
            yield an_element(f"organization.{name}", said, current, stamp(moment))

    def _value(self, name: str, number: int) -> Any:
        if name == "figures":
            return {"employees": number, "revenue": f"{number}.50"}
        if name == "phones":
            return [{"number": str(number)}, {"number": str(number + 1)}]
        return None if self.chance.random() < 0.15 else number if "." in name else f"Value {number}"

    def _seed(self, duns: str) -> Any:
        """As it is, or as it was before the last changes; with members that come and go."""
        document = deepcopy(self.chance.choice((self.now, self.before))[duns])
        for name in self.chance.sample(sorted(document), len(document) // 3):
            document.pop(name)
        if self.chance.random() < 0.3:
            document["fax"] = str(next(self.numbers))
        return a_seed(**{"duns": duns, **document})


def test_two_hundred_companies_and_days_equal_the_raw_deliveries(
    contract: Contract, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "EVERY", 4)
    registrations = [a_registration(reference, contract=contract) for reference in (REFERENCE, OTHER)]
    control.add_registration(OTHER)
    begin = control.clock()
    told = Telling(20260107)
    for number in range(ROUNDS):
        control.move_clock(timedelta(days=2, hours=number).total_seconds())
        for reference, queue in told.round(control.clock()).items():
            emit(control, queue, reference)
        make_trouble(control, number)
        for row in registrations:
            pull_all(row)
    facts = facts_of_all()
    assert Delivery.objects.filter(source=Source.REPLAY, state=DeliveryState.PUBLISHED).exists()
    chance, different = random.Random(7), 0
    for duns in told.now:
        today = recomputed(facts[duns], control.clock())
        for _ in range(DATES):
            moment = begin + chance.random() * (control.clock() - begin) - timedelta(days=1)
            expected = recomputed(facts[duns], moment)
            story = read_story(duns, moment)
            assert (story.then.state.document, story.today.state.document) == (expected, today), (duns, moment)
            different += expected != today
        assert profile(duns, as_of=moment).document == expected, (duns, moment)
    assert different > COMPANIES * DATES / 2 and HistoryCheckpoint.objects.filter(is_whole=True).exists()


def make_trouble(control: SandboxControl, number: int) -> None:
    control.set_fault("duplicate", count=3, times=2, on="notifications")
    control.set_fault("reorder", times=3, on="notifications")
    if number == ROUNDS // 2:
        control.set_fault("drop", times=1, on="pull")


def pull_all(row: Registration) -> None:
    for _ in range(6):
        if pull_now(row).outcome == "drained":
            return


# The plain recomputation


def facts_of_all() -> dict[str, list[Fact]]:
    """Of each company what was told, once, in the order of its times; a whole document before what happened then."""
    found: dict[str, dict[str, Fact]] = {}
    for delivery in Delivery.objects.filter(state=DeliveryState.PUBLISHED):
        reference = str(delivery.registration_id)
        for item in items_of(load_bytes(delivery.pk)):
            known_facts = found.setdefault(item["organization"]["duns"], {})
            for fact in facts_in(item, reference):
                known_facts[json.dumps(fact, default=str, sort_keys=True)] = fact
    return {duns: sorted(facts.values(), key=lambda fact: fact[:2]) for duns, facts in found.items()}


def items_of(body: bytes) -> list[Any]:
    """Nothing in the answer that ends a replay."""
    return list(json.loads(body).get("notifications", ())) if body else []


def facts_in(item: Any, reference: str) -> Iterator[Fact]:
    if item["type"] == "SEED":
        yield read_stamp(item["deliveryTimeStamp"]), 0, reference, item["organization"]
    for element in item.get("elements", ()):
        values = element.get("previous"), element.get("current")
        yield read_stamp(element["timestamp"]), 1, element["element"].removeprefix("organization."), values


def read_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def recomputed(facts: list[Fact], until: datetime) -> Document:
    document: Document = {}
    carried: dict[str, set[str]] = {}
    passed: list[Fact] = []
    for fact in facts:
        time, is_change, where, what = fact
        if time > until:
            break
        if is_change:
            put(document, where, what[1])
            passed.append(fact)
            continue
        about = carried.get(where, set()) | set(what)
        for name in about - set(what):
            document.pop(name, None)
        document.update(deepcopy(what))
        carried[where] = set(what)
        for late, _, path, (previous, current) in passed:
            is_recent = late >= time - timedelta(days=4)
            if is_recent and path.split(".")[0] in about and known(document, path) == previous:
                put(document, path, current)
    return document


def known(document: Document, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def put(document: Document, path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        if not isinstance(document.get(name), dict):
            document[name] = {}
        document = document[name]
    if value is None:
        document.pop(last, None)
    else:
        document[last] = deepcopy(value)
