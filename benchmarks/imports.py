"""A file of D-U-N-S numbers: how long its verdicts, the confirmation and the applying take, and how much memory.

    python -m benchmarks.imports [--rows 300000]

Works on a fresh SQLite file; each kind of file is read in a process of its own, so that memory is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KINDS = ("csv", "xlsx")
REACH_SECONDS, REACH_MEMORY = 60, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        print(json.dumps(measure(options.kind, options.rows)))
    else:
        show(options.rows)


def show(rows: int) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(f"{rows:,} rows", *KINDS, "to reach")
    found = {kind: measured_apart(kind, rows) for kind in KINDS}
    for name, unit, reach in (
        ("validations", "s", f"≤ {REACH_SECONDS} s"),
        ("memory grown by reading", "MB", f"≤ {REACH_MEMORY} MB"),
        ("confirming", "s", ""),
        ("applying", "s", ""),
        ("memory grown in all", "MB", ""),
        ("file read again, all wanted", "s", ""),
    ):
        table.add_row(name, *(f"{found[kind][name]:,.1f} {unit}" for kind in KINDS), reach)
    Console().print(table)


def measured_apart(kind: str, rows: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="dnbmon-bench-") as folder:
        environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "ENV_FILE": os.devnull}
        command = [sys.executable, "-m", "benchmarks.imports", "--rows", str(rows), "--kind", kind]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(kind: str, rows: int) -> dict[str, float]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dnbmon_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    content = written_apart(kind, rows)
    memory = Memory()
    found = {"validations": timed(lambda: read(content))}
    found["memory grown by reading"] = memory.grown()
    found["confirming"] = timed(confirm)
    found["applying"] = timed(apply)
    found["memory grown in all"] = memory.grown()
    found["file read again, all wanted"] = timed(lambda: read(content))
    return found


def written_apart(kind: str, rows: int) -> bytes:
    """In another process, so that writing it leaves no memory here."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"list.{kind}"
        code = f"from benchmarks.imports import write; write({kind!r}, {rows}, {str(path)!r})"
        subprocess.run([sys.executable, "-c", code], check=True)
        return path.read_bytes()


def write(kind: str, rows: int, path: str) -> None:
    header = ["D-U-N-S", "Name", "Customer reference", "Tags", "Owner"]
    lines = ([f"{100_000_000 + n * 7 % 899_999_999}", f"Company {n}", f"R-{n}", "a, b", "ann"] for n in range(rows))
    if kind == "csv":
        import csv

        with Path(path).open("w", newline="") as file:
            csv.writer(file, delimiter=";").writerows([header, *lines])
        return
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header)
        for number, line in enumerate(lines, start=1):
            sheet.write_row(number, 0, line)


class Memory:
    """The resident memory at its highest since the beginning, looked at all the time."""

    def __init__(self) -> None:
        self.before = self.highest = self.now()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while True:
            self.highest = max(self.highest, self.now())
            time.sleep(0.01)

    def grown(self) -> float:
        return (max(self.highest, self.now()) - self.before) / 1e6

    @staticmethod
    def now() -> int:
        pages = Path("/proc/self/statm")
        if pages.exists():
            return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read(content: bytes) -> None:
    from portfolio.imports.upload import create_import, read_import
    from portfolio.models import ImportState
    from tests.builders.registrations import a_registration

    registration = a_registration()
    import_ = create_import(
        registration=registration, content=content, file_name="list", mode="add", source="command", requested_by="bench"
    )
    read_import(import_)
    assert import_.state == ImportState.READ, import_.error


def confirm() -> None:
    from portfolio.imports.confirm import confirm_import
    from tests.builders.people import an_actor

    import_ = the_import()
    confirm_import(import_=import_, number=import_.new_billable or 0, confirmed_by=an_actor("bench"), may_confirm=True)


def apply() -> None:
    from portfolio.imports.apply import apply_import
    from portfolio.imports.confirm import approve_import
    from tests.builders.people import an_actor

    import_ = the_import()
    approve_import(import_=import_, approved_by=an_actor("second"), may_approve=True)
    apply_import(import_)


def the_import() -> Any:
    from portfolio.models import SubjectImport

    return SubjectImport.objects.select_related("registration__contract").order_by("id").get()


if __name__ == "__main__":
    main()
