"""Processes of these tests, as their parent sees them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.support import ROOT

REAPED = 0.005


@dataclass
class Child:
    """A process that does one deed."""

    nursery: "Nursery"
    pid: int
    result: Path

    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        answer: int | None = self.nursery.ask({"look": self.pid})
        return answer

    def wait(self, timeout: float = 300) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.ended()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the process still runs after {timeout:g} s\n{self.nursery.said}")
            time.sleep(REAPED)
        return code

    def answer(self, timeout: float = 300) -> Any:
        code = self.wait(timeout)
        assert code == 0, f"the process ended with {code}\n{self.nursery.said}"
        return json.loads(self.result.read_text())

    def was_killed(self, timeout: float = 300) -> bool:
        return self.wait(timeout) == -signal.SIGKILL

    def send(self, number: int) -> None:
        """A signal, unless it has ended: then its number may be somebody else's."""
        if self.ended() is None:
            os.kill(self.pid, number)

    def is_stopped(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


class Nursery:
    """Starts such processes."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._numbers = count(1)

    @property
    def said(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-4000:]

    def ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the nursery has ended:\n{self.said}"
        return json.loads(line)

    def start(self, deed: str, **arguments: Any) -> Child:
        result = self._folder / f"{next(self._numbers)}.json"
        pid = self.ask({"deed": deed, "arguments": arguments, "result": str(result)})
        return Child(self, pid, result)

    def do(self, deed: str, **arguments: Any) -> Any:
        return self.start(deed, **arguments).answer()


@contextmanager
def nursery(env: Mapping[str, str], folder: Path, *, timeout: float, margin: float) -> Iterator[Nursery]:
    """Nothing that it started is left at the end."""
    command = [sys.executable, "-m", "tests.acceptance.nursery", str(timeout), str(margin)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**env, "DJANGO_SETTINGS_MODULE": "dnbmon_site.settings"},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield Nursery(process, folder)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
