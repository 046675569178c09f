"""The validations as a file, and the template to begin with."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from django.utils.translation import gettext

from core.exports.sheets import AS_WRITTEN, open_sheets
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
# Each with what became of it.
Rows = Iterable[tuple[ValidatedRow, str]]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def texts_of(row: ValidatedRow, result: str) -> tuple[str, ...]:
    """Of a row, what stands beside its line."""
    texts = (row.label, row.duns, row.written, row.reason, row.name, row.customer_reference, row.tags, row.owner)
    found_by = (row.country, row.street, row.city, row.postal_code, row.registration_number, row.telephone)
    return (*texts, result, *found_by)


def as_csv(rows: Rows) -> Iterator[bytes]:
    return csv_of(HEADER, ([f"{row.line}", *map(harmless, texts_of(row, result))] for row, result in rows))


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
    cells = ([row.line, *texts_of(row, result)] for row, result in rows)
    with open_sheets(file, AS_WRITTEN, constant_memory=True) as sheets:
        sheets.long_table(gettext("Rows of the import"), HEADER, cells, WIDTHS)


def template() -> bytes:
    return template_of(gettext("D-U-N-S numbers"), TEMPLATE, (16, 36, 20, 24, 18, *FOUND_BY_WIDTHS), numbers=(0,))


def template_of(
    name: str, columns: tuple[str, ...], widths: tuple[int, ...], *, numbers: tuple[int, ...] = (0, 1)
) -> bytes:
    """The columns that are read; those with numbers are text, so that no zero is lost."""
    buffer = io.BytesIO()
    with open_sheets(buffer) as sheets:
        sheet = sheets.table(name, columns, (), widths)
        for place in numbers:
            sheet.set_column(place, place, widths[place], sheets.text)
    return buffer.getvalue()
