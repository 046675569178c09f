"""The checked rows of an import as a file, and the template to begin with."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from core.exports.spreadsheet_escape import harmless
from portfolio.exposure.flaws import COUNTED
from portfolio.exposure.money import exact_text
from portfolio.exposure.validate import ExposureRow
from portfolio.imports.row_files import csv_line, sheet_of

HEADER = (
    *("Line", "Validation", "Reason", "Company as written", "Amount as written", "D-U-N-S", "Amount", "Currency"),
    *("Book", "As of", "Name"),
)
TEMPLATE = ("D-U-N-S", "Customer reference", "Amount", "Currency", "Book", "As of", "Name")


def as_csv(rows: Iterable[ExposureRow]) -> Iterator[bytes]:
    """Piece by piece; the mark at its beginning tells Excel that it is UTF-8."""
    yield b"\xef\xbb\xbf" + csv_line(HEADER)
    for row in rows:
        # What could not be read is unknown, and not 0.
        amount = exact_text(row.cents) if row.cents or row.validation in COUNTED else ""
        texts = (row.label, row.reason, row.company, row.written, row.duns, amount, row.currency)
        yield csv_line([f"{row.line}", *map(harmless, (*texts, row.book, row.day, row.name))])


def template() -> bytes:
    """The columns that are read; the first two are text, so that no zero is lost."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = sheet_of(book, TEMPLATE, (16, 24, 16, 10, 18, 14, 36))
        sheet.set_column(0, 1, 20, book.add_format({"num_format": "@"}))
    return buffer.getvalue()
