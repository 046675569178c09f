"""Memory and open files of every process of a program, sampled from /proc, and whether they grow."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from benchmarks.days.program import command_of
from tests.process_table import children

EVERY = 5.0
# What a process has loaded by then it needs; what it takes later would be a leak.
WARM_UP = 600.0
MB = 1024.0
# The cluster starts its workers first, then who keeps results, then who hands out tasks; a recycled worker comes later.
ORDER = ("worker", "worker", "results", "queue")


@dataclass
class Life:
    """One process: seconds since it was first seen, resident megabytes, open files."""

    role: str
    born: float
    points: list[tuple[float, float, int]] = field(default_factory=list)

    def after(self, seconds: float) -> list[tuple[float, float, int]]:
        return [point for point in self.points if point[0] >= seconds]


class Watch(Thread):
    """Looks at a tree of processes every few seconds."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.lives: dict[int, Life] = {}
        self.over = Event()

    def run(self) -> None:
        while not self.over.wait(EVERY):
            now = time.monotonic()
            for pid, role in roles(self.root):
                with suppress(OSError):
                    life = self.lives.setdefault(pid, Life(role, now))
                    life.points.append((now - life.born, resident(pid), open_files(pid)))

    def stop(self) -> None:
        self.over.set()
        self.join(30)

    def by_role(self) -> dict[str, list[Life]]:
        found: defaultdict[str, list[Life]] = defaultdict(list)
        for life in self.lives.values():
            found[life.role].append(life)
        return dict(found)


def roles(root: int) -> Iterator[tuple[int, str]]:
    yield root, "up"
    for child in children(root):
        if "gunicorn" in command_of(child):
            yield child, "web: master"
            yield from ((pid, "web: server") for pid in children(child))
        elif "worker" in command_of(child):
            yield child, "jobs: watchdog"
            for cluster in children(child):
                yield cluster, "jobs: cluster"
                yield from _below(cluster)


def _below(cluster: int) -> Iterator[tuple[int, str]]:
    for guard in children(cluster):
        yield guard, "jobs: guard"
        for place, pid in enumerate(sorted(children(guard))):
            yield pid, f"jobs: {ORDER[place] if place < len(ORDER) else 'worker'}"


def resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / MB
    raise ProcessLookupError(pid)


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def slope(lives: list[Life], value: Callable[[tuple[float, float, int]], float]) -> float | None:
    """Per hour, by least squares after the warm-up; each process has a level of its own, so that one which was replaced
    counts neither as a fall nor as a rise. None where nothing lived long enough."""
    above = below = 0.0
    for life in lives:
        points = life.after(WARM_UP)
        if len(points) < 2:
            continue
        middle = sum(point[0] for point in points) / len(points)
        level = sum(value(point) for point in points) / len(points)
        above += sum((point[0] - middle) * (value(point) - level) for point in points)
        below += sum((point[0] - middle) ** 2 for point in points)
    return above / below * 3600 if below else None


def megabytes(point: tuple[float, float, int]) -> float:
    return point[1]


def files(point: tuple[float, float, int]) -> float:
    return point[2]
