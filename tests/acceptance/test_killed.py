"""Pullers are killed with SIGKILL at every place on a notification's way: nothing is lost, nothing comes twice."""

import random
import signal
import time
from collections import Counter

import pytest

from tests.acceptance.points import POINTS
from tests.acceptance.world import House, kill_at
from tests.engines import engine

# Those at which the sandbox has sent an answer and its bytes are not stored.
ON_THE_WAY = ("head of the answer read", "body of the answer read", "answer there, not stored")
AT_RANDOM = 4 if engine() == "mongodb" else 12


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_wherever_a_puller_is_killed(house: House) -> None:
    choose = random.Random(1)
    places = [*POINTS, *ON_THE_WAY, *ON_THE_WAY]
    choose.shuffle(places)
    died = Counter(place for place in places if kill_at(house, place, choose))
    assert set(died) == set(POINTS), f"never passed: {set(POINTS) - set(died)}"
    assert len(house.lost_on_the_way()) >= 5
    assert house.settle()["notifications"] >= 300


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_whenever_a_puller_is_killed(house: House) -> None:
    choose = random.Random(2)
    killed = 0
    for _ in range(AT_RANDOM):
        house.emit(choose.randint(20, 40))
        child = house.start("pull")
        time.sleep(choose.uniform(0.02, 0.6))
        child.send(signal.SIGKILL)
        killed += child.was_killed()
    assert killed > 0
    house.settle()


def test_without_the_announcement_the_same_kill_loses(house: House) -> None:
    """So the comparison can fail, and the row that is committed before each call is what keeps it from failing."""
    choose = random.Random(3)
    house.pull()
    assert kill_at(house, "answer there, not stored", choose, unannounced=True)
    house.pull()
    assert "are missing" in house.judge()["wrong"]


def test_with_the_announcement_it_does_not(house: House) -> None:
    choose = random.Random(3)
    house.pull()
    assert kill_at(house, "answer there, not stored", choose)
    house.settle()
