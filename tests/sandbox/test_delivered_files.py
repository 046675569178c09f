"""Contract, section 5: delivered files."""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.run import start_sandbox
from tests.servers.sandbox_client import REFERENCE, REGISTRATIONS, Client, code, updates


def lines(path: Path) -> list[bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"{path.stem}.txt"]
        return archive.read(f"{path.stem}.txt").splitlines()


def header(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())["fileHeader"]
    return found


def deliver(control: SandboxControl, kind: str, per_file: int = 1_000) -> list[Path]:
    return [Path(path) for path in control.deliver(REFERENCE, kind, per_file=per_file)]


def test_seed_files_and_their_header(control: SandboxControl) -> None:
    control.add_companies(REFERENCE, count=25, seed=False)
    *parts, last = deliver(control, "SEEDFILE", per_file=10)
    assert all(re.fullmatch(rf"{REFERENCE}_\d{{14}}_SEEDFILE_[123]\.zip", part.name) for part in parts)
    assert re.fullmatch(rf"{REFERENCE}_\d{{14}}_SEEDFILE_HEADER\.json", last.name)
    items = [json.loads(line) for part in parts for line in lines(part)]
    assert len(items) == 25
    assert all(item.keys() == {"organization"} for item in items)
    assert [json.loads(line) for _, line in control.seed_lines(REFERENCE)] == items
    assert list(control.seed_lines("OTHER")) == []
    head = header(last)
    assert (head["reference"], head["totalRecordCount"], head["headerType"]) == (REFERENCE, 25, "SEEDFILE_HEADER")
    digests = [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]
    assert head["files"] == [{"name": part.name, "hash": d} for part, d in zip(parts, digests, strict=True)]


def test_notification_files_take_what_waits(client: Client, control: SandboxControl) -> None:
    control.emit(
        REFERENCE, [*updates(2, first=5), *updates(2, first=4), {"type": "SEED", "organization": {"duns": "9"}}]
    )
    control.emit(REFERENCE, ["[1]"])
    *parts, last = deliver(control, "NOTIFICATION", per_file=4)
    items = [json.loads(line) for part in parts for line in lines(part)]
    assert [item["organization"]["duns"][-1] for item in items[1:]] == ["4", "5", "5", "6", "9"]
    assert "deliveryTimeStamp" not in items[1]
    assert {count["type"]: count["count"] for count in header(last)["notificationCount"]} == {
        "UPDATE": 4,
        "SEED": 1,
        "": 1,
    }
    assert client.pull().status_code == 404
    assert client.replay().status_code == 404
    assert {entry["file"] for entry in control.ledger()} == {parts[0].name}


def test_the_case_of_header_keys_varies(control: SandboxControl) -> None:
    control.switch("header_case", "old")
    control.switch("seed_header", "SEED_HEADER")
    *_parts, last = deliver(control, "SEEDFILE")
    assert last.name.endswith("_SEED_HEADER.json")
    assert {"productID", "productVersion", "headertype"} <= header(last).keys()


def test_headers_may_never_come(control: SandboxControl) -> None:
    control.switch("headers", False)
    control.add_companies(REFERENCE, count=3, seed=False)
    assert [path.suffix for path in deliver(control, "SEEDFILE")] == [".zip"]


def test_files_are_sent_to_a_folder(control: SandboxControl, tmp_path: Path) -> None:
    control.add_companies(REFERENCE, count=3, seed=False)
    paths = control.deliver(REFERENCE, "SEEDFILE", folder=str(tmp_path / "incoming"))
    sent = {path.name: path.read_bytes() for path in (tmp_path / "incoming").iterdir()}
    assert sent == {Path(path).name: Path(path).read_bytes() for path in paths}
    assert len(sent) == 2


def test_an_exported_list_arrives_later(client: Client, control: SandboxControl) -> None:
    control.add_companies(REFERENCE, ["000000002", "000000001"], seed=False)
    answer = client.get(f"{REGISTRATIONS}/export/{REFERENCE}/subjects")
    assert (answer.status_code, code(answer)) == (202, "21108")
    assert control.files() == []
    control.move_clock(6)
    (path,) = map(Path, control.files())
    assert re.fullmatch(rf"{REFERENCE}_\d{{14}}_DunsExport_1\.zip", path.name)
    assert lines(path) == [b"000000001", b"000000002"]
    assert client.get(f"{REGISTRATIONS}/export/{REFERENCE}/duns").status_code == 202
    control.move_clock(6)
    assert len(control.files()) == 2


def test_without_a_destination_nothing_arrives(client: Client, control: SandboxControl) -> None:
    control.add_registration(REFERENCE, destination=None)
    client.get(f"{REGISTRATIONS}/export/{REFERENCE}/subjects")
    control.move_clock(6)
    assert control.files() == []


def test_an_export_of_nobody_is_an_empty_file(control: SandboxControl) -> None:
    (path,) = deliver(control, "DunsExport")
    assert lines(path) == []


def test_the_out_folder_can_be_chosen_or_lies_beside_the_state(tmp_path: Path) -> None:
    with start_sandbox(out=tmp_path / "out") as sandbox:
        assert sandbox.control.out_folder() == str(tmp_path / "out")
    with start_sandbox(state=tmp_path / "s.sqlite3") as sandbox:
        assert sandbox.control.out_folder() == str(tmp_path / "s.sqlite3.out")


def test_files_of_one_second_have_names_of_their_own(control: SandboxControl) -> None:
    control.switch("exceptions_kind", "EXCEPTIONS")
    names = {path.name for _ in range(3) for path in deliver(control, "DunsExport")}
    assert len(names) == 3
