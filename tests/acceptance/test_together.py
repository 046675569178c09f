"""Several processes at once: one pulls, the others wait; all share one token and one pace."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from tests.acceptance.world import House
from tests.support import wait_until

A_SECOND = 1.0
RENEWAL, DELAY = 2.0, 8.0


@pytest.mark.slow
def test_one_registration_has_one_puller_at_a_time(open_house: Callable[..., House]) -> None:
    house = open_house(timeout=3, margin=30)
    house.control.set_fault("delay", seconds=0.15, on="pull")
    house.emit(60)
    pullers = [house.start("pull") for _ in range(3)]
    for _ in range(4):
        time.sleep(0.5)
        house.emit(15)
    results = [puller.answer() for puller in pullers]
    assert all(result["settled"] for result in results), results
    assert house.control.most_clients(house.reference) == 1
    assert len({outcome for result in results for outcome in result["outcomes"]} & {"drained"}) == 1
    assert house.settle()["notifications"] == 120


@pytest.mark.slow
def test_calls_of_four_processes_stay_within_five_a_second(open_house: Callable[..., House]) -> None:
    house = open_house(timeout=10, margin=2, calls=5)
    # A busy machine lets calls arrive late and close together: what holds is that none comes before its slot.
    house.control.switch("calls_per_second", 0)
    callers = [house.start("call", seconds=8) for _ in range(4)]
    answers = [caller.answer() for caller in callers]
    calls = house.control.calls()
    slots = sorted(slot / 1000 for answer in answers for slot in answer["slots"])
    assert [answer["refused"] for answer in answers] == [[]] * 4
    assert most_in_a_second(slots) <= 5
    arrivals = sorted(call["received_wall"] for call in calls)
    assert [(slot, arrival) for slot, arrival in zip(slots, arrivals, strict=True) if arrival < slot] == []
    assert rate(calls) > 4
    assert all(answer["calls"] >= 3 for answer in answers), "nobody starves"
    assert len(tokens(house.control)) == 1


def test_four_processes_make_no_more_calls_than_the_budget(open_house: Callable[..., House]) -> None:
    house = open_house(timeout=10)
    house.do("set_budget", calls=10)
    # A call in doubt may have been billed: it counts, and nothing sends it again.
    house.control.set_fault("http_error", on="match", times=3, status=503, code="00034")
    finders = [house.start("find", times=5) for _ in range(4)]
    outcomes = sum((Counter(finder.answer()) for finder in finders), Counter[str]())
    assert outcomes == {"made": 7, "failed": 3, "refused": 10}
    assert len([call for call in house.control.calls() if call["kind"] == "match"]) == 10


def tokens(control: SandboxControl) -> list[dict[str, Any]]:
    return [call for call in control.calls() if call["kind"] == "token"]


def sent_at(calls: list[dict[str, Any]]) -> list[float]:
    return sorted(call["received_monotonic"] for call in calls)


def most_in_a_second(moments: Iterable[float]) -> int:
    times = list(moments)
    return max(sum(begin <= moment < begin + A_SECOND for moment in times) for begin in times)


def rate(calls: list[dict[str, Any]]) -> float:
    times = sent_at(calls)
    return (len(times) - 1) / (times[-1] - times[0])


def test_a_cold_start_of_four_processes_gets_one_token(house: House) -> None:
    house.control.set_fault("delay", seconds=0.3, on="token")
    starters = [house.nursery.start("get_token", renewal=10) for _ in range(4)]
    answers = [starter.answer() for starter in starters]
    assert all(answer["got"] and answer["stored"] and not answer["claimed"] for answer in answers)
    assert len(tokens(house.control)) == 1


def test_who_is_killed_while_renewing_keeps_nobody_for_longer_than_the_claim(
    open_house: Callable[..., House],
) -> None:
    house = open_house(timeout=10)
    house.control.set_fault("delay", seconds=DELAY, on="token", times=1)
    renewer = house.nursery.start("get_token", renewal=RENEWAL)
    wait_until(lambda: tokens(house.control), what="the renewer's call")
    renewer.send(signal.SIGKILL)
    assert renewer.was_killed()
    other = house.nursery.do("get_token", renewal=RENEWAL)
    assert other["got"] and not other["claimed"]
    # Without the end of the claim it would wait for the call of the killed one.
    assert other["seconds"] < DELAY
    assert len(tokens(house.control)) == 2
