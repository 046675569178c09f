"""What the program takes while nothing happens, and how long a command needs to start.

    python -m benchmarks.idle [--seconds 60]

Starts `up` on an empty SQLite database under a temporary folder and adds up the memory of all its processes (PSS: what
several share counts once). A start is `manage.py check` beside an interpreter that does nothing, in turn, best of some
rounds: other work only adds to it. Linux only.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.process_table import family

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
STARTS_WITHIN = 300
NOTHING, CHECK = (sys.executable, "-c", "pass"), (sys.executable, "manage.py", "check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="how long nothing happens before it is measured")
    parser.add_argument("--port", type=int, default=9180)
    options = parser.parse_args()
    Console().print(f"load: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        env = {**os.environ, "ENV_FILE": os.devnull, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3"}
        # Compiled modules are kept, as on any machine.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        with running(options.port, env, Path(folder, "up.log")) as pid:
            time.sleep(options.seconds)
            draw_memory(sorted(family(pid)))
        draw_starts(env)


@contextmanager
def running(port: int, env: Mapping[str, str], log: Path) -> Iterator[int]:
    command = (sys.executable, "manage.py", "up", "--port", str(port))
    with log.open("wb") as file, subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file) as up:
        try:
            deadline = time.monotonic() + STARTS_WITHIN
            while "Press Ctrl-C" not in log.read_text():
                assert up.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.5)
            yield up.pid
        finally:
            up.send_signal(signal.SIGTERM)


def draw_memory(pids: Sequence[int]) -> None:
    table = Table("process", "PSS, MB", "own, MB")
    found = {pid: memory_of(pid) for pid in pids}
    for pid, (shared, own) in found.items():
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
        table.add_row(" ".join(Path(word).name for word in words[:4]), f"{shared:.0f}", f"{own:.0f}")
    table.add_row(f"{len(pids)} processes", f"{sum(shared for shared, _ in found.values()):.0f}", "≤ 350 to reach")
    Console().print(table)


def memory_of(pid: int) -> tuple[float, float]:
    """Megabytes: with its share of what it shares, and what is its own."""
    lines = (line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    sizes = {name.rstrip(":"): int(size) / 1024 for name, size, _ in lines}
    return sizes["Pss"], sizes["Private_Dirty"] + sizes["Private_Clean"]


def draw_starts(env: Mapping[str, str]) -> None:
    rounds = [(took(NOTHING, env), took(CHECK, env)) for _ in range(ROUNDS)]
    table = Table("start, best of five", "seconds", "of the processor", "to reach")
    for name, place, aim in (("an interpreter", 0, ""), ("manage.py check", 1, "≤ 1.5")):
        seconds, busy = (min(one[place][which] for one in rounds) for which in (0, 1))
        table.add_row(name, f"{seconds:.2f}", f"{busy:.2f}", aim)
    Console().print(table)


def took(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Seconds by the clock, and those that the processor worked."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=dict(env), check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
