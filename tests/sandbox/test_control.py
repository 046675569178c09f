"""The control API itself."""

import json
from collections.abc import Iterable
from time import sleep
from urllib.request import urlopen

import pytest
import requests

from direct_plus.sandbox.control.client import CHUNK_ITEMS, SandboxControl, SandboxError
from direct_plus.sandbox.run import Sandbox
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, updates


def test_it_lists_its_verbs(sandbox: Sandbox) -> None:
    with urlopen(f"{sandbox.url}/sandbox/") as answer:
        verbs = json.load(answer)
    assert {"emit", "ledger", "calls", "stop"} <= verbs.keys()
    assert all(verbs.values())


def test_it_answers_to_this_machine_only(sandbox: Sandbox) -> None:
    """A page that has its own name resolve to 127.0.0.1 is not let in."""
    answer = requests.post(f"{sandbox.url}/sandbox/reset", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code == 403


def test_it_needs_no_token_and_is_no_call_of_direct_plus(control: SandboxControl) -> None:
    control.switches()
    assert control.calls() == []


def test_wishes_that_make_no_sense_are_refused(sandbox: Sandbox, control: SandboxControl) -> None:
    with pytest.raises(SandboxError, match="unexpected keyword"):
        control.ask("emit", colour="red")
    assert requests.post(f"{sandbox.url}/sandbox/emit", data="[]", timeout=10).status_code == 400


def test_reset_forgets_all_but_tokens(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    control.move_clock(3_600)
    control.set_fault("drop")
    control.deliver(REFERENCE, "DunsExport")
    control.reset()
    assert (control.ledger(), control.calls(), control.faults(), control.files()) == ([], [], [], [])
    assert control.switches()["calls_per_second"] == 5
    assert client.get(REGISTRATIONS).json()["messages"] == {"references": []}


def test_a_late_pull_takes_nothing_of_the_world_after_a_reset(client: Client, control: SandboxControl) -> None:
    control.set_fault("late_dequeue", seconds=0.3)
    with pytest.raises(requests.ReadTimeout):
        client.pull(timeout=0.1)
    control.reset()
    control.add_registration(REFERENCE)
    control.emit(REFERENCE, updates(1))
    sleep(0.5)
    assert control.ledger()[0]["dequeued_at"] is None


def test_many_notifications_go_in_several_calls(control: SandboxControl) -> None:
    def many() -> Iterable[str]:
        return (f'{{"n": {n}}}' for n in range(CHUNK_ITEMS * 2 + 1))

    assert len(control.emit(REFERENCE, many())) == CHUNK_ITEMS * 2 + 1
    assert [entry["raw"] for entry in control.ledger()] == list(many())


def test_the_clock_moves_both_ways(control: SandboxControl) -> None:
    start = control.clock()
    assert (control.move_clock(3_600) - start).total_seconds() == pytest.approx(3_600, abs=5)
    assert (control.move_clock(-3_600) - start).total_seconds() == pytest.approx(0, abs=5)


def test_idle_means_idle(client: Client, control: SandboxControl) -> None:
    control.wait_idle()
    control.switch("latency_seconds", 0.3)
    with pytest.raises(requests.ReadTimeout):
        client.get(REGISTRATIONS, timeout=0.05)
    control.wait_idle()
    assert control.calls()[-1]["sent_wall"] is not None
