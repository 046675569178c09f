"""Contract, section 3: the destructive pull."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.http.dates import read_stamp
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, code, last_call, numbers, stamps, updates

DAY = 86_400


def test_a_pull_takes_one_by_default(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(3))
    assert numbers(client.pull(None)) == ["000000000"]
    assert numbers(client.pull(None)) == ["000000001"]


def test_what_was_pulled_is_not_served_again(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(250))
    assert len(client.drain()) == 250
    assert client.pull().status_code == 404


def test_an_answer_has_the_shape_of_the_contract(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    answer = client.pull()
    body = answer.json()
    assert list(body) == ["transactionDetail", "inquiryDetail", "notifications"]
    assert body["inquiryDetail"] == {"reference": REFERENCE}
    assert list(body["transactionDetail"]) == ["transactionID", "transactionTimestamp", "inLanguage"]
    assert list(body["notifications"][0]) == ["type", "organization", "elements", "deliveryTimeStamp"]
    assert read_stamp(body["notifications"][0]["deliveryTimeStamp"])
    assert answer.headers["Date"].endswith("GMT")


@pytest.mark.parametrize("count", ["0", "101", "-1", "1.5", "many", "", "٣", "9" * 40])
def test_a_count_out_of_range_is_refused_and_takes_nothing(client: Client, control: SandboxControl, count: str) -> None:
    control.emit(REFERENCE, updates(1))
    answer = client.pull(count)
    assert (answer.status_code, code(answer)) == (400, "10002")
    assert answer.json()["error"]["errorDetails"][0]["parameter"] == "maxNotifications"
    assert control.ledger()[0]["dequeued_at"] is None


def test_nothing_to_pull_is_404_with_a_code_that_can_be_set(client: Client, control: SandboxControl) -> None:
    assert (client.pull().status_code, code(client.pull())) == (404, "10001")
    control.switch("empty_code", "40401")
    assert code(client.pull()) == "40401"
    control.switch("empty_code", None)
    assert client.pull().json()["error"].keys() == {"errorMessage"}


def test_nothing_to_pull_may_be_an_empty_list_or_no_list(client: Client, control: SandboxControl) -> None:
    control.switch("empty_pull", "empty_list")
    assert (client.pull().status_code, client.pull().json()["notifications"]) == (200, [])
    control.switch("empty_pull", "no_list")
    assert client.pull().status_code == 200
    assert "notifications" not in client.pull().json()


def test_an_unknown_reference_is_404_with_a_code_of_its_own_or_as_empty(
    client: Client, control: SandboxControl
) -> None:
    assert (client.pull(reference="NOBODY").status_code, code(client.pull(reference="NOBODY"))) == (404, "00038")
    control.switch("unknown_reference", "as_empty")
    assert code(client.pull(reference="NOBODY")) == "10001"


def test_registrations_have_queues_of_their_own(client: Client, control: SandboxControl) -> None:
    control.add_registration("OTHER")
    control.emit("OTHER", updates(2))
    assert client.pull().status_code == 404
    assert len(client.pull(reference="OTHER").json()["notifications"]) == 2


def test_after_four_days_it_is_lost(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(1))
    control.move_clock(4 * DAY - 60)
    control.emit(REFERENCE, updates(1, first=7))
    control.move_clock(120)
    client.renew()
    assert numbers(client.pull()) == ["000000007"]
    lost, taken = control.ledger()
    assert lost["lost_at"] == lost["queued_at"] + 4 * DAY * 1_000
    assert (lost["dequeued_at"], taken["lost_at"]) == (None, None)


def test_raw_texts_are_served_as_they_are(client: Client, control: SandboxControl) -> None:
    raws: list[str | bytes] = [
        '{"type":"UPDATE", "n":3.0251016094E8}',
        '{"type": "UPDATE", "name": "\\ud800 \\u0000"}',
        b'{"type": "UPDATE", "name": "\xff\xed\xa0\x80"}',
        "[1, 2]",
        '"text"',
        "null",
        "{}",
        '{"deep": ' + "[" * 2_000 + "]" * 2_000 + "}",
    ]
    control.emit(REFERENCE, raws)
    body = client.pull().content
    stamp = body.rpartition(b'"deliveryTimeStamp": "')[2][:24]
    served = [entry["raw"].encode("utf-8", "surrogateescape") for entry in control.ledger()]
    assert b", ".join(served) in body
    assert served[0] == b'{"type":"UPDATE", "n":3.0251016094E8, "deliveryTimeStamp": "%b"}' % stamp
    assert served[3:6] == [b"[1, 2]", b'"text"', b"null"]
    assert served[6] == b'{"deliveryTimeStamp": "%b"}' % stamp


def test_a_text_that_is_no_json_tears_the_whole_answer(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, ['{"type": '])
    with pytest.raises(requests.JSONDecodeError):
        client.pull().json()


def test_a_seed_of_ten_megabytes(client: Client, control: SandboxControl) -> None:
    large = {"type": "SEED", "organization": {"duns": "123456789", "text": "x" * 10_000_000}}
    control.emit(REFERENCE, [large])
    assert len(client.pull().content) > 10_000_000
    assert len(control.ledger()[0]["raw"]) > 10_000_000


def test_the_ledger_tells_when_and_by_which_call(client: Client, control: SandboxControl) -> None:
    seqs = control.emit(REFERENCE, updates(3))
    answer = client.pull(2)
    first, second, third = control.ledger()
    assert [entry["seq"] for entry in (first, second, third)] == seqs
    assert first["call"] == second["call"] == last_call(control)["number"]
    # The stamp may be of the millisecond before the items were taken.
    assert first["queued_at"] <= first["dequeued_at"] <= (read_stamp(first["deliveryTimeStamp"]) or 0) + 1
    assert [first["deliveryTimeStamp"], second["deliveryTimeStamp"]] == stamps(answer)
    assert (third["call"], third["dequeued_at"], third["deliveryTimeStamp"]) == (None, None, None)
    assert control.ledger(since=seqs[1]) == [third]
    assert control.ledger("OTHER") == []


def test_the_call_log_tells_what_came_and_what_went(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(2))
    before, wall = monotonic(), control.clock().timestamp()
    client.pull(2)
    call = last_call(control)
    assert (call["kind"], call["method"], call["status"]) == ("pull", "GET", 200)
    assert call["path"] == f"{REGISTRATIONS}/{REFERENCE}/notifications"
    assert call["params"] == {"maxNotifications": "2"}
    assert (call["consumer"], call["reference"]) == ("sandbox-key", REFERENCE)
    assert before <= call["received_monotonic"] <= call["sent_monotonic"] <= monotonic()
    assert wall - 1 <= call["received_wall"] <= call["sent_wall"]
    assert call["items"] == call["dequeued"] == [entry["seq"] for entry in control.ledger()]
    assert (call["complete"], call["gone"], call["faults"]) == (True, False, [])
    assert control.calls(since=call["number"]) == []


def test_nothing_is_doubled_or_lost_by_pulls_at_once(client: Client, control: SandboxControl) -> None:
    control.emit(REFERENCE, updates(500))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _n: client.pull(10), range(60)))
    found = [number for answer in answers if answer.status_code == 200 for number in numbers(answer)]
    assert sorted(found) == [f"{n:09d}" for n in range(500)]
