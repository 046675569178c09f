"""Every spreadsheet: texts stay texts, numbers are numbers, dates are dates, and no cell is a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from io import BytesIO
from typing import IO, Any

from django.utils import timezone

from core.exports.spreadsheet_escape import harmless
from core.lists.listings import text_of

CELL = 32_767
NAME = 31
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
SHEET_ROWS = 1_000_000
# Earlier days have no number in a spreadsheet.
FIRST_YEAR = 1900
AS_WRITTEN, THOUSANDS = "General", "#,##0"


def workbook(title: str, made_at: datetime, parts: Iterable[Callable[[Sheets], None]]) -> bytes:
    """What the parts write, one after another."""
    file = BytesIO()
    with open_sheets(file, in_memory=True) as sheets:
        sheets.book.set_properties({"title": title, "author": "D&B Monitoring", "created": _plain(made_at)})
        for part in parts:
            part(sheets)
    return file.getvalue()


@contextmanager
def open_sheets(file: str | IO[bytes], numbers: str = THOUSANDS, **options: bool) -> Iterator[Sheets]:
    """With `constant_memory`, rows are written in their order and forgotten."""
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"remove_timezone": True, **options}) as book:
        yield Sheets(book, numbers)


def _plain(moment: datetime) -> datetime:
    """As clocks in the reader's zone show it: cells have no zone."""
    return timezone.localtime(moment).replace(tzinfo=None, microsecond=0)


class Sheets:
    """A book whose texts stay texts, so that D-U-N-S numbers keep their zeros."""

    def __init__(self, book: Any, numbers: str = THOUSANDS) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f3f6f8"})
        self.title = book.add_format({"bold": True, "font_size": 16, "font_color": "#134e78"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.text = book.add_format({"num_format": "@"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        self.number = book.add_format({"num_format": numbers})

    def sheet(self, name: str) -> Any:
        """An empty one; printed it is as wide as the paper."""
        sheet = self.book.add_worksheet(NOT_IN_NAMES.sub(" ", name)[:NAME])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def table(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int]) -> Any:
        """A sheet with a table from its first line."""
        sheet = self._headed(name, headings, widths)
        for line, row in enumerate(rows, 1):
            self.line(sheet, line, row)
        return sheet

    def long_table(
        self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int]
    ) -> int:
        """On as many sheets as it needs; returns how many rows were written. What people add below stays text."""
        sheet, count = self._headed(name, headings, widths, self.text), 0
        for count, row in enumerate(rows, 1):
            line = (count - 1) % SHEET_ROWS + 1
            if line == 1 and count > 1:
                further = f"{name[: NAME - 3]} {count // SHEET_ROWS + 1}"
                sheet = self._headed(further, headings, widths, self.text)
            self.line(sheet, line, row)
        return count

    def _headed(self, name: str, headings: Sequence[str], widths: Sequence[int], look: Any = None) -> Any:
        sheet = self.sheet(name)
        sheet.freeze_panes(1, 0)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width, look)
        self.line(sheet, 0, headings, self.head)
        return sheet

    def line(self, sheet: Any, line: int, cells: Sequence[Any], look: Any = None) -> None:
        for number, cell in enumerate(cells):
            self._cell(sheet, line, number, cell, look)

    def _cell(self, sheet: Any, line: int, number: int, cell: Any, look: Any) -> None:
        if isinstance(cell, (int, float)) and not isinstance(cell, bool):
            sheet.write_number(line, number, cell, look or self.number)
        elif isinstance(cell, datetime) and cell.year >= FIRST_YEAR:
            sheet.write_datetime(line, number, _plain(cell), look or self.moment)
        elif isinstance(cell, date) and cell.year >= FIRST_YEAR:
            sheet.write_datetime(line, number, cell, look or self.day)
        else:
            sheet.write_string(line, number, harmless(text_of(cell))[:CELL], look or self.text)
