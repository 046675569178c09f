"""Notes of programs that run: true as long as their program lives."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from dnbmon_site.operations.processes.pidfile import ask_to_stop, kill, leave_note, note_path, running

URL = "http://127.0.0.1:8123/"
# As `up`: leaves its note, waits, and tidies up for a moment; with a word more, it does not listen when asked to stop.
PROGRAM = """
import signal, sys, time
from pathlib import Path
from dnbmon_site.operations.processes.pidfile import leave_note
signal.signal(signal.SIGTERM, signal.SIG_IGN if len(sys.argv) > 2 else lambda number, frame: sys.exit())
leave_note(Path(sys.argv[1]), url="http://127.0.0.1:8123/")
try:
    print("runs", flush=True)
    time.sleep(60)
finally:
    time.sleep(2)
"""


@contextmanager
def noted(path: Path, **about: Any) -> Iterator[None]:
    """As a program that ends with the block."""
    descriptor = leave_note(path, url=URL, **about)
    try:
        yield
    finally:
        os.close(descriptor)


def a_program(path: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(path), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "runs\n"
    return process


def test_a_note_is_there_as_long_as_its_program(tmp_path: Path) -> None:
    with noted(note_path(tmp_path, 8123), demo_folder="/demo", sandbox_port=8124):
        (note,) = running(tmp_path)
        assert (note.pid, note.url, note.name) == (os.getpid(), URL, "D&B Monitoring (demo)")
        assert running(tmp_path, 8124) == []
        assert running(tmp_path, demo_folder=Path("/demo")) == [note]
        assert running(tmp_path, demo_folder=Path("/other")) == []
    assert running(tmp_path) == []


def test_stop_takes_the_words_that_started_a_demo(tmp_path: Path, settings: Any, capsys: Any) -> None:
    """And stops no other: here it would be this process."""
    settings.VAR_DIR = tmp_path
    with noted(note_path(tmp_path, 8123), demo_folder="/demo", sandbox_port=8124):
        call_command("stop", "--demo-folder", "/other")
    assert "D&B Monitoring is not running." in capsys.readouterr().out


def test_what_a_killed_program_left_says_nothing_even_if_its_number_lives_again(tmp_path: Path) -> None:
    path = note_path(tmp_path, 8123)
    process = a_program(path)
    process.kill()
    process.wait()
    left = json.loads(path.read_text())
    path.write_text(json.dumps({**left, "pid": os.getpid()}))
    assert running(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_note_by_somebody_elses_hand(tmp_path: Path, text: str) -> None:
    path = note_path(tmp_path, 8123)
    with noted(path):
        path.write_text(text)
        assert running(tmp_path) == []


def test_who_listens_is_asked_and_who_does_not_is_killed(tmp_path: Path) -> None:
    path = note_path(tmp_path, 8123)
    process = a_program(path)
    assert ask_to_stop(running(tmp_path)[0], within=5)
    assert process.wait(1) == 0, "it is said to have stopped while it still tidies up"
    deaf = a_program(path, "deaf")
    (note,) = running(tmp_path)
    assert not ask_to_stop(note, within=0.3)
    assert kill(note, within=5)
    deaf.wait()
