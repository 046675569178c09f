"""Programs that belong to this one: each in a session of its own, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from types import FrameType

PARENT = "STARTED_BY"
LOOK_EVERY = 0.2
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Process:
    """A child of which only the id is known."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exit_code: int | None = None

    def poll(self) -> int | None:
        return self._ended(os.WNOHANG)

    def wait(self) -> int | None:
        return self._ended(0)

    def _ended(self, options: int) -> int | None:
        if self.exit_code is None and (found := os.waitpid(self.pid, options))[0]:
            self.exit_code = os.waitstatus_to_exitcode(found[1])
        return self.exit_code

    def terminate(self) -> None:
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Child:
    """A program in a session of its own: a Ctrl-C in our terminal does not reach it, and its group can be ended."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None, pid: int | None = None
    ) -> None:
        """With a `pid` it runs already."""
        self.name = name
        self.command = command
        self.env = os.environ if env is None else env
        self.process = Process(pid) if pid else self._start()

    def _start(self) -> subprocess.Popen[bytes] | Process:
        env = {**self.env, PARENT: str(os.getpid())}
        return subprocess.Popen(self.command, env=env, stdin=subprocess.DEVNULL, start_new_session=True)

    def restart(self) -> None:
        self.kill()
        self.process = self._start()

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        """The main process only: it tells the others, in its own order."""
        if self.exit_code is None:
            self.process.terminate()

    def kill(self) -> None:
        """The whole group, also when the main process is gone and others are left."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        # One that was only just made may have no group yet.
        self.process.kill()
        self.process.wait()


def stop(children: Iterable[Child], *, within: float) -> None:
    """Ask all, wait for all, and end whatever is still there."""
    waiting = list(children)
    for child in waiting:
        child.ask_to_stop()
    deadline = time.monotonic() + within
    while any(child.exit_code is None for child in waiting) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in waiting:
        child.kill()


class Told:
    """Whether somebody asked us to stop. A plain flag: an Event's lock may be held when the signal comes."""

    def __init__(self) -> None:
        self.to_stop = False
        for number in STOP_SIGNALS:
            # nohup has it ignored, and means it.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note_signal)

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self.to_stop = True

    def wait(self, seconds: float) -> bool:
        """True as soon as we are to stop, which is also when our parent is gone."""
        deadline = time.monotonic() + seconds
        while not (self.to_stop or is_orphan()) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        return self.to_stop or is_orphan()


def is_orphan() -> bool:
    """Whether the program that started this one as its child has ended without ending us."""
    parent = os.environ.get(PARENT)
    return parent is not None and os.getppid() != int(parent)


def end_with_parent() -> None:
    """Ask ourselves to stop when our parent is gone, for programs whose main loop is not ours."""
    if PARENT in os.environ:
        Thread(target=_wait_for_the_end_of_parent, daemon=True, name="end with parent").start()


def _wait_for_the_end_of_parent() -> None:
    while not is_orphan():
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)
