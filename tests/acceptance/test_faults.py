"""Every fault of the sandbox at once: what is stored equals what was given out."""

import time
from collections.abc import Callable

import pytest

from tests.acceptance.world import House
from tests.engines import engine

ROUNDS = 3 if engine() == "mongodb" else 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_or_doubled_whatever_goes_wrong(house: House, seed: int) -> None:
    house.control.every_fault(seed=seed, probability=0.05)
    house.emit(40)
    puller = house.start("pull")
    for _ in range(ROUNDS):
        time.sleep(0.3)
        house.emit(25)
    result = puller.answer(120)
    assert result["settled"], result
    assert house.settle()["notifications"] >= 40 + 25 * ROUNDS


@pytest.mark.parametrize("fault", ["nul", "garbage"])
def test_what_a_replay_brings_damaged_is_asked_for_again(open_house: Callable[..., House], fault: str) -> None:
    house = open_house(settle=0)
    house.control.switch("stamps", "item")
    house.emit(8)
    house.control.set_fault("drop", on="pull", times=1)
    house.control.set_fault(fault, on="replay", times=1)
    house.pull()
    assert house.settle()["notifications"] == 8


@pytest.mark.parametrize("unreadable", ['{"type": "UPDATE"}', "17"])
def test_a_replay_goes_on_behind_what_is_unreadable(open_house: Callable[..., House], unreadable: str) -> None:
    house = open_house(settle=0)
    house.control.switch("stamps", "item")
    house.control.emit(house.reference, [unreadable])
    house.emit(8)
    house.control.set_fault("drop", on="pull", times=1)
    # Each failure halves the page, down to one item.
    house.control.set_fault("server_error", on="replay", times=8)
    house.pull()
    assert house.settle()["notifications"] == 8


@pytest.mark.parametrize("point", ["asked again for the unreadable", "unreadable items kept", "about to project"])
def test_what_a_pull_brings_damaged_is_asked_for_again_though_the_reader_is_killed(house: House, point: str) -> None:
    house.emit(8)
    house.control.set_fault("nul", on="pull", times=1)
    assert house.start("pull", point=point).was_killed()
    house.pull()
    verdict = house.settle()
    assert (verdict["notifications"], verdict["unreadable"]) == (8, 1)


def test_a_token_may_expire_twice_in_one_run(house: House) -> None:
    house.emit(30)
    house.control.set_fault("expired_token", on="pull", times=1)
    house.control.set_fault("expired_token", on="pull", times=1, after=2)
    house.pull()
    row = house.do("registration")
    assert (row["state"], row["fence"]) == ("active", 1)
    assert house.settle()["notifications"] == 30
