"""Small helpers of many tests: programs as processes, ports, waiting."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

PROGRAM = ("core", "direct_plus", "portfolio", "monitoring", "health", "dnbmon_site")
ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)

T = TypeVar("T")


def manage(*arguments: str, env: Mapping[str, str], timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its output and exit code are in the result."""
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


class Running:
    """A program in a process group of its own, with all it says in a file."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self, timeout: float = 20) -> int:
        """As an operator would: ask the main process, and wait."""
        self.process.terminate()
        return self.process.wait(timeout)

    def kill_all(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def program(*command: str | Path, env: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Nothing of it is left at the end, whatever the test did."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    running = Running(process, log)
    try:
        yield running
    finally:
        running.kill_all()


@contextmanager
def managed(*arguments: str, env: Mapping[str, str], log: Path) -> Iterator[Running]:
    """`manage.py …` as such a program."""
    with program(sys.executable, ROOT / "manage.py", *arguments, env=env, log=log) as running:
        yield running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(done: Callable[[], T], *, timeout: float = 20, what: str = "it") -> T:
    """The first true answer of `done`."""
    deadline = time.monotonic() + timeout
    while not (answer := done()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s in vain for {what}")
        time.sleep(0.05)
    return answer


def wait_for_port(port: int, *, timeout: float = 20) -> None:
    wait_until(lambda: is_open(port), timeout=timeout, what=f"port {port}")


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def find_chromium() -> str | None:
    named = os.environ.get("CHROMIUM")
    places = [named] if named else [*map(shutil.which, BROWSERS), *filter(os.path.exists, ON_MACOS)]
    return next(filter(None, places), None)
