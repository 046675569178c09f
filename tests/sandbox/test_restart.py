"""State survives a restart, also a SIGKILL; starting and stopping as a process."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import pytest

from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.sandbox.http.dates import read_stamp
from direct_plus.sandbox.run import Sandbox, start_sandbox
from tests.servers.sandbox_client import REFERENCE, Client, numbers, updates


class Process:
    """A sandbox of its own, as a person would start it."""

    def __init__(self, state: Path, *more: str) -> None:
        self.ready = state.with_name("ready")
        self.ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "direct_plus.sandbox", "--port", "0", "--state", str(state)]
        command += ["--ready-file", str(self.ready), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.url = self.line.removeprefix("sandbox on ").strip()
        self.control = SandboxControl(self.url)

    def client(self) -> Client:
        return Client(SimpleNamespace(url=self.url))  # type: ignore[arg-type]

    def end(self, how: int) -> int:
        self.process.send_signal(how)
        return self.wait()

    def wait(self) -> int:
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "sandbox.sqlite3"


@pytest.fixture
def process(state: Path) -> Iterator[Process]:
    state.parent.mkdir()
    running = Process(state)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


def test_one_line_says_where_it_is(process: Process) -> None:
    assert process.line.startswith("sandbox on http://127.0.0.1:")
    assert process.ready.read_text().strip() == process.url
    assert process.control.clock()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(process: Process, how: int) -> None:
    process.client()
    began = monotonic()
    assert process.end(how) == 0
    assert monotonic() - began < 3


def test_the_control_client_ends_it_cleanly(process: Process) -> None:
    process.control.stop()
    assert process.wait() == 0


def test_everything_survives_a_kill(process: Process, state: Path) -> None:
    control = process.control
    control.switch("calls_per_second", 0)
    control.switch("stamps", 3)
    control.add_registration(REFERENCE, description="kept")
    control.add_companies(REFERENCE, ["012345678"], seed=False)
    control.emit(REFERENCE, updates(10))
    control.set_fault("server_error", on="list", times=2)
    control.move_clock(86_400)
    client = process.client()
    pulled = client.pull(4).json()["notifications"]
    ledger, calls, token = control.ledger(), control.calls(), client.http.headers["Authorization"]
    assert process.end(signal.SIGKILL) == -signal.SIGKILL

    again = Process(state)
    try:
        client = again.client()
        assert again.control.ledger() == ledger
        assert again.control.calls()[: len(calls)] == calls
        assert again.control.switches()["stamps"] == 3
        assert again.control.faults()[0]["times"] == 2
        assert again.control.subjects(REFERENCE) == ["012345678"]
        assert abs(again.control.clock().timestamp() - control_time(pulled)) < 60
        client.http.headers["Authorization"] = token
        assert client.replay().json()["notifications"] == pulled
        assert len(numbers(client.pull())) == 6
    finally:
        again.end(signal.SIGTERM)


def control_time(pulled: list[dict[str, str]]) -> float:
    found = read_stamp(pulled[0]["deliveryTimeStamp"])
    assert found is not None
    return found / 1_000


def test_a_kill_amid_pulls_doubles_and_loses_nothing(process: Process, state: Path) -> None:
    """What a client got or the ledger says was taken is not served again; the rest still waits."""
    control = process.control
    control.switch("calls_per_second", 0)
    control.add_registration(REFERENCE)
    control.emit(REFERENCE, updates(2_000))
    control.set_fault("delay", seconds=0.002)
    client, got = process.client(), []
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {process.process.pid}"])
    try:
        while True:
            got += numbers(client.pull(3))
    except OSError:
        killer.wait()
    again = Process(state)
    try:
        client = again.client()
        taken = [entry for entry in again.control.ledger() if entry["dequeued_at"]]
        rest = [item["organization"]["duns"] for item in client.drain()]
        assert len(got) <= len(taken) <= len(got) + 3
        assert len(taken) + len(rest) == 2_000
        assert not set(got) & set(rest)
    finally:
        again.end(signal.SIGTERM)
        process.wait()


def test_in_process_a_state_is_taken_up_again(state: Path) -> None:
    with start_sandbox(state=state) as first:
        first.control.add_registration(REFERENCE)
        first.control.emit(REFERENCE, updates(3))
    with start_sandbox(state=str(state), switches={"calls_per_second": 0}) as second:
        assert len(numbers(Client(second).pull())) == 3


def test_credentials_can_be_given_at_the_start(state: Path) -> None:
    with start_sandbox(key="k", secret="s") as sandbox:
        assert Client(sandbox, "k", "s").token().status_code == 200
        with pytest.raises(KeyError):
            Client(sandbox)


def test_it_listens_on_this_machine_only(sandbox: Sandbox) -> None:
    listening = Path("/proc/net/tcp").read_text().splitlines()
    port = f":{int(sandbox.url.rpartition(':')[2]):04X} "
    local = [line.split()[1] for line in listening if port in line + " " and line.split()[3] == "0A"]
    assert [address.partition(":")[0] for address in local] == ["0100007F"]


def test_two_sandboxes_know_nothing_of_each_other(sandbox: Sandbox) -> None:
    with start_sandbox() as other:
        assert other.url != sandbox.url
        assert other.control.ledger(REFERENCE) == []
