"""Sending additions to D&B: how many calls, how long, how much memory; against the sandbox over real HTTP.

python -m benchmarks.sync [--count 300000]
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

REFERENCE = "BENCH_LOD_01"
MOST_CALLS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300_000, help="additions")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
        import django

        django.setup()
        measure(options.count, Path(folder))


def measure(count: int, folder: Path) -> None:
    from django.core.management import call_command
    from rich.console import Console
    from rich.table import Table

    from direct_plus.sandbox.run import start_sandbox

    call_command("migrate", verbosity=0)
    table = Table("", "seconds", "numbers a second", "calls", "to reach")
    with start_sandbox(state=folder / "sandbox.sqlite3", switches={"calls_per_second": 0}) as sandbox:
        os.environ |= {"DNB_BASE_URL": sandbox.url, "DNB_API_KEY": "sandbox-key", "DNB_API_SECRET": "sandbox-secret"}
        sandbox.control.switch("seed_on_add", False)
        sandbox.control.add_registration(REFERENCE)
        registration, requested = prepare(count, table)
        send(registration, count, table)
        sandbox.control.move_clock(10)
        export(registration, sandbox.control.deliver(REFERENCE, "DunsExport"), count, table)
        assert sandbox.control.subjects(REFERENCE) == requested
    table.add_row("peak memory of this process, sandbox included", "", "", f"{peak():,.0f} MB", "")
    Console().print(table)


def prepare(count: int, table: object) -> tuple[object, list[str]]:
    from portfolio.models import Contract, Registration
    from portfolio.subjects.requests import SubjectEntry, request_subjects

    contract, _ = Contract.objects.get_or_create(name="default")
    registration = Registration.objects.create(
        id=Registration.key("default", REFERENCE), contract=contract, reference=REFERENCE, adopted=True
    )
    requested = [f"{100_000_000 + number}" for number in range(count)]
    start = time.perf_counter()
    request_subjects(
        registration=registration, entries=[SubjectEntry(duns) for duns in requested], requested_by="benchmark"
    )
    row(table, "said to be wanted", time.perf_counter() - start, count)
    return registration, requested


def send(registration: object, count: int, table: object) -> None:
    from portfolio.models import Registration
    from portfolio.sync.run import sync

    assert isinstance(registration, Registration)
    start = time.perf_counter()
    run = sync(registration)
    assert run is not None and run.sent == count, run
    row(table, "sent", time.perf_counter() - start, count, str(run.calls), f"≤ {MOST_CALLS} calls")


def export(registration: object, paths: list[str], count: int, table: object) -> None:
    from portfolio.models import Registration, Subject, SubjectState
    from portfolio.registrations.dnb_list_files import apply_export

    assert isinstance(registration, Registration)
    start = time.perf_counter()
    apply_export(registration, [Path(path) for path in paths], by="benchmark")
    row(table, "settled by D&B's export", time.perf_counter() - start, count)
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == count


def row(table: object, words: str, seconds: float, count: int, calls: str = "", reach: str = "") -> None:
    from rich.table import Table

    assert isinstance(table, Table)
    table.add_row(words, f"{seconds:.1f}", f"{count / seconds:,.0f}", calls, reach)


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
