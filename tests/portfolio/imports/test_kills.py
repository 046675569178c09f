"""An import killed again and again while it is read and applied: every row judged once, every company wanted once."""

import json
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.support import ROOT

NUMBERS = [f"{100_000_000 + number}" for number in range(26)]


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.portfolio.imports.import_process", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def done(env: dict[str, str], *arguments: str) -> Any:
    result = run(env, *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1]) if arguments[0] == "show" else None


def killed(env: dict[str, str], step: int) -> None:
    result = run(env, "work", str(step))
    assert result.returncode == -signal.SIGKILL, result.stderr


@pytest.mark.slow
def test_killed_while_it_is_read_and_applied(process_env: dict[str, str]) -> None:
    done(process_env, "create")
    for step in (4, 3, 6, 9, 2):
        killed(process_env, step)
    done(process_env, "work")
    seen = done(process_env, "show")
    assert (seen["state"], seen["new"], seen["wanted"]) == ("read", 26, [])
    verdicts = ["new"] * 26 + ["duplicate", "invalid", "duplicate"]
    assert [tuple(row[::2]) for row in seen["rows"]] == list(zip(range(2, 31), verdicts, strict=True))
    done(process_env, "confirm")
    for step in (3, 5, 8, 7, 13):
        killed(process_env, step)
        assert set(done(process_env, "show")["wanted"]) <= set(NUMBERS)
    done(process_env, "work")
    seen = done(process_env, "show")
    assert (seen["state"], seen["wanted"]) == ("applied", NUMBERS)
    # Without transactions a process may die between a deed and the note of it; it never notes one twice.
    assert seen["said"] == 1
    assert seen["audited"] == 26 or settings.MONGODB
