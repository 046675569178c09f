"""Long random lives of a queue, held against a few lines that say what the contract promises."""

import json
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.http.dates import read_stamp, stamp
from tests.servers.sandbox_client import REFERENCE, Client, updates

DAY = 86_400_000
STEPS = 150
# a clock that is read twice in one step may have gone on a little
SLACK = 2_000


@dataclass
class Model:
    """What waits, what was taken and when; times in sandbox milliseconds."""

    waiting: list[tuple[str, int]] = field(default_factory=list)
    taken: list[tuple[str, int]] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)

    def age(self, now: int) -> None:
        """Loses what is certainly old; what is on the edge is left to the caller to avoid."""
        old = [name for name, queued in self.waiting if queued <= now - 4 * DAY]
        self.lost.update(old)
        self.waiting = [(name, queued) for name, queued in self.waiting if name not in self.lost]

    def take(self, count: int) -> list[str]:
        names = [name for name, _queued in self.waiting[:count]]
        self.waiting = self.waiting[count:]
        return names

    def replay(self, start: int, now: int, count: int, inclusive: bool) -> list[str]:
        since = [
            (when, place, name)
            for place, (name, when) in enumerate(self.taken)
            if when > now - 14 * DAY and (when > start or (inclusive and when == start))
        ]
        return [name for _when, _place, name in sorted(since)][:count]


class Life:
    def __init__(self, client: Client, control: SandboxControl, seed: int, *, inclusive: bool) -> None:
        self.client, self.control = client, control
        self.random = Random(seed)
        self.model = Model()
        self.inclusive = inclusive
        self.emitted = 0

    def now(self) -> int:
        return round(self.control.clock().timestamp() * 1_000)

    def emit(self) -> None:
        count = self.random.randint(1, 40)
        items = updates(count, first=self.emitted)
        now = self.now()
        self.control.emit(REFERENCE, items)
        self.model.waiting += [(item["organization"]["duns"], now) for item in items]
        self.emitted += count

    def pull(self) -> None:
        count = self.random.choice((1, 2, 7, 30, 100))
        self.model.age(self.now())
        expected = self.model.take(count)
        found = self.items(self.client.pull(count))
        assert [name for name, _when in found] == expected
        self.model.taken += found
        stamps = [when for _name, when in self.model.taken]
        assert stamps == sorted(stamps)

    def replay(self) -> None:
        count = self.random.choice((1, 3, 50, 100))
        start = self.start()
        expected = self.model.replay(start, self.now(), count, self.inclusive)
        found = self.items(self.client.replay(stamp(start), count))
        assert [name for name, _when in found] == expected
        assert set(found) <= set(self.model.taken)

    def start(self) -> int:
        """Some time ago, or just the time at which something was taken."""
        if self.model.taken and self.random.random() < 0.6:
            return self.random.choice(self.model.taken)[1] + self.random.choice((-1, 0, 1))
        return self.now() - self.random.randint(0, 20 * DAY)

    def wait(self) -> None:
        """Hours or days, and then some minutes, so that nothing lies on an edge."""
        seconds = self.random.choice((60, 3_600, 40_000, 90_000, 200_000, 360_000))
        self.control.move_clock(seconds + 17)
        self.client.renew()

    def items(self, answer: Any) -> list[tuple[str, int]]:
        if answer.status_code == 404:
            return []
        items = answer.json()["notifications"]
        return [(item["organization"]["duns"], read_stamp(item["deliveryTimeStamp"]) or 0) for item in items]

    def live(self) -> None:
        doings = (self.emit, self.pull, self.pull, self.pull, self.replay, self.replay, self.wait)
        for _ in range(STEPS):
            self.random.choice(doings)()


READINGS = list(product(("answer", "item", 7), ("exclusive", "inclusive"), ("start", "end")))


@pytest.mark.parametrize(("stamps", "start", "dequeue"), READINGS)
def test_a_queue_keeps_its_promises_through_a_long_life(
    client: Client, control: SandboxControl, stamps: str | int, start: str, dequeue: str
) -> None:
    control.switch("stamps", stamps)
    control.switch("replay_start", start)
    control.switch("dequeue", dequeue)
    life = Life(client, control, seed=READINGS.index((stamps, start, dequeue)), inclusive=start == "inclusive")
    life.live()
    check_ledger(life)


def check_ledger(life: Life) -> None:
    life.model.age(life.now())
    ledger = life.control.ledger()
    names = [json.loads(entry["raw"])["organization"]["duns"] for entry in ledger]
    taken = {name: entry for name, entry in zip(names, ledger, strict=True) if entry["dequeued_at"] is not None}
    lost = {name for name, entry in zip(names, ledger, strict=True) if entry["lost_at"] is not None}
    assert len(names) == life.emitted
    assert lost == life.model.lost
    assert list(taken) == [name for name, _when in life.model.taken]
    assert [read_stamp(entry["deliveryTimeStamp"]) for entry in taken.values()] == [
        when for _n, when in life.model.taken
    ]
    assert all(
        abs(entry["dequeued_at"] - (read_stamp(entry["deliveryTimeStamp"]) or 0)) < SLACK for entry in taken.values()
    )
