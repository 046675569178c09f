"""An XLSX file → its sheets, and the lines of one of them. It is read in a child process: see `xlsx_process.py`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.db import clean_text
from portfolio.imports.columns import AnyTable, BadFile, BaseTable, EmptyTable, Numbered, NumberText, Sheet, Unfinished

MEGABYTE = 1_000_000
MEMORY_LIMIT = 768 * MEGABYTE
UNPACKED_LIMIT = 400 * MEGABYTE
SECONDS, PATIENCE = 30, 45
CONSUMER = Path(__file__).with_name("xlsx_process.py")
TROUBLES = {
    "damaged": _("The XLSX file is damaged. Open it in Excel, save it again and upload the new file."),
    "unreadable": _("The XLSX file could not be read. Open it in Excel, save it again, or save the list as CSV."),
    "sheets": _("The workbook has more than 200 sheets. Copy the list into a separate file."),
    "row": _("A row%(where)s contains more than 100,000 characters. Copy the columns you need into a new file."),
    "too_large": _(
        "The file is larger than %(limit)s MB when unpacked%(where)s. Copy the columns you need into a new sheet, or "
        "save it as several CSV files."
    ),
    "memory": _(
        "The file needs more than %(memory)s MB of memory%(where)s. It may have cells far outside the list, or long "
        "texts in many cells. Copy the columns you need into a new file, or save the list as CSV."
    ),
    "time": _(
        "The file takes too long to read%(where)s. Copy the columns you need into a new file, or save the list as CSV."
    ),
    "died": _("The file could not be read%(where)s. Save the list as CSV and upload that file."),
}
# The allocator of the library aborts where there is no memory left; the system kills who takes all of it.
DEATHS: dict[int, str] = {
    signal.SIGABRT: "memory",
    signal.SIGSEGV: "memory",
    signal.SIGKILL: "memory",
    signal.SIGXCPU: "time",
}
_Row = msgspec.json.Decoder(tuple[int, list[str], list[int]])


class SheetRows:
    """The rows of one sheet, in what the child has written."""

    def __init__(self, file: IO[bytes], start: int, count: int) -> None:
        self._file = file
        self._start = start
        self._count = count

    def __call__(self) -> Iterator[Numbered]:
        self._file.seek(self._start)
        for _row in range(self._count):
            number, cells, numbers = _Row.decode(self._file.readline())
            for place in numbers:
                cells[place] = NumberText(cells[place])
            yield number, cells


def open_workbook(content: bytes, requested: str, kind: type[AnyTable]) -> AnyTable:
    """Of the sheet that was asked for; else of the first with such a list, hidden ones last."""
    file = _written_by_child(content)
    found = list(_sheets(file, kind))
    chosen = (
        [one for one in found if one[0].name == requested]
        if requested
        else sorted(found, key=lambda one: one[0].hidden)
    )
    table = next((trouble_or_table for _sheet, trouble_or_table in chosen if isinstance(trouble_or_table, kind)), None)
    if table is None:
        raise _none_of(chosen, found, requested)
    table.sheets = [
        msgspec.structs.replace(sheet, is_read=other is table, has_numbers=isinstance(other, kind))
        for sheet, other in found
    ]
    return table


def _sheets(file: IO[bytes], kind: type[AnyTable]) -> Iterator[tuple[Sheet, AnyTable | BadFile]]:
    """Each sheet with its table, or with why it has none."""
    for sheet, start in list(_marks(file)):
        try:
            table = kind(SheetRows(file, start, sheet.rows), about=sheet.rows)
        except BadFile as error:
            yield sheet, error
        else:
            yield msgspec.structs.replace(sheet, rows=sheet.rows - table.rows_above), table


def _marks(file: IO[bytes]) -> Iterator[tuple[Sheet, int]]:
    """Where the rows of each sheet begin, and how many they are; raises what the child says went wrong."""
    sheet, start, offset, ended = Sheet(), 0, 0, ""
    file.seek(0)
    for line in file:
        offset += len(line)
        if line.startswith(b"["):
            sheet.rows += 1
            continue
        if sheet.name:
            yield sheet, start
        message = json.loads(line)
        ended = message.get("ended", "")
        sheet, start = Sheet(clean_text(message.get("sheet", "")), hidden=message.get("hidden", False)), offset
    if ended:
        raise BadFile(_trouble(ended, sheet.name))


def _none_of(
    chosen: Sequence[tuple[Sheet, BaseTable | BadFile]],
    found: Sequence[tuple[Sheet, BaseTable | BadFile]],
    requested: str,
) -> BadFile:
    names = ", ".join(f"“{sheet.name}”" for sheet, _ in found)
    if not chosen and requested:
        return BadFile(
            gettext("The workbook has no sheet “%(sheet)s”. Its sheets are %(names)s.")
            % {"sheet": requested, "names": names}
        )
    troubles = [error for _, error in chosen if isinstance(error, BadFile)]
    trouble = next((error for error in troubles if not isinstance(error, EmptyTable)), None) or EmptyTable()
    looked_at = gettext("Sheets checked: %(names)s.") % {"names": names}
    return BadFile(f"{trouble} {looked_at}") if len(chosen) > 1 else trouble


# The child


def _written_by_child(content: bytes) -> IO[bytes]:
    limits = {"memory": MEMORY_LIMIT, "seconds": SECONDS, "unpacked": UNPACKED_LIMIT}
    # Isolated, and without the program's environment: what reads a stranger's file needs none of its secrets.
    command = [sys.executable, "-I", str(CONSUMER), json.dumps(limits)]
    written = tempfile.TemporaryFile()  # noqa: SIM115  closed with the table that reads it
    with tempfile.TemporaryFile() as given:
        given.write(content)
        given.seek(0)
        try:
            done = subprocess.run(
                command, stdin=given, stdout=written, stderr=subprocess.DEVNULL, env={}, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Unfinished(_trouble("time", _last_sheet(written))) from error
    if done.returncode:
        raise Unfinished(_trouble(DEATHS.get(-done.returncode, "died"), _last_sheet(written)))
    return written


def _last_sheet(file: IO[bytes]) -> str:
    """The one at which the child ended."""
    file.seek(0)
    marks = [line for line in file if line.startswith(b"{") and line.endswith(b"}\n")]
    return str(json.loads(marks[-1]).get("sheet", "")) if marks else ""


def _trouble(word: str, sheet: str) -> str:
    where = gettext(" (sheet “%(name)s”)") % {"name": clean_text(sheet)} if sheet else ""
    limits = {"limit": UNPACKED_LIMIT // MEGABYTE, "memory": MEMORY_LIMIT // MEGABYTE}
    return str(TROUBLES[word]) % {"where": where, **limits} if "%(" in str(TROUBLES[word]) else str(TROUBLES[word])
