"""A file of D-U-N-S numbers: how long its validation, the confirmation and the applying take, and how much memory.

    python -m benchmarks.imports [--rows 300000]

Each kind of file is read in a process of its own, so that memory is kept apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import frame
from benchmarks.frame import Amount, target, timed

ROWS = Amount("rows", "rows of the file", 100, 30_000, 300_000)
KINDS = ("csv", "xlsx")
# Seconds for 300,000 rows; megabytes for any.
MOST_SECONDS = {"validation": 60, "applying": 20}
MOST_MEMORY = {"memory grown by reading": 200}


def main() -> None:
    options = frame.options(__doc__, ROWS, engines=("sqlite", "postgres"))
    with frame.reported(options) as report:
        for engine, databases in frame.engines(options, report):
            found = [frame.once(databases, measure, kind=kind, rows=options.rows) for kind in KINDS]
            rows = [row(name, [one[name] for one in found], options.rows) for name in found[0]]
            report.table(f"{engine}, {options.rows:,} rows", ("", *KINDS, "target"), rows)


def row(name: str, values: list[float], rows: int) -> list[str]:
    unit = "MB" if "memory" in name else "s"
    return [name, *(f"{value:,.1f} {unit}" for value in values), aim(name, max(values), rows)]


def aim(name: str, value: float, rows: int) -> str:
    if name in MOST_SECONDS:
        return target(value * 300_000 / rows, most=MOST_SECONDS[name], unit=" s for 300,000")
    return target(value, most=MOST_MEMORY[name], unit=" MB") if name in MOST_MEMORY else ""


# In a process of its own


def measure(kind: str, rows: int) -> Mapping[str, float]:
    content = written_apart(kind, rows)
    memory = Memory()
    found = {"validation": timed(read, content)}
    found["memory grown by reading"] = memory.grown()
    found["confirming"] = timed(confirm)
    found["applying"] = timed(apply)
    found["memory grown in all"] = memory.grown()
    found["file read again, all requested"] = timed(read, content)
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
        return int(frame.peak_megabytes() * 1e6)


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
    from portfolio.models import ImportState
    from tests.builders.people import an_actor

    import_ = the_import()
    if import_.state == ImportState.AWAITING_APPROVAL:
        approve_import(import_=import_, approved_by=an_actor("second"), may_approve=True)
    apply_import(import_)


def the_import() -> Any:
    from portfolio.models import SubjectImport

    return SubjectImport.objects.select_related("registration__contract").order_by("id").get()


if __name__ == "__main__":
    main()
