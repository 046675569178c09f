"""Reading deliveries, end to end, against a hand-written `sqlite3` loader of the same rows and indexes.

    python -m benchmarks.ingest [--pages 200]

Prints ratios of one run; both sides are measured here, on a database under a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

TABLES = ("portfolio_company", "monitoring_notification", "monitoring_change")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=100, help="answers of 100 notifications")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/bench.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
        import django

        django.setup()
        measure(options.pages, Path(folder))


def measure(pages: int, folder: Path) -> None:
    from django.core.management import call_command
    from rich.console import Console
    from rich.table import Table

    call_command("migrate", verbosity=0)
    deliveries, replayed = make_deliveries(pages), make_deliveries(pages)
    each: list[float] = []
    first = timed(lambda: read_all(deliveries, each))
    again = timed(lambda: read_all(replayed, []))
    by_hand = timed(lambda: load_by_hand(folder))
    table = Table("", "seconds", "notifications a second", "ratio", "to reach")
    count = pages * 100
    table.add_row("hand-written sqlite3 loader", f"{by_hand:.2f}", f"{count / by_hand:,.0f}", "1.00", "")
    table.add_row("first time, end to end", f"{first:.2f}", f"{count / first:,.0f}", f"{by_hand / first:.2f}", "≥ 0.5")
    table.add_row("known already", f"{again:.2f}", f"{count / again:,.0f}", f"{first / again:.1f} × the first", "≥ 5 ×")
    p99 = statistics.quantiles(each, n=100)[98] * 1000
    table.add_row("a page of 100, p99", "", "", f"{p99:.0f} ms", "≤ 50 ms")
    Console().print(table)


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def make_deliveries(pages: int) -> list[Any]:
    from tests.builders.deliveries import a_delivery
    from tests.builders.elements import an_element
    from tests.builders.notifications import a_seed, an_update
    from tests.builders.registrations import a_registration
    from tests.builders.times import stamp

    registration = a_registration()
    made = []
    for page in range(pages):
        items = []
        for number in range(100):
            duns, key = f"{100_000_000 + (page * 100 + number) % 5000}", page * 100 + number
            if key < 5000:
                items.append(a_seed(duns, primaryName=f"Company {key} Ltd", telephone=[{"telephoneNumber": str(key)}]))
            else:
                at = stamp(seconds=key)
                items.append(
                    an_update(
                        an_element("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", str(key), at),
                        an_element("organization.numberOfEmployees", [{"value": key - 1}], [{"value": key}], at),
                        duns=duns,
                    )
                )
        made.append(a_delivery(*items, registration=registration))
    return made


def read_all(deliveries: list[Any], each: list[float]) -> None:
    from monitoring.pipeline.ingest import ingest

    for delivery in deliveries:
        each.append(timed(partial(ingest, delivery)))


def load_by_hand(folder: Path) -> None:
    """The same rows into the same tables with the same indexes, 100 notifications a transaction, from memory."""
    source = sqlite3.connect(folder / "bench.sqlite3")
    target = sqlite3.connect(folder / "by_hand.sqlite3", isolation_level=None)
    target.execute("PRAGMA journal_mode=WAL")
    target.execute("PRAGMA synchronous=FULL")
    statements = source.execute("SELECT sql FROM sqlite_master WHERE tbl_name IN (?, ?, ?) AND sql NOT NULL", TABLES)
    for (statement,) in statements:
        target.execute(statement)
    for table in TABLES:
        rows = source.execute(f"SELECT * FROM {table}").fetchall()
        marks = ",".join("?" * len(rows[0]))
        for start in range(0, len(rows), 100):
            target.execute("BEGIN")
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[start : start + 100])
            target.execute("COMMIT")


if __name__ == "__main__":
    main()
