"""Contract, section 3: replay repairs, it does not poll."""

from datetime import timedelta

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.http.dates import read_stamp, stamp
from tests.servers.sandbox_client import REFERENCE, Client, code, last_call, numbers, stamps, updates

DAY = 86_400


def test_replay_serves_what_was_pulled_with_the_same_stamps(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(5))
    pulled = client.pull(3).json()["notifications"]
    control.move_clock(3_600)
    assert client.replay().json()["notifications"] == pulled
    assert client.replay().json()["notifications"] == pulled


def test_replay_never_serves_what_was_not_pulled(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(2))
    assert client.replay().status_code == 404
    client.pull(1)
    assert numbers(client.replay()) == ["000000000"]
    assert last_call(control)["dequeued"] == []


def test_paging_by_the_last_stamp_comes_to_an_end(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(30))
    for _ in range(10):
        client.pull(3)
    start, found = "2020-01-01T00:00:00.000Z", []
    while (answer := client.replay(start, 6)).status_code == 200:
        found += numbers(answer)
        start = stamps(answer)[-1]
    assert found == [f"{n:09d}" for n in range(30)]


@pytest.mark.parametrize(
    ("reading", "found"), [("exclusive", ["000000001"]), ("inclusive", ["000000000", "000000001"])]
)
def test_the_start_may_count_or_not(client: Client, control: SandboxControl, reading: str, found: list[str]) -> None:
    control.switch("replay_start", reading)
    control.emit(REFERENCE, updates(2))
    first = client.pull(1)
    client.pull(1)
    assert numbers(client.replay(stamps(first)[0])) == found


def test_past_the_end_is_404_or_an_empty_list_or_no_list(client: Client, control: SandboxControl) -> None:
    assert (client.replay().status_code, code(client.replay())) == (404, "10001")
    control.switch("replay_end", "empty_list")
    assert client.replay().json()["notifications"] == []
    control.switch("replay_end", "no_list")
    assert "notifications" not in client.replay().json()


def test_after_fourteen_days_there_is_no_replay(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    client.pull()
    control.move_clock(14 * DAY - 60)
    client.renew()
    assert client.replay().status_code == 200
    control.move_clock(120)
    assert client.replay().status_code == 404


def test_a_start_long_ago_is_clipped_or_refused(client: Client, control: SandboxControl) -> None:
    control.switch("replay_too_old", "refuse")
    assert (client.replay().status_code, code(client.replay())) == (400, "10002")
    recent = (control.clock() - timedelta(days=13)).isoformat()
    assert client.replay(recent).status_code == 404


@pytest.mark.parametrize("start", ["", "yesterday", "2026-01-05", "2026-13-05T08:00:00Z", "2026-01-05T08:00:00"])
def test_a_start_must_be_a_time(client: Client, start: str) -> None:
    answer = client.replay(start)
    assert (answer.status_code, code(answer)) == (400, "10002")
    assert answer.json()["error"]["errorDetails"][0]["parameter"] == "replayStartTimestamp"


def test_milliseconds_count(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    given = read_stamp(stamps(client.pull())[0])
    assert given is not None
    assert client.replay(stamp(given - 1)).status_code == 200
    assert client.replay(stamp(given)).status_code == 404


def test_a_count_out_of_range_is_refused(client: Client) -> None:
    assert code(client.replay(count=101)) == "10002"


def test_replay_can_lag_behind_the_pull(client: Client, control: SandboxControl) -> None:
    control.switch("replay_lag_seconds", 600)
    control.emit(REFERENCE, updates(1))
    client.pull()
    assert client.replay().status_code == 404
    control.move_clock(601)
    assert client.replay().status_code == 200
