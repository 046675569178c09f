"""The frame of all benchmarks: options, the machine's load, fresh databases, processes of their own, tables.

A measurement is a function of a benchmark's module. It runs in a process of its own on a database of its own and
returns figures as JSON: nothing of one round is left for the next, and the memory is the measurement's.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.report import Report
from manage import COLLECTED_AFTER
from tests.databases import Databases, for_url, migrate
from tests.engines import clean_environment, launched, started, stop
from tests.servers.postgres import DURABLE, programs

ROOT = Path(__file__).resolve().parent.parent
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mongodb": "MongoDB"}
# Servers of one's own; the stand-in for MongoDB that tests use shows nothing of MongoDB's speed.
SERVERS = {"postgres": "POSTGRES_BENCH_URL", "mongodb": "MONGODB_BENCH_URL"}
MOST_LOAD = 1.0
READY = "ready"


class Amount(NamedTuple):
    """How much is measured: as a smoke test, usually, and with --large."""

    name: str
    about: str
    tiny: int
    usual: int
    large: int


def options(about: str | None, *amounts: Amount, engines: Sequence[str] = tuple(NAMES)) -> argparse.Namespace:
    """What was asked for; ends here where other work would spoil the figures."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for amount in amounts:
        numbers = f"{amount.about} ({amount.usual:,}; with --large {amount.large:,})"
        parser.add_argument(f"--{amount.name}", type=int, metavar="N", help=numbers)
    parser.add_argument("--engine", action="append", choices=engines, help="only this one; may be repeated")
    parser.add_argument("--rounds", type=int, metavar="N", help="of floor and measurement, one after the other (5)")
    add_common(parser)
    found = parser.parse_args()
    found.engine = found.engine or list(engines)
    found.rounds = found.rounds or (1 if found.tiny else 5)
    for amount in amounts:
        usual = amount.tiny if found.tiny else amount.large if found.large else amount.usual
        setattr(found, amount.name, getattr(found, amount.name) or usual)
    refuse_when_busy(found.anyway)
    clean_environment()
    os.environ.update(DJANGO_SETTINGS_MODULE="dnbmon_site.settings", LOG_LEVEL="CRITICAL")
    return found


def add_common(parser: argparse.ArgumentParser) -> None:
    """What the runner of all hands on to each."""
    parser.add_argument("--large", action="store_true", help="sizes that take hours")
    parser.add_argument("--tiny", action="store_true", help="only show that it works")
    parser.add_argument("--anyway", action="store_true", help=f"even if the machine's load is above {MOST_LOAD:g}")
    parser.add_argument("--write", action="store_true", help="renew the tables in docs/operate/performance.md")


def refuse_when_busy(anyway: bool) -> None:
    if (load := os.getloadavg()[0]) > MOST_LOAD and not anyway:
        sys.exit(f"The machine is busy (load {load:.1f}): figures would mean little. Wait, or add --anyway.")


@contextmanager
def reported(found: argparse.Namespace) -> Iterator[Report]:
    """Tables as they come; in the document, where that was asked for."""
    main = sys.modules["__main__"].__spec__
    assert main is not None, "a benchmark is run as a module"
    report = Report(main.name.removesuffix(".__main__").rpartition(".")[2])
    yield report
    report.end(found.write)


# Databases


def engines(found: argparse.Namespace, report: Report) -> Iterator[tuple[str, Databases]]:
    """The name and the databases of each engine that can be had, one engine after the other."""
    for engine in found.engine:
        if reason := missing(engine):
            report.note(f"{NAMES[engine]}: not measured ({reason}).")
            continue
        with served(engine) as databases:
            yield NAMES[engine], databases


def missing(engine: str) -> str:
    if engine == "postgres" and programs() is None and not os.environ.get(SERVERS[engine]):
        return f"PostgreSQL's programs were not found, and {SERVERS[engine]} is not set"
    if engine == "mongodb" and not os.environ.get(SERVERS[engine]):
        return f"{SERVERS[engine]} names no server"
    return ""


@contextmanager
def served(engine: str) -> Iterator[Databases]:
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        given = os.environ.get(SERVERS.get(engine, ""), "")
        # Not as tests run it: what is committed is on the disk, as it is in use.
        url = given or (launched("tests.servers.postgres", DURABLE) if engine == "postgres" else "sqlite:")
        databases = for_url(url, Path(folder))
        try:
            yield databases
        finally:
            databases.drop_template()
            while started:
                stop(started.pop())


@contextmanager
def fresh(databases: Databases) -> Iterator[str]:
    """A migrated database that nobody has used; gone afterwards."""
    name = f"bench_{uuid.uuid4().hex[:10]}"
    try:
        yield databases.fresh(name)
    finally:
        databases.drop(name)


def filled(found: argparse.Namespace, report: Report) -> Iterator[tuple[str, str]]:
    """A database to fill: that of DATABASE_URL, which keeps what it has for the next time, or a fresh one of each
    engine."""
    if url := os.environ.get("DATABASE_URL"):
        migrate(url)
        yield "the database of DATABASE_URL", url
        return
    for engine, databases in engines(found, report):
        with fresh(databases) as url:
            yield engine, url


# Processes


def start(work: Callable[..., Any], url: str, /, **arguments: Any) -> subprocess.Popen[str]:
    """Begin a function of a benchmark's module in a process of its own, on this database."""
    spec = sys.modules[work.__module__].__spec__
    assert spec is not None, "a benchmark is run as a module"
    command = [sys.executable, "-m", "benchmarks.frame", spec.name, work.__name__, json.dumps(arguments)]
    env = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(command, env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def begin_together(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Once all have come to where they wait to be let go."""
    for process in processes:
        assert process.stdout and process.stdout.readline().strip() == READY, "it has ended"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def wait_to_begin() -> None:
    """In the process of a measurement."""
    print(READY, flush=True)
    sys.stdin.readline()


def result_of(process: subprocess.Popen[str]) -> Any:
    output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"a measurement failed: exit code {process.returncode}")
    return json.loads(output.splitlines()[-1])


def apart(work: Callable[..., Any], url: str, /, **arguments: Any) -> Any:
    return result_of(start(work, url, **arguments))


def once(databases: Databases, work: Callable[..., Any], /, **arguments: Any) -> Any:
    """A measurement on a fresh database."""
    with fresh(databases) as url:
        return apart(work, url, **arguments)


def rounds(number: int, databases: Databases, work: Callable[..., Any], /, **arguments: Any) -> list[Any]:
    """Each round measures the floor and D&B Monitoring, one after the other, on a fresh database."""
    return [once(databases, work, **arguments) for _ in range(number)]


def timed(work: Callable[..., Any], *arguments: Any) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


def peak_megabytes() -> float:
    """The highest resident memory of this process so far."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


# Figures


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and from where to where it went."""
    middle = f"{statistics.median(values):{form}}"
    return f"{middle} ({min(values):{form}} to {max(values):{form}})" if len(values) > 1 else middle


def target(value: float, *, least: float | None = None, most: float | None = None, unit: str = "") -> str:
    if least is not None:
        return f"≥ {least:g}{unit}: {'met' if value >= least else 'not met'}"
    assert most is not None
    return f"≤ {most:g}{unit}: {'met' if value <= most else 'not met'}"


def main() -> None:
    """In the process of a measurement."""
    import django

    django.setup()
    module, function, arguments = sys.argv[1:]
    importlib.import_module("tests.builders.registrations")
    # As in workers, which are forked: the collector does not visit what the program itself consists of.
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER)
    print(json.dumps(getattr(importlib.import_module(module), function)(**json.loads(arguments))))


if __name__ == "__main__":
    main()
