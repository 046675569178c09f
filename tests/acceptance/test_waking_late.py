"""A puller that was stopped in the middle of a call wakes up when another has long taken over."""

import signal

import pytest

from tests.acceptance.processes import Child
from tests.acceptance.world import House, transaction_id
from tests.support import wait_until


def stopped_at(house: House, point: str) -> Child:
    sleeper = house.start("pull", point=point, number=signal.SIGSTOP)
    wait_until(sleeper.is_stopped, what="the puller to stop")
    return sleeper


def first_pull(house: House) -> str:
    return next(transaction_id(call["number"]) for call in house.control.calls() if call["kind"] == "pull")


def wake(sleeper: Child) -> None:
    sleeper.send(signal.SIGCONT)
    assert sleeper.answer()["settled"]


@pytest.mark.parametrize("point", ["answer there, not stored", "bytes stored, state not", "state about to be written"])
def test_its_answer_is_stored_and_nothing_comes_twice(house: House, point: str) -> None:
    house.emit(25)
    sleeper = stopped_at(house, point)
    house.emit(10)
    house.pull()
    wake(sleeper)
    assert first_pull(house) in house.do("transactions")
    assert house.settle()["notifications"] == 35


@pytest.mark.parametrize("point", ["announced", "pull sent", "head of the answer read", "body of the answer read"])
def test_nothing_is_lost_when_it_slept_in_the_middle_of_the_call(house: House, point: str) -> None:
    house.emit(25)
    sleeper = stopped_at(house, point)
    house.emit(10)
    house.pull()
    wake(sleeper)
    assert house.settle()["notifications"] == 35


@pytest.mark.parametrize("point", ["about to read", "published and committed"])
def test_nothing_comes_twice_when_it_slept_while_reading(house: House, point: str) -> None:
    house.emit(25)
    sleeper = stopped_at(house, point)
    house.pull()
    wake(sleeper)
    verdict = house.settle()
    assert (verdict["notifications"], verdict["recovered"]) == (25, 0)
