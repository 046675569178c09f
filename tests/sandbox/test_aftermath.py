"""What is left behind when a call goes wrong after its work was done, and what else outlives a restart."""

import http.client
from pathlib import Path

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import start_sandbox
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, code, last_call, numbers, updates

ONE = f"{REGISTRATIONS}/{REFERENCE}"
DUNS = "012345678"


@pytest.mark.parametrize("name", ["drop", "tear"])
def test_a_company_is_added_though_nobody_heard_so(client: Client, control: SandboxControl, name: str) -> None:
    """Repeating it is harmless: it is in already, and was seeded and billed once."""
    control.set_fault(name, on="subject", times=1)
    with pytest.raises(requests.RequestException):
        client.call("POST", f"{ONE}/subjects/{DUNS}")
    assert control.subjects(REFERENCE) == [DUNS]
    assert code(client.call("POST", f"{ONE}/subjects/{DUNS}")) == "21012"
    assert len(client.drain()) == 1


def test_a_batch_is_taken_though_the_answer_was_an_error(client: Client, control: SandboxControl) -> None:
    control.set_fault("server_error", on="batch", dequeue=True, times=1)
    answer = client.call("PATCH", f"{ONE}/subjects", files={"addSubjectIDs": ("a.txt", DUNS.encode())})
    assert answer.status_code == 503
    control.move_clock(6)
    assert control.subjects(REFERENCE) == [DUNS]


def test_a_batch_is_not_taken_when_the_error_came_first(client: Client, control: SandboxControl) -> None:
    control.set_fault("server_error", on="subjects", times=1)
    client.call("PATCH", f"{ONE}/subjects", files={"addSubjectIDs": ("a.txt", DUNS.encode())})
    control.move_clock(6)
    assert control.subjects(REFERENCE) == []


def test_suppressing_may_have_worked_though_it_failed(client: Client, control: SandboxControl) -> None:
    control.set_fault("server_error", on="suppress", dequeue=True, times=1)
    assert client.call("POST", f"{ONE}/suppress").status_code == 503
    assert client.get(ONE).json()["messages"]["notificationsSuppressed"] is True


def test_an_error_that_takes_items_is_still_right_about_a_wrong_call(client: Client, control: SandboxControl) -> None:
    control.set_fault("server_error", dequeue=True)
    assert client.pull("101").status_code == 503
    assert client.pull(reference="NOBODY").status_code == 503


def test_dequeued_at_the_end_a_torn_answer_has_taken_nothing(client: Client, control: SandboxControl) -> None:
    control.switch("dequeue", "end")
    control.emit(REFERENCE, updates(4))
    control.set_fault("tear", times=1)
    with pytest.raises(requests.RequestException):
        client.pull()
    control.wait_idle()
    assert last_call(control)["dequeued"] == []
    assert len(numbers(client.pull())) == 4


def test_dequeued_at_the_end_an_error_that_takes_items_takes_them(client: Client, control: SandboxControl) -> None:
    control.switch("dequeue", "end")
    control.emit(REFERENCE, updates(4))
    control.set_fault("server_error", dequeue=True, times=1)
    client.pull()
    assert client.pull().status_code == 404


def test_a_token_call_can_go_wrong_too(client: Client, control: SandboxControl) -> None:
    control.set_fault("drop", on="token", times=1)
    control.set_fault("garbage", on="token", times=1, after=1)
    with pytest.raises(requests.ConnectionError):
        client.token()
    with pytest.raises(requests.JSONDecodeError):
        client.token().json()
    assert client.token().status_code == 200


def test_a_token_said_to_have_expired_is_good_again_at_once(client: Client, control: SandboxControl) -> None:
    control.set_fault("expired_token", on="list", times=1)
    assert code(client.get(REGISTRATIONS)) == "00040"
    assert client.get(REGISTRATIONS).status_code == 200


def test_connections_stay_open_from_call_to_call(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(3))
    headers = {"Authorization": str(client.http.headers["Authorization"])}
    connection = http.client.HTTPConnection(client.url.removeprefix("http://"))
    ports = []
    for path in (f"{ONE}/notifications", f"{ONE}/notifications", f"{ONE}/nowhere", REGISTRATIONS):
        connection.request("GET", path, headers=headers)
        connection.getresponse().read()
        ports.append(connection.sock.getsockname()[1] if connection.sock else None)
    connection.close()
    assert len(set(ports)) == 1


def test_a_call_is_in_the_log_before_it_is_answered(client: Client, control: SandboxControl) -> None:
    control.set_fault("late_dequeue", seconds=0.3, times=1)
    with pytest.raises(requests.ReadTimeout):
        client.pull(timeout=0.1)
    call = last_call(control)
    assert (call["status"], call["sent_wall"], call["complete"]) == (None, None, False)
    control.wait_idle()
    assert last_call(control)["sent_wall"] is not None


def test_refused_calls_are_in_the_log_with_their_code(client: Client, control: SandboxControl) -> None:
    client.pull(0)
    client.http.headers["Authorization"] = "Bearer nobody"
    client.pull()
    found = [(call["status"], call["code"], call["consumer"]) for call in control.calls()[-2:]]
    assert found == [(400, "10002", "sandbox-key"), (401, "00041", None)]


# restart


def test_what_is_under_way_is_taken_up_again(tmp_path: Path) -> None:
    """Batches not yet applied, exports not yet written, what was held back, marks, reviews, documents, credentials."""
    state = tmp_path / "s.sqlite3"
    with start_sandbox(state=state, switches={"calls_per_second": 0}) as first:
        prepare(first.control)
        client = Client(first, "k", "s")
        client.call("PATCH", f"{ONE}/subjects", files={"addSubjectIDs": ("a.txt", b"000000009")})
        client.get(f"{REGISTRATIONS}/export/{REFERENCE}/subjects")
        company = first.control.company(DUNS)
    with start_sandbox(state=state) as second:
        control, client = second.control, Client(second, "k", "s")
        assert control.subjects(REFERENCE) == [DUNS]
        control.move_clock(6)
        assert control.subjects(REFERENCE) == ["000000009", DUNS]
        assert len(control.files()) == 1
        assert control.company(DUNS) == company
        assert code(client.call("POST", f"{ONE}/subjects/000000001")) == "40002"
        assert control.happen("name_change", DUNS) == []
        control.suppress(REFERENCE, False)
        assert [item["type"] for item in client.drain()] == ["UPDATE", "UNDER_REVIEW", "SEED"]


def prepare(control: SandboxControl) -> None:
    control.set_credentials("k", "s")
    control.add_registration(REFERENCE, suppressed=True)
    control.add_companies(REFERENCE, [DUNS], seed=False)
    control.happen("bankruptcy", DUNS)
    control.happen("under_review", DUNS)
    control.mark("000000001", "deleted")


def test_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    state, found = tmp_path / "s.sqlite3", []
    for _ in range(2):
        with start_sandbox(state=state) as sandbox:
            sandbox.control.add_registration(REFERENCE)
            found += sandbox.control.add_companies(REFERENCE, count=5)
            found_calls = sandbox.control.ledger()
    assert len(set(found)) == 10
    assert [entry["seq"] for entry in found_calls] == list(range(1, 11))


def test_stamps_go_on_after_the_last_one(tmp_path: Path) -> None:
    state, given = tmp_path / "s.sqlite3", []
    for _ in range(3):
        with start_sandbox(state=state, switches={"calls_per_second": 0, "stamps": "item"}) as sandbox:
            sandbox.control.add_registration(REFERENCE)
            sandbox.control.emit(REFERENCE, updates(20))
            given += [item["deliveryTimeStamp"] for item in Client(sandbox).drain()]
    assert len(set(given)) == 60
    assert given == sorted(given)
