"""Sending additions to D&B: how many calls, how long, how much memory; against the sandbox over real HTTP.

python -m benchmarks.sync [--count 300000]
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import frame
from benchmarks.frame import Amount, target

if TYPE_CHECKING:
    from portfolio.models import Registration

COUNT = Amount("count", "additions", 100, 30_000, 300_000)
REFERENCE = "BENCH_LOD_01"
MOST_CALLS = 100
# For 300,000.
MOST_SECONDS = {"requested": 20, "settled by D&B's export": 30}
COLUMNS = ("", "seconds", "numbers per second", "calls", "target")
Row = list[str]


def main() -> None:
    options = frame.options(__doc__, COUNT, engines=("sqlite", "postgres"))
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            report.table(
                f"{engine}, {options.count:,} additions", COLUMNS, frame.once(databases, measure, count=options.count)
            )


# In a process of its own


def measure(count: int) -> list[Row]:
    from direct_plus.sandbox.run import start_sandbox

    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        state = Path(folder) / "sandbox.sqlite3"
        with start_sandbox(state=state, switches={"calls_per_second": 0}) as sandbox:
            credentials = {"DNB_API_KEY": "sandbox-key", "DNB_API_SECRET": "sandbox-secret"}
            os.environ |= {"DNB_BASE_URL": sandbox.url, **credentials}
            sandbox.control.switch("seed_on_add", False)
            sandbox.control.add_registration(REFERENCE)
            registration, requested = prepare(count, rows)
            send(registration, count, rows)
            sandbox.control.move_clock(10)
            export(registration, sandbox.control.deliver(REFERENCE, "DunsExport"), count, rows)
            assert sandbox.control.subjects(REFERENCE) == requested
    rows.append(["peak memory, sandbox included", "", "", f"{frame.peak_megabytes():,.0f} MB", ""])
    return rows


def prepare(count: int, rows: list[Row]) -> tuple[Registration, list[str]]:
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
    rows.append(row("requested", time.perf_counter() - start, count))
    return registration, requested


def send(registration: Registration, count: int, rows: list[Row]) -> None:
    from portfolio.sync.run import sync

    start = time.perf_counter()
    run = sync(registration)
    assert run is not None and run.sent == count, run
    aim = target(run.calls, most=MOST_CALLS, unit=" calls")
    rows.append([*row("sent", time.perf_counter() - start, count)[:3], str(run.calls), aim])


def export(registration: Registration, paths: list[str], count: int, rows: list[Row]) -> None:
    from portfolio.models import Subject, SubjectState
    from portfolio.registrations.dnb_list_files import apply_export

    start = time.perf_counter()
    apply_export(registration, [Path(path) for path in paths], by="benchmark")
    rows.append(row("settled by D&B's export", time.perf_counter() - start, count))
    assert Subject.objects.filter(state=SubjectState.MONITORED).count() == count


def row(name: str, seconds: float, count: int) -> Row:
    most = MOST_SECONDS.get(name)
    aim = target(seconds * 300_000 / count, most=most, unit=" s for 300,000") if most else ""
    return [name, f"{seconds:.1f}", f"{count / seconds:,.0f}", "", aim]


if __name__ == "__main__":
    main()
