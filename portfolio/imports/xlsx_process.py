"""A program of its own: a workbook on standard input → the rows of its sheets on standard output.

A workbook comes from outside, and what it grows to in memory shows only while it is read, so it is read in a child with
limits of its own, which `workbooks.py` starts. It writes a line of JSON for each sheet and below it one for each row
that is not empty, [number, cells, places of numbers with decimals]; the last line says how it ended. It imports nothing
of the program's.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import zipfile
import zlib
from contextlib import suppress
from datetime import date
from functools import partial
from typing import Any, BinaryIO

import msgspec

MEGABYTE = 1_000_000
SHEETS_LIMIT = 200
NAME_LENGTH = 100
# Characters. What is longer is no name of a company, and no line of a list.
CELL_LENGTH = 1_000
ROW_LENGTH = 100_000
encode = msgspec.json.Encoder().encode


class Trouble(Exception):
    """Why the workbook is not read, in a word that `workbooks.py` knows."""


class Limits(msgspec.Struct):
    memory: int
    seconds: int
    unpacked: int


def main() -> None:
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    keep_to(limits)
    file, out = sys.stdin.buffer, Output(sys.stdout.buffer, limits.unpacked)
    try:
        check_archive(file, limits.unpacked)
        write_sheets(file, out)
        out.write(ended="")
    except Trouble as trouble:
        out.write(ended=str(trouble))
    except MemoryError:
        out.write(ended="memory")
    except BaseException as error:  # noqa: BLE001
        # A panic of the reader is no Exception; whatever it stumbles over, this is no fault of the program's.
        out.write(ended="unreadable", error=repr(error)[:200])


def keep_to(limits: Limits) -> None:
    """Beyond them the system ends this process, not the one that works for everybody."""
    # Not every system knows each of them: the time, which the parent measures too, is kept to everywhere.
    bounds = {"RLIMIT_AS": limits.memory, "RLIMIT_DATA": limits.memory, "RLIMIT_CPU": limits.seconds, "RLIMIT_CORE": 0}
    for name, bound in bounds.items():
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (bound, bound))


class Output:
    """Counts what is written: a text that a thousand cells share stands there a thousand times."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._left = limit

    def write(self, **message: Any) -> None:
        self._file.write(json.dumps(message).encode() + b"\n")
        # Whoever reads must know where it ended, however it ends.
        self._file.flush()

    def row(self, number: int, cells: list[str], numbers: list[int]) -> None:
        line = encode((number, cells, numbers))
        self._left -= len(line)
        if self._left < 0:
            raise Trouble("too_large")
        self._file.write(line + b"\n")


def check_archive(file: BinaryIO, limit: int) -> None:
    """Unpacked once, because a header may lie about sizes."""
    try:
        archive = zipfile.ZipFile(file)
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > limit:
            raise Trouble("too_large")
        for info in infos:
            if info.filename.endswith((".xml", ".rels")):
                limit -= unpacked_size(archive, info, limit)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError) as error:
        raise Trouble("damaged") from error


def unpacked_size(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> int:
    # Beyond the limit, or its end would be taken for the file's.
    size, info.file_size = 0, limit + 2 * MEGABYTE
    with archive.open(info) as member:
        for piece in iter(partial(member.read, MEGABYTE), b""):
            size += len(piece)
            if size > limit:
                raise Trouble("too_large")
    return size


def write_sheets(file: BinaryIO, out: Output) -> None:
    # Only now, so that the limits hold for what it does on its way in too.
    import python_calamine

    file.seek(0)
    workbook = python_calamine.load_workbook(file)
    places = [(place, sheet) for place, sheet in enumerate(workbook.sheets_metadata) if "WorkSheet" in str(sheet.typ)]
    if len(places) > SHEETS_LIMIT:
        raise Trouble("sheets")
    for place, sheet in places:
        is_hidden = sheet.visible != python_calamine.SheetVisibleEnum.Visible
        out.write(sheet=sheet.name[:NAME_LENGTH], hidden=is_hidden)
        for number, cells in enumerate(workbook.get_sheet_by_index(place).iter_rows(), start=1):
            if texts := filled(cells):
                out.row(number, texts, [place for place, cell in enumerate(cells) if has_decimals(cell)])


def filled(cells: list[Any]) -> list[str]:
    """The texts of a row up to the last that is not empty; none for an empty row."""
    texts = [text_of(cell) for cell in cells]
    if sum(map(len, texts)) > ROW_LENGTH:
        raise Trouble("row")
    while texts and not texts[-1]:
        texts.pop()
    return texts


def text_of(cell: object) -> str:
    """A cell as the person sees it: whole numbers without “.0”."""
    if isinstance(cell, str):
        return cell[:CELL_LENGTH].strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and not has_decimals(cell):
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def has_decimals(cell: object) -> bool:
    """A number that is written with a point, whatever the texts beside it have for decimals."""
    return isinstance(cell, float) and not (cell.is_integer() and abs(cell) < 1e15)


if __name__ == "__main__":
    main()
