"""Spreadsheets of several sheets, for reports: texts stay texts, numbers are numbers, and no cell is a formula."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

from django.utils import timezone

from core.exports.spreadsheet_escape import harmless

CELL = 32_767
NAME = 31
NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


def workbook(title: str, made_at: datetime, parts: Iterable[Callable[[Sheets], None]]) -> bytes:
    """What the parts write, one after another."""
    import xlsxwriter

    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "remove_timezone": True}) as book:
        book.set_properties({"title": title, "author": "D&B Monitoring", "created": _plain(made_at)})
        sheets = Sheets(book)
        for part in parts:
            part(sheets)
    return file.getvalue()


def _plain(moment: datetime) -> datetime:
    """As clocks in the reader's zone show it: cells have no zone."""
    return timezone.localtime(moment).replace(tzinfo=None, microsecond=0)


class Sheets:
    """A book whose texts stay texts, so that D-U-N-S numbers keep their zeros."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f3f6f8"})
        self.title = book.add_format({"bold": True, "font_size": 16, "font_color": "#134e78"})
        self.wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self.text = book.add_format({"num_format": "@"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        self.number = book.add_format({"num_format": "#,##0"})

    def sheet(self, name: str) -> Any:
        """An empty one; printed it is as wide as the paper."""
        sheet = self.book.add_worksheet(NOT_IN_NAMES.sub(" ", name)[:NAME])
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        return sheet

    def table(self, name: str, headings: Sequence[str], rows: Iterable[Sequence[Any]], widths: Sequence[int]) -> Any:
        """A sheet with a table from its first line."""
        sheet = self.sheet(name)
        sheet.freeze_panes(1, 0)
        for number, width in enumerate(widths):
            sheet.set_column(number, number, width)
        self.line(sheet, 0, headings, self.head)
        for line, row in enumerate(rows, 1):
            self.line(sheet, line, row)
        return sheet

    def line(self, sheet: Any, line: int, cells: Sequence[Any], look: Any = None) -> None:
        for number, cell in enumerate(cells):
            if isinstance(cell, datetime):
                sheet.write_datetime(line, number, _plain(cell), look or self.moment)
            elif isinstance(cell, (int, float)):
                sheet.write_number(line, number, cell, look or self.number)
            else:
                sheet.write_string(line, number, harmless(str(cell))[:CELL], look or self.text)
