"""A file as people send it → its table: CSV in any usual dress, XLSX, pasted text; what is wrong in a sentence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial

from django.utils.translation import gettext

from core.text import counted
from portfolio.companies.duns_lists import looks_like_duns
from portfolio.imports.columns import (
    HEADER_WITHIN,
    SAMPLE,
    AnyTable,
    BadFile,
    BaseTable,
    Cells,
    EmptyTable,
    Numbered,
    Table,
    sample_of,
)
from portfolio.imports.xlsx_reader import open_workbook

MEGABYTE = 1_000_000
LINE_LENGTH = 1_000_000
LINE_BREAKS_IN_A_CELL = 20
DELIMITERS = ",;\t|"
ENCODINGS_BY_MARK = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def open_table(content: bytes, sheet: str = "") -> Table:
    """Of a list of companies."""
    return open_as(Table, content, sheet)


def open_as(table: type[AnyTable], content: bytes, sheet: str = "") -> AnyTable:
    """What kind of file it is shows in its first bytes, not in its name."""
    check_kind(content)
    if is_workbook(content):
        return open_workbook(content, sheet, table)
    if sheet:
        raise BadFile(gettext("Only XLSX workbooks have sheets. Upload the file without choosing a sheet."))
    return open_text(content, table)


def is_workbook(content: bytes) -> bool:
    return content.startswith(b"PK")


def check_kind(content: bytes) -> None:
    """Refuse at once what can hold no list."""
    if not content.strip():
        raise EmptyTable
    if content.startswith(b"%PDF"):
        raise BadFile(gettext("The file is a PDF. Export the list as XLSX or CSV, or copy the numbers and paste them."))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadFile(
            gettext(
                "The file is an old or password-protected Excel file. Open it and save it as XLSX, without a password."
            )
        )
    if is_workbook(content):
        _check_archive(content)
    elif encoding_of_text(content) is None:
        raise BadFile(
            gettext("The file is neither text nor a spreadsheet. Upload the list as CSV or XLSX, or paste its rows.")
        )


def _check_archive(content: bytes) -> None:
    """By the name that stands in it as it is: opening the archive may take any memory, so a child does that."""
    if b"xl/workbook.xml" not in content:
        raise BadFile(
            gettext(
                "The file is a ZIP archive or another kind of document, not an XLSX file. "
                "Unpack it and upload the list as XLSX or CSV."
            )
        )


class TextRows:
    def __init__(self, content: bytes, encoding: str, delimiter: str) -> None:
        self._content = content
        self._encoding = encoding
        self._delimiter = delimiter

    def __call__(self) -> Iterator[Numbered]:
        text = io.TextIOWrapper(io.BytesIO(self._content), self._encoding, errors="replace", newline="")
        reader = csv.reader(_bounded(text), delimiter=self._delimiter)
        try:
            for cells in reader:
                if any(cell.count("\n") > LINE_BREAKS_IN_A_CELL for cell in cells):
                    raise _unclosed(reader.line_num)
                if reader.line_num == 1 and cells[:1] and cells[0].lower().startswith("sep="):
                    cells = []
                yield reader.line_num, [cell.strip() for cell in cells]
        except csv.Error as error:
            raise _unclosed(reader.line_num) from error


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    """A line of millions of cells would take a hundred times its size in memory."""
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LENGTH:
            raise BadFile(
                gettext("Line %(number)s is longer than %(length)s characters. Put each company on its own line.")
                % {"number": counted(number), "length": counted(LINE_LENGTH)}
            )
        yield line


def _unclosed(line: int) -> BadFile:
    return BadFile(
        gettext("A quotation mark in or before line %(line)s is not closed. Remove it, or save the list as XLSX.")
        % {"line": counted(line)}
    )


def open_text(content: bytes, table: type[AnyTable]) -> AnyTable:
    encoding = encoding_of_text(content) or "utf-8"
    delimiter = find_delimiter(content, encoding, table)
    return table(TextRows(content, encoding, delimiter), about=content.count(b"\n") + 1)


def encoding_of_text(content: bytes) -> str | None:
    """By its mark, by its zeros, else UTF-8 if all of it is, else what Windows writes; None for what is no text."""
    for mark, encoding in ENCODINGS_BY_MARK:
        if content.startswith(mark):
            return encoding
    head = content[:4096]
    if b"\0" in head:
        return _utf16_without_mark(head)
    if b"\0" in content or _is_binary(head):
        return None
    return "utf-8" if _is_utf8(content) else "cp1252"


def _utf16_without_mark(head: bytes) -> str | None:
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) // 4 and not even:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) // 4 and not odd else None


def _is_binary(head: bytes) -> bool:
    return any(byte < 32 and byte not in b"\t\n\r\f\v\x1a\x1b" for byte in head)


def _is_utf8(content: bytes) -> bool:
    try:
        for _ in iter(partial(io.TextIOWrapper(io.BytesIO(content), "utf-8").read, MEGABYTE), ""):
            pass
    except UnicodeDecodeError:
        return False
    return True


def find_delimiter(content: bytes, encoding: str, table: type[BaseTable]) -> str:
    """The one under which a header or most lines name D-U-N-S numbers; of those the one with most cells."""
    return max(DELIMITERS, key=lambda delimiter: _promise(TextRows(content, encoding, delimiter), table))


def _promise(rows: TextRows, table: type[BaseTable]) -> tuple[int, int]:
    sample: list[Cells] = []
    with suppress(BadFile):
        sample.extend(cells for _, cells in sample_of(rows))
    headers = any(table.places_in(cells) for cells in sample[:HEADER_WITHIN])
    numbers = sum(any(map(looks_like_duns, cells)) for cells in sample)
    return numbers + headers * 2 * SAMPLE, sum(map(len, sample))
