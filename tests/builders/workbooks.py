"""Workbooks, as people send them, and some made to take down whoever reads them, in a few kilobytes."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import xlsxwriter

FAR = b'<row><c %s"XFD1048576"><v>1</v></c></row></sheetData>'


def a_workbook(*rows: tuple[Any, ...], then: Callable[[Any], None] | None = None) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if then:
            then(book)
    return buffer.getvalue()


def two_sheets() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        book.add_worksheet("Notes").write_row(0, 0, ("Please keep this list up to date",))
        for name, numbers_there in (("Germany", ["804735132"]), ("France", ["150483782", "101202303"])):
            sheet = book.add_worksheet(name)
            sheet.write_column(0, 0, ["DUNS", *numbers_there])
        sheet.hide()
    return buffer.getvalue()


def a_hostile_workbook(*, reach: str = "", shared: int = 0) -> bytes:
    """A cell far outside, whose place stands behind `reach`; or a text of `shared` characters in 3,000 cells."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        book.add_worksheet("List").write_column(0, 0, ["DUNS", "804735132", *(["MARK"] * (3_000 if shared else 0))])
    if reach:
        return _with(file.getvalue(), "xl/worksheets/sheet1.xml", b"</sheetData>", FAR % reach.encode())
    return _with(file.getvalue(), "xl/sharedStrings.xml", b"MARK", b"8" * shared)


def _with(content: bytes, name: str, old: bytes, new: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in given.infolist():
            part = given.read(info)
            archive.writestr(info.filename, part.replace(old, new) if info.filename == name else part)
    return made.getvalue()
