"""The tree of processes that `up` starts: all are up, or none is left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from dnbmon_site.worker.child_process import Child, Told, stop

STOP_WITHIN = 10.0
GROUND_STOPS_WITHIN = 2.0
# A child that ends is started again, but not for ever.
RESTARTS = 3
WITHIN = 60.0
PAUSE = 1.0

Report = Callable[[str], None]


class Stopped(Exception):
    """Somebody asked us to stop."""


class Failed(Exception):
    """A part of the program does not work; the message says which, and what was said about it."""


class Tree:
    """The children. Those that others stand on, as the sandbox, end last."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.told = Told()
        self.children: list[Child] = []
        self.ground: list[Child] = []
        self.ended: defaultdict[str, list[float]] = defaultdict(list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop(self.children, within=STOP_WITHIN)
        stop(self.ground, within=GROUND_STOPS_WITHIN)

    def start(self, name: str, *command: str, env: Mapping[str, str], is_ground: bool = False) -> Child:
        child = Child(name, command, env)
        (self.ground if is_ground else self.children).append(child)
        return child

    def run(self, what: str, *command: str, env: Mapping[str, str]) -> str:
        """A step that ends by itself; returns what it printed."""
        process = subprocess.Popen(
            command, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        try:
            while (code := process.poll()) is None:
                self.wait(0.05)
        finally:
            process.kill()
            output, _ = process.communicate()
        if code:
            raise Failed(f"{what} failed (exit code {code}). The lines above show why.")
        return output

    def wait(self, seconds: float) -> None:
        if self.told.wait(seconds):
            raise Stopped

    def wait_until(self, is_ready: Callable[[], bool], child: Child, *, within: float) -> None:
        deadline = time.monotonic() + within
        while not is_ready():
            self.wait(0.1)
            if child.exit_code is not None:
                raise Failed(
                    f"{child.name} stopped during startup (exit code {child.exit_code}). The lines above show why."
                )
            if time.monotonic() > deadline:
                raise Failed(
                    f"{child.name} has not responded for {within:.0f} seconds. Check the lines above, then start again."
                )

    def watch(self) -> None:
        """Until somebody asks us to stop; who ends by itself is started again."""
        while True:
            self.wait(0.5)
            for child in [*self.ground, *self.children]:
                if child.exit_code is not None:
                    self.replace(child)

    def replace(self, child: Child) -> None:
        ended = self.ended[child.name]
        ended.append(time.monotonic())
        if len([moment for moment in ended if moment > time.monotonic() - WITHIN]) > RESTARTS:
            raise Failed(
                f"{child.name} stopped {len(ended)} times within a minute, so all is stopped. The lines above show why."
            )
        self.report(f"{child.name} stopped unexpectedly (exit code {child.exit_code}) and is restarting.")
        self.wait(PAUSE)
        child.restart()


def manage(*arguments: str) -> tuple[str, ...]:
    """A command of ours, as the command line of another process."""
    return (sys.executable, sys.argv[0], *arguments)
