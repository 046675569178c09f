"""An import killed again and again while it is read and applied: every row judged once, every company wanted once."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.support import ROOT

ENDED = "ended with"
NUMBERS = [f"{100_000_000 + number}" for number in range(26)]


class Processes:
    """Each does one order, and has ended when the answer is there."""

    def __init__(self, forking: subprocess.Popen[str], log: Path) -> None:
        self.forking = forking
        self.log = log

    def run(self, *order: str) -> tuple[int, list[str]]:
        """The exit code, and what it said before."""
        assert self.forking.stdin and self.forking.stdout
        print(*order, file=self.forking.stdin, flush=True)
        said: list[str] = []
        while (line := self.forking.stdout.readline()) and not line.startswith(ENDED):
            said.append(line)
        assert line, self.log.read_text()
        return int(line.removeprefix(ENDED)), said

    def done(self, order: str) -> Any:
        code, said = self.run(order)
        assert code == 0, self.log.read_text()
        return json.loads(said[-1]) if order == "show" else None

    def killed(self, step: int) -> None:
        code, _ = self.run("work", str(step))
        assert code == -signal.SIGKILL, self.log.read_text()


@pytest.fixture
def processes(process_env: dict[str, str], tmp_path: Path) -> Iterator[Processes]:
    command = [sys.executable, "-m", "tests.portfolio.imports.import_process"]
    pipe, path = subprocess.PIPE, tmp_path / "log"
    with path.open("wb") as log:
        forking = subprocess.Popen(command, cwd=ROOT, env=process_env, stdin=pipe, stdout=pipe, stderr=log, text=True)
    yield Processes(forking, path)
    forking.communicate(timeout=20)


@pytest.mark.slow
def test_killed_while_it_is_read_and_applied(processes: Processes) -> None:
    processes.done("create")
    for step in (4, 3, 6, 9, 2):
        processes.killed(step)
    processes.done("work")
    seen = processes.done("show")
    assert (seen["state"], seen["new"], seen["requested"]) == ("read", 26, [])
    validations = ["new"] * 26 + ["duplicate", "invalid", "duplicate"]
    assert [tuple(row[::2]) for row in seen["rows"]] == list(zip(range(2, 31), validations, strict=True))
    processes.done("confirm")
    for step in (3, 5, 8, 7, 13):
        processes.killed(step)
        assert set(processes.done("show")["requested"]) <= set(NUMBERS)
    processes.done("work")
    seen = processes.done("show")
    assert (seen["state"], seen["requested"]) == ("applied", NUMBERS)
    # Without transactions a process may die between a deed and the note of it; it never notes one twice.
    assert seen["said"] == 1
    assert seen["audited"] == 26 or settings.MONGODB
