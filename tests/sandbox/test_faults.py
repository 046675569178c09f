"""What can go wrong on purpose, over real HTTP."""

import json
from collections import Counter
from time import monotonic, sleep

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl, SandboxError
from direct_plus.sandbox.http.faults import KINDS
from direct_plus.sandbox.run import Sandbox, start_sandbox
from direct_plus.sandbox.state.faults import STORM
from tests.servers.sandbox_client import (
    REFERENCE,
    REGISTRATIONS,
    Client,
    code,
    give_up,
    last_call,
    numbers,
    stamps,
    updates,
)
from tests.servers.sandbox_raw import raw_pull


@pytest.fixture
def ten(control: SandboxControl) -> SandboxControl:
    """Ten notifications wait."""
    control.emit(REFERENCE, updates(10))
    return control


def waiting(control: SandboxControl) -> int:
    return sum(entry["dequeued_at"] is None for entry in control.ledger())


# replies


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [("server_error", 503, "00034"), ("too_many", 429, "00045"), ("quota", 429, "00050"), ("http_error", 500, "00002"),
     ("expired_token", 401, "00040"), ("not_authorised", 401, "00041")],
)  # fmt: skip
def test_a_refusal_takes_nothing(client: Client, ten: SandboxControl, name: str, status: int, error: str) -> None:
    ten.set_fault(name, times=1)
    answer = client.pull()
    assert (answer.status_code, code(answer)) == (status, error)
    assert waiting(ten) == 10
    assert last_call(ten)["faults"] == [name]
    assert client.pull().status_code == 200


def test_a_server_error_after_dequeuing_has_taken_them(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("server_error", dequeue=True, times=1)
    assert client.pull(4).status_code == 503
    assert waiting(ten) == 6
    assert len(numbers(client.replay())) == 4


@pytest.mark.parametrize(
    ("shape", "begins"),
    [("envelope", b'{"transactionDetail"'), ("fault", b'{"fault": {"faultstring"'), ("string", b'{"error": "'),
     ("html", b"<html>"), ("empty", b"")],
)  # fmt: skip
def test_errors_come_in_every_shape(client: Client, ten: SandboxControl, shape: str, begins: bytes) -> None:
    ten.set_fault("http_error", status=502, code="00002", shape=shape)
    answer = client.pull()
    assert answer.status_code == 502
    assert answer.content.startswith(begins)
    assert (answer.content == b"") == (shape == "empty")


def test_retry_after_is_there_or_not(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("too_many", times=1)
    ten.set_fault("too_many", retry_after=7, code="00046", times=1)
    assert "Retry-After" not in client.pull().headers
    answer = client.pull()
    assert (answer.headers["Retry-After"], code(answer)) == ("7", "00046")


def test_a_redirect_leads_away(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("redirect", status=307, location="https://example.com/")
    answer = client.pull()
    assert (answer.status_code, answer.headers["Location"]) == (307, "https://example.com/")


def test_a_gateway_page_with_200(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("gateway_html", times=1)
    answer = client.pull(3)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
    assert answer.content.startswith(b"<html>")
    assert waiting(ten) == 7


def test_replay_can_be_refused_for_ever(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("replay_refused")
    assert client.pull().status_code == 200
    assert {code(client.replay()) for _ in range(5)} == {"10002"}


# waiting


def test_an_answer_can_be_late(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("delay", seconds=0.2)
    began = monotonic()
    assert len(numbers(client.pull())) == 10
    assert monotonic() - began >= 0.2


def test_items_can_be_taken_after_the_client_gave_up(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("late_dequeue", seconds=0.4, times=1)
    give_up(client, count=6)
    assert client.replay().status_code == 404
    assert waiting(ten) == 10
    ten.wait_idle()
    assert waiting(ten) == 4
    assert len(numbers(client.replay())) == 6
    call = next(call for call in ten.calls() if call["faults"] == ["late_dequeue"])
    assert (call["gone"], call["complete"], len(call["dequeued"])) == (True, False, 6)
    assert call["sent_monotonic"] - call["received_monotonic"] >= 0.45


def test_a_client_that_does_not_give_up_is_answered_at_last(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("late_dequeue", hold=0.2)
    assert len(numbers(client.pull())) == 10


# items and stamps


def test_items_can_stand_twice_in_an_answer(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("duplicate", count=2, times=1)
    assert numbers(client.pull(5)) == [f"{n:09d}" for n in (0, 1, 2, 3, 4, 0, 1)]
    assert len(last_call(ten)["items"]) == 7
    assert len(last_call(ten)["dequeued"]) == 5


def test_items_can_be_served_again_later(client: Client, ten: SandboxControl) -> None:
    first = client.pull(5).json()["notifications"]
    ten.set_fault("serve_again", count=2)
    second = client.pull(5).json()["notifications"]
    assert len(second) == 7
    assert [item for item in second if item in first] == second[5:]


def test_items_can_come_in_another_order(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("reorder")
    found = numbers(client.pull())
    assert found != sorted(found)
    assert sorted(found) == [f"{n:09d}" for n in range(10)]


def test_one_stamp_for_a_whole_answer(client: Client, ten: SandboxControl) -> None:
    ten.switch("stamps", "item")
    ten.set_fault("one_stamp", times=1)
    assert len(set(stamps(client.pull(5)))) == 1
    assert len(set(stamps(client.pull(5)))) == 5


def test_equal_stamps_over_answers(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("equal_stamps")
    given = stamps(client.pull(2)) + stamps(client.pull(2)) + stamps(client.pull(2))
    assert len(set(given)) == 1
    assert len(set(stamps(client.replay()))) == 1


# bytes


@pytest.mark.parametrize(("name", "trace"), [("garbage", b'<<<"} garbage {['), ("nul", b"\0")])
def test_a_body_can_be_spoiled(client: Client, ten: SandboxControl, name: str, trace: bytes) -> None:
    ten.set_fault(name, at=0.3)
    answer = client.pull()
    assert answer.status_code == 200
    assert trace in answer.content
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)
    assert waiting(ten) == 0


@pytest.mark.parametrize("reset", [False, True])
def test_the_connection_can_end_before_any_byte(client: Client, ten: SandboxControl, reset: bool) -> None:
    ten.set_fault("drop", reset=reset)
    heard = raw_pull(client)
    assert (heard.head, heard.body, heard.broken) == ("", b"", reset)
    ten.wait_idle()
    assert waiting(ten) == 0
    assert last_call(ten)["complete"] is False


def test_a_dropped_connection_is_an_error_to_requests(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("drop", times=1)
    with pytest.raises(requests.ConnectionError):
        client.pull()
    assert len(numbers(client.replay())) == 10


@pytest.mark.parametrize("reset", [False, True])
def test_a_body_can_be_torn_short_of_its_length(client: Client, ten: SandboxControl, reset: bool) -> None:
    ten.set_fault("tear", at=0.4, reset=reset)
    heard = raw_pull(client)
    assert heard.length is not None
    assert len(heard.body) == int(heard.length * 0.4)
    assert heard.broken is reset
    assert waiting(ten) == 0


def test_a_body_can_be_cut_clean_with_no_length_to_tell(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("tear_unsized", at=0.4)
    heard = raw_pull(client)
    assert heard.length is None
    assert "Connection: close" in heard.head
    assert heard.body.startswith(b'{"transactionDetail"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(heard.body)
    answer = client.pull()
    assert answer.status_code == 404 or not answer.content.endswith(b"}")


def test_an_answer_can_drip(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("drip", seconds=0.3, pieces=6, times=1)
    began = monotonic()
    assert len(numbers(client.pull())) == 10
    assert monotonic() - began >= 0.2
    assert last_call(ten)["complete"] is True


def test_a_client_can_give_up_on_a_drip(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("drip", seconds=60, pieces=3, times=1)
    give_up(client)
    ten.wait_idle()
    call = next(call for call in ten.calls() if call["faults"] == ["drip"])
    assert (call["complete"], call["gone"]) == (False, True)


# when they strike


def test_a_fault_strikes_the_calls_it_is_meant_for(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("server_error", on="details")
    ten.set_fault("server_error", on="token", times=1)
    assert client.pull().status_code == 200
    assert client.replay().status_code == 200
    assert client.get(f"{REGISTRATIONS}/{REFERENCE}").status_code == 503
    assert client.token().status_code == 503
    ten.clear_faults()
    ten.set_fault("server_error", on="any")
    assert {client.pull().status_code, client.get(REGISTRATIONS).status_code} == {503}


def test_a_fault_can_be_for_one_registration(client: Client, ten: SandboxControl) -> None:
    ten.add_registration("OTHER")
    ten.set_fault("server_error", reference="OTHER")
    assert client.pull().status_code == 200
    assert client.pull(reference="OTHER").status_code == 503


def test_a_fault_can_wait_for_its_turn(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("server_error", after=2, times=2)
    assert [client.pull(1).status_code for _ in range(5)] == [200, 200, 503, 503, 200]
    assert ten.faults() == []


def test_a_fault_can_be_drawn_by_chance_and_the_same_seed_draws_the_same(
    client: Client, control: SandboxControl
) -> None:
    drawn = []
    for _ in range(2):
        control.clear_faults()
        control.every_fault(seed=4, probability=0, but=[])
        control.set_fault("server_error", on="list", probability=0.5)
        drawn.append([client.get(REGISTRATIONS).status_code for _ in range(30)])
    assert drawn[0] == drawn[1]
    assert 5 < Counter(drawn[0])[503] < 25


def test_faults_of_several_stages_strike_at_once(client: Client, ten: SandboxControl) -> None:
    ten.set_fault("duplicate")
    ten.set_fault("nul")
    ten.set_fault("drip", seconds=0.01)
    client.pull()
    assert sorted(last_call(ten)["faults"]) == ["drip", "duplicate", "nul"]


def test_faults_are_checked_and_told(control: SandboxControl) -> None:
    for name, params in (("nonsense", {}), ("drop", {"colour": "red"})):
        with pytest.raises(SandboxError):
            control.set_fault(name, **params)
    control.set_fault("drop", times=3)
    assert [(fault["name"], fault["times"], fault["on"]) for fault in control.faults()] == [("drop", 3, "pull")]
    control.clear_faults("tear")
    assert len(control.faults()) == 1
    control.clear_faults("drop")
    assert control.faults() == []
    assert control.fault_kinds().keys() == KINDS.keys()


def test_with_every_fault_on_everything_can_still_be_had() -> None:
    """Pull until the queue is empty, whatever happens; then replay without faults: nothing is missing."""
    with start_sandbox(switches={"calls_per_second": 0}) as sandbox:
        control = sandbox.control
        control.add_registration(REFERENCE)
        seqs = control.emit(REFERENCE, updates(300))
        client = Client(sandbox)
        control.every_fault(seed=7, probability=0.04)
        assert len(control.faults()) == len(STORM)
        pull_through(client, control)
        control.clear_faults()
        control.wait_idle()
        assert sorted(found_by_replay(client)) == [f"{n:09d}" for n in range(300)]
        assert len({fault for call in control.calls() for fault in call["faults"]}) > 8
        assert len(seqs) == 300


def pull_through(client: Client, control: SandboxControl) -> None:
    while waiting(control):
        try:
            client.pull(2, timeout=0.3)
        except requests.RequestException:
            sleep(0.01)


def found_by_replay(client: Client) -> set[str]:
    found: set[str] = set()
    start = "2020-01-01T00:00:00Z"
    while (answer := client.replay(start)).status_code == 200 and stamps(answer)[-1] != start:
        found.update(numbers(answer))
        start = stamps(answer)[-1]
    return found


def test_a_sandbox_stops_while_calls_hang(sandbox: Sandbox) -> None:
    with start_sandbox(switches={"calls_per_second": 0}) as other:
        other.control.add_registration(REFERENCE)
        client = Client(other)
        other.control.set_fault("late_dequeue", seconds=100)
        give_up(client)
        began = monotonic()
    assert monotonic() - began < 2
