"""Which processes of this folder run: `up` leaves a note as long as it lives, `stop` and `status` read it.

The note is locked by its program, so it is true as long as the lock is held, whatever became of a process id. Its file
stays: who removed it might remove that of a program that starts just then.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Note:
    """A program that runs: where it answers, since when, and the demo's folder where it is one."""

    path: Path
    pid: int
    url: str
    since: str
    demo_folder: str = ""
    sandbox_port: int = 0

    @property
    def name(self) -> str:
        return f"D&B Monitoring{' (demo)' if self.demo_folder else ''}"


def note_path(folder: Path, port: int) -> Path:
    return folder / f"up-{port}.json"


def leave_note(path: Path, *, url: str, demo_folder: str = "", sandbox_port: int = 0) -> int:
    """The note's descriptor. It stays open: the system closes it when the process is gone, and not before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    note = Note(path, os.getpid(), url, datetime.now(UTC).isoformat(timespec="seconds"), demo_folder, sandbox_port)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.truncate(descriptor, 0)
    os.write(descriptor, json.dumps({**asdict(note), "path": ""}).encode())
    return descriptor


def add_choice(parser: ArgumentParser) -> None:
    """Which of those that run is meant, in the words that started it."""
    parser.add_argument("--port", type=int, help="only the instance on this port")
    parser.add_argument("--demo-folder", type=Path, help="only the demo with this data folder")


def running(folder: Path, port: int | None = None, demo_folder: Path | None = None) -> list[Note]:
    """Those that run; notes of dead ones are ignored."""
    paths = sorted(folder.glob("up-*.json")) if port is None else [note_path(folder, port)]
    notes = [note for path in paths if (note := _read(path))]
    return [note for note in notes if demo_folder is None or note.demo_folder == str(demo_folder.absolute())]


def _read(path: Path) -> Note | None:
    try:
        with path.open("r+") as file:
            return Note(**{**json.loads(file.read()), "path": path}) if _is_held(file.fileno()) else None
    except (OSError, ValueError, TypeError):
        # Not there, not written yet, or written by another hand.
        return None


def _is_held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def ask_to_stop(note: Note, *, within: float) -> bool:
    """Whether it ended in time; its children end with it."""
    os.kill(note.pid, signal.SIGTERM)
    return _ends(note, within)


def kill(note: Note, *, within: float) -> bool:
    """Children see that their parent is gone, and end too."""
    with suppress(ProcessLookupError):
        os.kill(note.pid, signal.SIGKILL)
    return _ends(note, within)


def _ends(note: Note, within: float) -> bool:
    deadline = time.monotonic() + within
    while _read(note.path) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True
