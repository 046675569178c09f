"""The small parts on their own: clock, store, switches, draws, limits, multipart, stamps in texts, answers."""

import json
import socket
import threading
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from direct_plus.sandbox.http import dates, multipart, responses
from direct_plus.sandbox.http.connection import Wire
from direct_plus.sandbox.http.dates import read_stamp, stamp
from direct_plus.sandbox.http.faults import BadFault
from direct_plus.sandbox.http.request import json_object
from direct_plus.sandbox.state import background_tasks, notification_queue
from direct_plus.sandbox.state.clock import Clock
from direct_plus.sandbox.state.faults import Faults
from direct_plus.sandbox.state.item import ALWAYS, NEVER, ON_REPLAY, Item, stamped_text
from direct_plus.sandbox.state.options import SWITCHES, BadSwitch, Switches
from direct_plus.sandbox.state.rate_limit import Limiter
from direct_plus.sandbox.state.store import Store
from direct_plus.sandbox.state.world import World

MOMENT = 1_767_870_408_292


# clock


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-08T11:06:48.292Z", MOMENT),
        ("2026-01-08T11:06:48Z", MOMENT - 292),
        ("2026-01-08T12:06:48.292+01:00", MOMENT),
        ("2026-01-08T11:06:48.292123Z", MOMENT),
        ("1970-01-01T00:00:00Z", 0),
        ("2026-01-08", None),
        ("2026-01-08T11:06:48", None),
        ("2026-01-08 11:06:48Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("", None),
    ],
)
def test_times_are_read(text: str, ms: int | None) -> None:
    assert read_stamp(text) == ms


def test_times_are_written_in_five_formats() -> None:
    assert stamp(MOMENT) == "2026-01-08T11:06:48.292Z"
    assert dates.second_stamp(MOMENT) == "2026-01-08T11:06:48Z"
    assert dates.blank_stamp(MOMENT) == "2026-01-08 11:06:48"
    assert dates.file_stamp(MOMENT) == "20260108110648"
    assert dates.http_date(MOMENT) == "Thu, 08 Jan 2026 11:06:48 GMT"


@pytest.mark.parametrize("ms", [0, 1, 999, MOMENT, MOMENT + 708])
def test_a_stamp_that_is_written_reads_the_same(ms: int) -> None:
    assert read_stamp(stamp(ms)) == ms


def test_a_clock_keeps_its_offset_but_not_the_machines_jumps(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    first = Clock(store)
    before = first.move(1_000)
    assert Clock(store).now() - before < 1_000
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert first.now() >= before


# store


def test_a_transaction_is_all_or_nothing() -> None:
    store = Store()
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.remember("a", 1)
        with store.transaction():
            store.remember("b", 1)
        raise ZeroDivisionError
    assert (store.recall("a"), store.recall("b")) == (None, None)
    with store.transaction():
        store.remember("a", {"x": [1]})
    assert store.recall("a") == {"x": [1]}


def test_a_transaction_keeps_other_threads_out() -> None:
    store = Store()
    store.remember("n", 0)

    def count() -> None:
        for _ in range(200):
            with store.transaction():
                store.remember("n", store.recall("n") + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.recall("n") == 800


def test_a_store_counts_and_empties() -> None:
    store = Store()
    assert store.many("INSERT INTO company (duns) VALUES (?)", [("1",), ("2",)]) == 2
    assert store.count("UPDATE company SET mark = 'deleted'") == 2
    assert store.number("SELECT count(*) FROM company") == 2
    store.empty(["company"])
    assert store.row("SELECT * FROM company") is None


# switches and faults


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("empty_pull", ["404", "empty_list", "no_list"], ["200", 404, None]),
        ("empty_code", ["40401", None], [404, ["10001"]]),
        ("stamps", ["answer", "item", 5], ["5", True, 1.5]),
        ("latency_seconds", [0, 0.5], ["1", True]),
        ("seed_on_add", [True, False], [1, "yes"]),
        ("details_extra", [{}, {"a": 1}], [[], "x"]),
    ],
)
def test_a_switch_takes_what_it_says(name: str, good: list[Any], bad: list[Any]) -> None:
    switches = Switches(Store())
    for value in good:
        switches.set(name, value)
        assert switches[name] == value
    for value in bad:
        with pytest.raises(BadSwitch):
            switches.set(name, value)
    assert switches[name] == good[-1]


def test_switches_are_kept() -> None:
    store = Store()
    Switches(store).set("dequeue", "end")
    assert Switches(store).all() == {**{name: switch.default for name, switch in SWITCHES.items()}, "dequeue": "end"}


def test_one_fault_of_a_stage_strikes_and_the_first_goes_first() -> None:
    faults = Faults(Store())
    for name in ("delay", "late_dequeue", "drop", "tear", "nul"):
        faults.set(name)
    struck = faults.draw("pull", "A")
    assert {stage: fault.name for stage, fault in struck.items()} == {"wait": "delay", "send": "drop", "body": "nul"}


def test_what_did_not_strike_keeps_its_times() -> None:
    faults = Faults(Store())
    faults.set("drop", times=1)
    faults.set("tear", times=1)
    assert faults.draw("pull", "A")["send"].name == "drop"
    assert faults.draw("pull", "A")["send"].name == "tear"
    assert faults.draw("pull", "A") == {}


@pytest.mark.parametrize(
    ("on", "kinds"),
    [
        ("pull", ["pull"]),
        ("notifications", ["pull", "replay"]),
        ("subjects", ["subject", "batch"]),
        ("token", ["token"]),
    ],
)
def test_a_fault_is_on_a_kind_or_a_group_of_calls(on: str, kinds: list[str]) -> None:
    faults = Faults(Store())
    faults.set("drop", on=on)
    every = ("pull", "replay", "token", "list", "details", "subject", "batch", "data")
    assert [kind for kind in every if faults.draw(kind, None)] == kinds


def test_faults_are_kept_with_what_is_left_of_them() -> None:
    store = Store()
    faults = Faults(store)
    faults.set("drop", times=3, after=1)
    faults.draw("pull", None)
    faults.draw("pull", None)
    (kept,) = Faults(store).all()
    assert (kept["times"], kept["after"]) == (2, 0)


def test_a_storm_can_spare_some() -> None:
    faults = Faults(Store())
    faults.storm(seed=1, probability=0.5, but=("drop", "tear"))
    names = {fault["name"] for fault in faults.all()}
    assert names & {"drop", "tear"} == set()
    assert {fault["probability"] for fault in faults.all()} == {0.5}
    with pytest.raises(BadFault):
        faults.set("drop", status=1)


def test_a_storm_is_the_same_for_the_same_seed() -> None:
    drawn = []
    for _ in range(2):
        faults = Faults(Store())
        faults.storm(seed=3, probability=0.1)
        drawn.append([sorted(fault.name for fault in faults.draw("pull", "A").values()) for _ in range(50)])
    assert drawn[0] == drawn[1]
    assert len({name for names in drawn[0] for name in names}) > 8


# limits


def test_a_limit_is_over_any_second_and_refusals_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("direct_plus.sandbox.state.rate_limit.monotonic", lambda: now[0])
    limiter = Limiter()

    def admitted(*times: float) -> list[float]:
        found = []
        for now[0] in times:
            if limiter.admits("key", 3):
                found.append(now[0])
        return found

    assert admitted(0.0, 0.5, 0.9, 0.95, 0.99) == [0.0, 0.5, 0.9]
    assert admitted(1.0, 1.2, 1.49, 1.5, 1.51) == [1.0, 1.5]
    assert limiter.admits("other", 3)
    assert all(limiter.admits("key", 0) for _ in range(100))


# multipart

BODY = (
    b'--XX\r\nContent-Disposition: form-data; name="first"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b"one\r\ntwo\r\n--XX\r\nContent-Disposition: form-data; name=second\r\n\r\n\r\n--XX--\r\n"
)


@pytest.mark.parametrize("boundary", ["XX", '"XX"', "XX; charset=utf-8"])
def test_parts_are_found_by_name(boundary: str) -> None:
    found = multipart.parts(f"multipart/form-data; boundary={boundary}", BODY)
    assert found == {"first": b"one\r\ntwo", "second": b""}


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "text/plain; boundary=XX"])
def test_what_is_no_multipart_has_no_parts(kind: str) -> None:
    assert multipart.parts(kind, BODY) == {}
    assert multipart.parts("multipart/form-data; boundary=YY", BODY) == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", []), (b"\n\n", []), (b"1\n2", ["1", "2"]), (b"\xef\xbb\xbf1\r\n 2 \r\n", ["1", "2"]), (b"1\r2", ["1", "2"])],
)
def test_lines_of_a_part(content: bytes, expected: list[str]) -> None:
    assert multipart.lines(content) == expected


# texts


@pytest.mark.parametrize(
    ("raw", "served"),
    [
        (b"{}", b'{"deliveryTimeStamp": "%b"}'),
        (b'{"a": 1} \n', b'{"a": 1, "deliveryTimeStamp": "%b"}'),
        (b'{"a": {"deliveryTimeStamp": 1}, "b": "' + b"x" * 99 + b'"}', None),
        (b"[{}]", b"[{}]"),
        (b"", b""),
        (b'{"a": ', b'{"a": '),
        (b'{"deliveryTimeStamp": "own"}', b'{"deliveryTimeStamp": "own"}'),
    ],
)
def test_a_stamp_is_put_into_a_text_and_nothing_else_is_touched(raw: bytes, served: bytes | None) -> None:
    found = stamped_text(raw, MOMENT)
    if served is None:
        assert json.loads(found)["deliveryTimeStamp"] == stamp(MOMENT)
    else:
        assert found == served.replace(b"%b", stamp(MOMENT).encode())


@pytest.mark.parametrize(
    ("stamped", "pull", "replay"), [(ALWAYS, True, True), (NEVER, False, False), (ON_REPLAY, False, True)]
)
def test_an_item_shows_its_stamp_when_it_should(stamped: int, pull: bool, replay: bool) -> None:
    item = Item(1, b"{}", MOMENT, stamped)
    assert (item.served() != b"{}", item.served(replay=True) != b"{}") == (pull, replay)


@pytest.mark.parametrize("body", [b"", b"[1]", b"null", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert json_object(body) == {}


def test_answers_know_their_shape() -> None:
    plain = responses.error(MOMENT, 5, 400, "10002", {"maxNotifications": "too many"})
    body = json.loads(plain.body)
    assert body["transactionDetail"]["transactionTimestamp"] == stamp(MOMENT)
    assert body["error"]["errorDetails"] == [{"parameter": "maxNotifications", "description": "too many"}]
    assert "errorDetails" not in json.loads(responses.error(MOMENT, 5, 401, "00040").body)["error"]
    assert plain.with_headers(("A", "b")).with_headers(("C", "d")).headers == (("A", "b"), ("C", "d"))
    assert responses.message("99999") == responses.message(None)


# errands


def test_errands_are_carried_out_in_order_when_due(monkeypatch: pytest.MonkeyPatch) -> None:
    world, done = World(), []
    monkeypatch.setitem(
        background_tasks.RUNNERS, "note", lambda _world, reference, lines: done.append((reference, lines))
    )
    background_tasks.add(world, "note", "LATE", "3", delay=60)
    background_tasks.add(world, "note", "SOON", "1", delay=0)
    background_tasks.add(world, "note", "SOON", "2", delay=0)
    assert (background_tasks.due(world), background_tasks.run_due(world), background_tasks.run_due(world)) == (2, 2, 0)
    world.clock.move(61)
    assert background_tasks.run_due(world) == 1
    assert done == [("SOON", "1"), ("SOON", "2"), ("LATE", "3")]


def test_an_errand_that_breaks_off_is_carried_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, tries = World(), []

    def breaks(_world: World, _reference: str, _lines: str) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError

    monkeypatch.setitem(background_tasks.RUNNERS, "note", breaks)
    background_tasks.add(world, "note", "A", delay=0)
    with pytest.raises(OSError):
        background_tasks.run_due(world)
    assert background_tasks.run_due(world) == 1
    assert len(tries) == 2


# wire


def test_a_wire_knows_whether_the_client_is_there() -> None:
    ours, theirs = socket.socketpair()
    wire, never = Wire(ours), threading.Event()
    assert not wire.gone()
    began = monotonic()
    assert wire.wait(0.05, never)
    theirs.close()
    assert wire.gone()
    assert not wire.wait(60, never)
    assert monotonic() - began < 5
    ours.close()


def test_a_wire_that_ended_sends_nothing() -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    assert wire.send(b"x")
    wire.end()
    assert (wire.gone(), wire.send(b"x")) == (True, False)
    assert theirs.recv(10) == b"x"
    assert theirs.recv(10) == b""
    ours.close()
    theirs.close()


def test_waiting_ends_when_the_sandbox_does() -> None:
    ours, theirs = socket.socketpair()
    stopping = threading.Event()
    stopping.set()
    assert Wire(ours).wait(60, stopping)
    ours.close()
    theirs.close()


# spool


def test_held_notices_wait_for_their_release_and_age_from_then(tmp_path: Path) -> None:
    world = World(tmp_path / "s")
    notification_queue.emit(world, "A", [b"{}", b"{}"], held=True)
    world.clock.move(10 * 86_400)
    assert (notification_queue.drop_old(world), notification_queue.waiting(world, "A", 10)) == (0, [])
    assert notification_queue.release_held(world, "A") == 2
    assert len(notification_queue.waiting(world, "A", 10)) == 2
    world.clock.move(4 * 86_400 + 1)
    assert notification_queue.drop_old(world) == 2
    world.close()


def test_waiting_leaves_out_what_others_have_a_claim_on() -> None:
    world = World()
    seqs = notification_queue.emit(world, "A", [b"{}"] * 6)
    assert [seq for seq, _raw in notification_queue.waiting(world, "A", 2, but=seqs[:3])] == seqs[3:5]
    assert notification_queue.waiting(world, "B", 2) == []
