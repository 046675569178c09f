"""The validations as a file, and the template to begin with."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from core.exports.spreadsheet_escape import harmless
from portfolio.imports.validate import ValidatedRow

# By which D&B finds a company without its number.
FOUND_BY = ("Country", "Street", "City", "Postal code", "Registration number", "Telephone")
HEADER = (
    *("Line", "Validation", "D-U-N-S", "Written as", "Reason", "Name"),
    *("Customer reference", "Tags", "Owner", "Result", *FOUND_BY),
)
TEMPLATE = ("D-U-N-S", "Name", "Customer reference", "Tags", "Owner", *FOUND_BY)
FOUND_BY_WIDTHS = (10, 28, 18, 12, 20, 18)
WIDTHS = (8, 24, 14, 18, 48, 36, 20, 24, 18, 28, *FOUND_BY_WIDTHS)
ROWS_IN_A_SHEET = 1_000_000
# Each with what became of it.
Rows = Iterable[tuple[ValidatedRow, str]]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def cells_of(row: ValidatedRow, result: str) -> list[str]:
    """The number stays text, and nothing in it is a formula."""
    texts = (row.label, row.duns, row.written, row.reason, row.name, row.customer_reference, row.tags, row.owner)
    found_by = (row.country, row.street, row.city, row.postal_code, row.registration_number, row.telephone)
    return [f"{row.line}", *map(harmless, (*texts, result, *found_by))]


def as_csv(rows: Rows) -> Iterator[bytes]:
    return csv_of(HEADER, (cells_of(*row) for row in rows))


def csv_of(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """Piece by piece; the mark at its beginning tells Excel that it is UTF-8."""
    yield b"\xef\xbb\xbf" + csv_line(header)
    for cells in rows:
        yield csv_line(cells)


def csv_line(cells: Iterable[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().encode()


def as_xlsx(rows: Rows) -> IO[bytes]:
    """A file of its own; who closes it removes it."""
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
    _write_xlsx(file, rows)
    file.seek(0)
    return file


def _write_xlsx(file: IO[bytes], rows: Rows) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet: Any = None
        for number, row in enumerate(rows):
            place = number % ROWS_IN_A_SHEET
            if place == 0:
                sheet = sheet_of(book, HEADER, WIDTHS)
            for column, text in enumerate(cells_of(*row)):
                sheet.write_string(place + 1, column, text)
        if sheet is None:
            sheet_of(book, HEADER, WIDTHS)


def sheet_of(book: Any, header: tuple[str, ...], widths: tuple[int, ...]) -> Any:
    sheet = book.add_worksheet()
    for column, (word, width) in enumerate(zip(header, widths, strict=False)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, word, book.add_format({"bold": True}))
    sheet.freeze_panes(1, 0)
    return sheet


def template() -> bytes:
    return template_of(TEMPLATE, (16, 36, 20, 24, 18, *FOUND_BY_WIDTHS), numbers=(0,))


def template_of(columns: tuple[str, ...], widths: tuple[int, ...], *, numbers: tuple[int, ...] = (0, 1)) -> bytes:
    """The columns that are read; those with numbers are text, so that no zero is lost."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = sheet_of(book, columns, widths)
        for place in numbers:
            sheet.set_column(place, place, widths[place], book.add_format({"num_format": "@"}))
    return buffer.getvalue()
