"""Who runs whom, as the operating system tells."""

import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    group: int
    state: str


def processes() -> list[Process]:
    lines = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = [line.split() for line in lines]
    return [Process(int(row[0]), int(row[1]), int(row[2]), row[3]) for row in rows]


def children(pid: int) -> list[int]:
    return [process.pid for process in processes() if process.parent == pid]


def family(pid: int) -> set[int]:
    """The process and all below it."""
    return {pid}.union(*(family(child) for child in children(pid)))


def alive(pids: set[int]) -> set[int]:
    """Those that still run; zombies only wait to be noticed."""
    return {process.pid for process in processes() if process.pid in pids and not process.state.startswith("Z")}
