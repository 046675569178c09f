"""Contract, section 3: where it is open, a switch plays every reading."""

import socket
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import pytest

from direct_plus.sandbox.control.client import SandboxControl, SandboxError
from direct_plus.sandbox.http.dates import read_stamp
from direct_plus.sandbox.state.options import SWITCHES
from tests.servers.sandbox_client import REFERENCE, Client, give_up, last_call, numbers, stamps, updates


def test_one_stamp_an_answer(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(20))
    first, second = client.pull(10), client.pull(10)
    assert len(set(stamps(first))) == len(set(stamps(second))) == 1
    assert stamps(first)[0] < stamps(second)[0]


def test_one_stamp_an_item(client: Client, control: SandboxControl) -> None:
    control.switch("stamps", "item")
    control.emit(REFERENCE, updates(60))
    given = [one for _ in range(3) for one in stamps(client.pull(20))]
    assert len(set(given)) == 60
    assert given == sorted(given)


def test_stamps_do_not_run_far_ahead_of_the_clock(client: Client, control: SandboxControl) -> None:
    control.switch("stamps", "item")
    control.emit(REFERENCE, updates(1_000))
    last = read_stamp(client.drain()[-1]["deliveryTimeStamp"])
    assert last is not None
    assert last <= control.clock().timestamp() * 1_000 + 350


def test_a_stamp_may_be_shared_over_answers(client: Client, control: SandboxControl) -> None:
    control.switch("stamps", 7)
    control.emit(REFERENCE, updates(40))
    given = [one for _ in range(10) for one in stamps(client.pull(4))]
    assert [given.count(one) for one in sorted(set(given))] == [7, 7, 7, 7, 7, 5]


def test_a_shared_stamp_is_not_kept_for_long(client: Client, control: SandboxControl) -> None:
    control.switch("stamps", 1_000)
    control.emit(REFERENCE, updates(4))
    first = stamps(client.pull(2))
    control.move_clock(10)
    assert stamps(client.pull(2))[0] > first[0]


@pytest.mark.parametrize(
    ("reading", "pulled", "replayed"), [("absent", 0, 0), ("absent_on_pull", 0, 4), ("some", 2, 2)]
)
def test_items_may_lack_their_stamp(
    client: Client, control: SandboxControl, reading: str, pulled: int, replayed: int
) -> None:
    control.switch("item_stamp", reading)
    control.emit(REFERENCE, updates(4))
    answers = client.pull().json()["notifications"], client.replay().json()["notifications"]
    assert [sum("deliveryTimeStamp" in item for item in items) for items in answers] == [pulled, replayed]
    assert all(entry["deliveryTimeStamp"] for entry in control.ledger())


def test_dequeued_at_the_start_a_client_that_gave_up_has_lost_them(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(3))
    control.set_fault("delay", seconds=5, times=1)
    give_up(client)
    control.wait_idle()
    assert client.pull().status_code == 404
    assert len(numbers(client.replay())) == 3
    call = next(call for call in control.calls() if call["gone"])
    assert (len(call["dequeued"]), call["complete"], call["faults"]) == (3, False, ["delay"])


def test_dequeued_at_the_end_they_stay_for_the_next_pull(client: Client, control: SandboxControl) -> None:
    control.switch("dequeue", "end")
    control.emit(REFERENCE, updates(3))
    control.set_fault("delay", seconds=5, times=1)
    give_up(client)
    control.wait_idle()
    assert client.replay().status_code == 404
    assert len(numbers(client.pull())) == 3
    assert client.pull().status_code == 404


def test_dequeued_late_they_are_there_at_first_and_gone_then(client: Client, control: SandboxControl) -> None:
    control.switch("dequeue", "late")
    control.switch("late_seconds", 0.4)
    control.emit(REFERENCE, updates(3))
    control.set_fault("delay", seconds=5, times=1)
    give_up(client, count=2)
    assert client.replay().status_code == 404
    assert control.ledger()[0]["dequeued_at"] is None
    control.wait_idle()
    assert len(numbers(client.replay())) == 2
    assert numbers(client.pull()) == ["000000002"]


def pull_together(client: Client, control: SandboxControl) -> list[list[str]]:
    """Two pulls, the second while the first waits for its answer."""
    control.set_fault("delay", seconds=0.4, times=1)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(client.pull, 3)
        while control.live_clients(REFERENCE) == 0:
            sleep(0.01)
        quick = client.pull(5)
        return [numbers(slow.result()), numbers(quick)]


@pytest.mark.parametrize("dequeue", ["start", "end"])
def test_pulls_at_once_have_items_of_their_own(client: Client, control: SandboxControl, dequeue: str) -> None:
    control.switch("dequeue", dequeue)
    control.emit(REFERENCE, updates(8))
    if dequeue == "end":
        control.set_fault("drip", seconds=0.4, times=1)
    slow, quick = pull_together(client, control)
    assert sorted(slow + quick) == [f"{n:09d}" for n in range(8)]
    assert control.most_clients(REFERENCE) == 2


def test_pulls_at_once_may_share_items(client: Client, control: SandboxControl) -> None:
    control.switch("overlap", "share")
    control.emit(REFERENCE, updates(8))
    slow, quick = pull_together(client, control)
    assert slow == ["000000000", "000000001", "000000002"]
    assert quick == ["000000000", "000000001", "000000002", "000000003", "000000004"]
    assert numbers(client.pull()) == ["000000005", "000000006", "000000007"]
    served = {item["organization"]["duns"]: item for item in client.replay().json()["notifications"]}
    assert len(served) == 8


def test_one_pull_after_the_other_shares_nothing(client: Client, control: SandboxControl) -> None:
    control.switch("overlap", "share")
    for dequeue in ("start", "end"):
        control.switch("dequeue", dequeue)
        control.emit(REFERENCE, updates(40))
        assert len(client.drain(3)) == 40
    assert control.most_clients(REFERENCE) == 1


def test_a_client_that_left_is_no_live_client(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    control.set_fault("late_dequeue", seconds=0.5, times=1)
    give_up(client)
    sleep(0.1)
    assert control.live_clients(REFERENCE) == 0
    client.pull()
    assert control.most_clients(REFERENCE) == 1


def test_switches_are_checked_and_told(control: SandboxControl) -> None:
    assert control.switches().keys() == SWITCHES.keys()
    for name, value in (("nonsense", 1), ("dequeue", "never"), ("seed_on_add", 1), ("stamps", True)):
        with pytest.raises(SandboxError):
            control.switch(name, value)
    control.switch("stamps", 3)
    assert control.switches()["stamps"] == 3
    assert control.ask("switch_kinds").keys() == SWITCHES.keys()


def test_every_call_can_take_its_time(client: Client, control: SandboxControl) -> None:
    control.switch("latency_seconds", 0.15)
    client.get("/v1/monitoring/registrations")
    call = last_call(control)
    assert call["sent_monotonic"] - call["received_monotonic"] >= 0.15


def test_a_client_that_hangs_up_at_once_is_noticed(client: Client, control: SandboxControl) -> None:
    control.switch("latency_seconds", 0.2)
    address = client.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        token = str(client.http.headers["Authorization"])
        connection.sendall(
            f"GET /v1/monitoring/registrations HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        sleep(0.05)
    control.wait_idle()
    assert last_call(control)["gone"]
