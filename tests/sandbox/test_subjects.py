"""Contract, section 4: D-U-N-S of a registration, by both path families."""

import io
import zipfile
from pathlib import Path
from time import monotonic

import pytest
import requests

from direct_plus.sandbox.control.client import SandboxControl
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, code

ONE = f"{REGISTRATIONS}/{REFERENCE}"
FAMILIES = pytest.mark.parametrize("family", ["subjects", "duns"])


def one(client: Client, method: str, duns: str, family: str = "subjects", **more: object) -> requests.Response:
    return client.call(method, f"{ONE}/{family}/{duns}", **more)


def add_many(client: Client, content: bytes, family: str = "subjects") -> requests.Response:
    if family == "subjects":
        return client.call("PATCH", f"{ONE}/subjects", files={"addSubjectIDs": ("a.txt", content)})
    return client.call("PATCH", f"{ONE}/duns/add", files={"duns": ("a.txt", content)})


def remove_many(client: Client, content: bytes, family: str = "subjects") -> requests.Response:
    if family == "subjects":
        return client.call("PATCH", f"{ONE}/subjects", files={"removeSubjectIDs": ("a.txt", content)})
    return client.call("PATCH", f"{ONE}/duns/remove", files={"duns": ("a.txt", content)})


def zipped(text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("list.txt", text)
    return buffer.getvalue()


def exceptions(control: SandboxControl) -> list[list[str]]:
    """The lines of the Exceptions files, without their header."""
    found: list[list[str]] = []
    for path in map(Path, control.files()):
        if path.stem.lower().endswith("_exceptions"):
            with zipfile.ZipFile(path) as archive:
                assert archive.namelist() == [f"{path.stem}.txt"]
                head, *lines = archive.read(archive.namelist()[0]).decode().splitlines()
            assert head == "DUNS\tCode\tInformation"
            found += [line.split("\t") for line in lines]
    return found


@FAMILIES
def test_add_check_and_remove_one(client: Client, control: SandboxControl, family: str) -> None:
    steps = [("GET", 404, "10001"), ("POST", 200, "21113"), ("GET", 200, "21110"), ("POST", 400, "21012"),
             ("DELETE", 200, "21114"), ("DELETE", 404, "21005"), ("GET", 404, "10001")]  # fmt: skip
    for method, status, expected in steps:
        answer = one(client, method, "012345678", family)
        assert (answer.status_code, code(answer)) == (status, expected)


def test_both_families_speak_of_the_same_list(client: Client) -> None:
    one(client, "POST", "012345678", "duns")
    assert code(one(client, "GET", "012345678", "subjects")) == "21110"


def test_a_company_that_is_added_is_seeded(client: Client) -> None:
    one(client, "POST", "012345678")
    (item,) = client.drain()
    assert (item["type"], item["organization"]["duns"]) == ("SEED", "012345678")
    assert "elements" not in item
    assert item["organization"]["primaryName"]


def test_a_seed_can_be_left_out(client: Client, control: SandboxControl) -> None:
    control.switch("seed_on_add", False)
    one(client, "POST", "012345678")
    assert client.drain() == []


def test_a_customer_reference_may_come_along(client: Client) -> None:
    assert code(one(client, "POST", "012345678", json={"customerReference": "our 17"})) == "21113"
    assert code(one(client, "POST", "012345679", data=b"no json")) == "21113"


def test_what_is_pending_is_still_delivered_after_a_removal(client: Client) -> None:
    one(client, "POST", "012345678")
    one(client, "DELETE", "012345678")
    assert len(client.drain()) == 1


@pytest.mark.parametrize("duns", ["12345678", "1234567890", "12345678a", "١٢٣٤٥٦٧٨٩", "15-048-3782"])
def test_a_number_must_have_nine_digits(client: Client, duns: str) -> None:
    answer = one(client, "POST", duns)
    assert (answer.status_code, code(answer)) == (400, "10003")


@pytest.mark.parametrize(
    ("mark", "status", "expected"),
    [("invalid", 400, "10003"), ("deleted", 410, "40002"), ("unknown", 404, "10001"), ("10200", 400, "10200")],
)
def test_numbers_can_be_refused(client: Client, control: SandboxControl, mark: str, status: int, expected: str) -> None:
    control.mark("012345678", mark)
    answer = one(client, "POST", "012345678")
    assert (answer.status_code, code(answer)) == (status, expected)
    control.mark("012345678", "")
    assert code(one(client, "POST", "012345678")) == "21113"


def test_a_transferred_number_names_its_replacement(client: Client, control: SandboxControl) -> None:
    control.mark("012345678", "transferred", retained="999999999")
    answer = one(client, "POST", "012345678")
    assert code(answer) == "40003"
    assert answer.json()["error"]["errorDetails"] == [{"parameter": "duns", "description": "999999999"}]


def test_unheard_of_numbers_exist_or_not(client: Client, control: SandboxControl) -> None:
    control.switch("unknown_duns", "refuse")
    assert code(one(client, "POST", "012345678")) == "10001"
    control.mark("012345678", "")
    assert code(one(client, "POST", "012345678")) == "21113"


def test_a_few_unheard_of_numbers_have_every_trouble(client: Client, control: SandboxControl) -> None:
    control.switch("unknown_duns", "some")
    control.switch("calls_per_second", 0)
    codes = [code(one(client, "POST", f"{100_000_000 + number}")) for number in range(8)]
    assert codes == ["10001", "10003", "40002", "40003", *["21113"] * 4]


def test_done_already_can_be_said_as_information(client: Client, control: SandboxControl) -> None:
    control.switch("already_listed", "information")
    answers = [one(client, "DELETE", "012345678"), one(client, "POST", "012345678"), one(client, "POST", "012345678")]
    assert [(answer.status_code, code(answer)) for answer in answers] == [
        (200, "21005"),
        (200, "21113"),
        (200, "21012"),
    ]


def test_an_unknown_registration_takes_nobody(client: Client) -> None:
    assert code(client.call("POST", f"{REGISTRATIONS}/NOBODY/subjects/012345678")) == "00038"


@FAMILIES
def test_a_batch_is_accepted_and_applied_later(client: Client, control: SandboxControl, family: str) -> None:
    answer = add_many(client, b"012345678\n023456789\n", family)
    assert (answer.status_code, code(answer)) == (202, "21108")
    assert code(one(client, "GET", "012345678")) == "10001"
    control.move_clock(6)
    assert control.subjects(REFERENCE) == ["012345678", "023456789"]
    assert len(client.drain()) == 2
    assert code(remove_many(client, b"023456789", family)) == "21108"
    control.move_clock(6)
    assert control.subjects(REFERENCE) == ["012345678"]


def test_a_batch_is_applied_by_itself_when_its_time_comes(client: Client, control: SandboxControl) -> None:
    control.switch("batch_delay_seconds", 0.1)
    add_many(client, b"012345678")
    until = monotonic() + 3
    while not control.subjects(REFERENCE) and monotonic() < until:
        pass
    assert control.subjects(REFERENCE) == ["012345678"]


def test_a_batch_can_be_zipped(client: Client, control: SandboxControl) -> None:
    add_many(client, zipped("012345678\r\n\r\n 023456789 \r\n"))
    control.move_clock(6)
    assert control.subjects(REFERENCE) == ["012345678", "023456789"]


@pytest.mark.parametrize("content", [b"PK broken", b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_refused(client: Client, content: bytes) -> None:
    answer = add_many(client, content)
    assert (answer.status_code, code(answer)) == (400, "10002")


def test_a_batch_needs_its_part(client: Client) -> None:
    wrong = client.call("PATCH", f"{ONE}/subjects", files={"duns": ("a.txt", b"012345678")})
    assert (wrong.status_code, code(wrong)) == (400, "10002")
    assert code(client.call("PATCH", f"{ONE}/subjects", data=b"012345678")) == "10002"
    assert code(client.call("PATCH", f"{ONE}/duns/add", data=b"", headers={"Content-Type": "multipart/x"})) == "10002"


def test_refused_lines_come_in_an_exceptions_file(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, ["000000001"], seed=False)
    control.mark("000000002", "deleted")
    control.mark("000000003", "transferred", retained="000000009")
    control.mark("000000004", "unknown")
    add_many(client, b"000000001\n000000002\n000000003\n000000004\n12345678\n000000005\n000000005\n")
    control.move_clock(6)
    found = {(duns, status): text for duns, status, text in exceptions(control)}
    assert set(found) == {
        ("000000001", "21012"),
        ("000000002", "40002"),
        ("000000003", "40003"),
        ("000000004", "10001"),
        ("12345678", "10003"),
        ("000000005", "21012"),
    }
    assert found["000000003", "40003"] == "000000009"
    assert control.subjects(REFERENCE) == ["000000001", "000000005"]


def test_refused_removals_come_there_too(client: Client, control: SandboxControl) -> None:
    remove_many(client, b"000000001")
    control.move_clock(6)
    assert [line[:2] for line in exceptions(control)] == [["000000001", "21005"]]


def test_without_a_file_destination_nobody_sees_them(client: Client, control: SandboxControl) -> None:
    control.add_registration(REFERENCE, destination=None)
    add_many(client, b"12345678\n000000005\n")
    control.move_clock(6)
    assert control.files() == []
    assert control.subjects(REFERENCE) == ["000000005"]


def test_a_batch_of_three_hundred_thousand(client: Client, control: SandboxControl) -> None:
    lines = "\n".join(f"{n:09d}" for n in range(300_000)).encode()
    control.switch("seed_on_add", False)
    began = monotonic()
    assert add_many(client, zipped(lines.decode())).status_code == 202
    control.move_clock(6)
    assert len(control.subjects(REFERENCE)) == 300_000
    assert monotonic() - began < 20
