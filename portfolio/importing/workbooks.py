"""An XLSX file → lines of cells. What would fill the memory is refused before it is opened."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date
from functools import partial

import python_calamine
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portfolio.importing.tables import BadFile, Numbered, Table
from portfolio.wording import counted

MEGABYTE = 1_000_000
UNPACKED_LIMIT = 400 * MEGABYTE
CELLS_LIMIT = 20_000_000
EMPTY = _("The file is empty. Put the D-U-N-S numbers into the first column and upload it again.")
_REFERENCES = re.compile(rb"""\sr=["']([A-Za-z]{0,3})(\d{1,7})["']""")


def check_archive(content: bytes) -> None:
    """An XLSX that may be opened: really one, and of a size that memory can hold."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        infos = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadFile(gettext("The XLSX file is damaged. Open it in Excel, save it again and upload that.")) from error
    if "xl/workbook.xml" not in {info.filename for info in infos}:
        raise BadFile(
            gettext(
                "This is a ZIP archive or another kind of document, not an XLSX file. "
                "Unpack it and upload the list itself, as XLSX or CSV."
            )
        )
    if sum(info.file_size for info in infos) > UNPACKED_LIMIT:
        raise _too_large()
    _check_sheets(archive, infos)


def _check_sheets(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """Unpack once, because a header may lie about sizes, and because one stray cell makes a sheet immense."""
    left = UNPACKED_LIMIT
    for info in infos:
        if not info.filename.endswith((".xml", ".rels")):
            continue
        info.file_size = UNPACKED_LIMIT + 1
        reach = Reach()
        try:
            with archive.open(info) as member:
                for piece in iter(partial(member.read, MEGABYTE), b""):
                    left -= len(piece)
                    if left < 0:
                        raise _too_large()
                    reach.look(piece)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError) as error:
            raise BadFile(
                gettext("The XLSX file is damaged. Open it in Excel, save it again and upload that.")
            ) from error
        if info.filename.startswith("xl/worksheets/"):
            reach.check()


def _too_large() -> BadFile:
    return BadFile(
        gettext(
            "Unpacked, this file is larger than %(limit)s MB. Copy the columns you need into a "
            "new sheet, or save it as CSV in several parts."
        )
        % {"limit": UNPACKED_LIMIT // MEGABYTE}
    )


class Reach:
    """The rectangle that a sheet's cells span; the reader holds all of it."""

    def __init__(self) -> None:
        self.columns: set[bytes] = set()
        self.last_row = 0
        self.tail = b""

    def look(self, piece: bytes) -> None:
        found = _REFERENCES.findall(self.tail + piece)
        self.tail = piece[-24:]
        if found:
            self.columns.update({column for column, _ in found})
            self.last_row = max(self.last_row, max(map(int, {row for _, row in found})))

    def check(self) -> None:
        width = max(map(column_number, self.columns), default=0)
        if width * self.last_row > CELLS_LIMIT:
            raise BadFile(
                gettext(
                    "The sheet reaches to row %(last_row)s and column %(width)s. Something stands far outside "
                    "the list: delete the columns and rows beyond it, or copy the list into a new file."
                )
                % {"last_row": counted(self.last_row), "width": counted(width)}
            )


def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


class SheetRows:
    def __init__(self, sheet: python_calamine.CalamineSheet) -> None:
        self._sheet = sheet

    def __call__(self) -> Iterator[Numbered]:
        for number, cells in enumerate(self._sheet.iter_rows(), start=1):
            yield number, [text_of(cell) for cell in cells]


def open_workbook(content: bytes) -> Table:
    """The first visible sheet with D-U-N-S numbers."""
    try:
        return _first_table(python_calamine.load_workbook(io.BytesIO(content)))
    except BadFile:
        raise
    except Exception as error:
        raise _unreadable_workbook() from error
    except BaseException as error:
        # A panic of the reader is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _unreadable_workbook() from error


def _unreadable_workbook() -> BadFile:
    return BadFile(
        gettext("The XLSX file could not be read. Open it in Excel, save it again, or save the list as CSV.")
    )


def _first_table(workbook: python_calamine.CalamineWorkbook) -> Table:
    troubles: list[BadFile] = []
    for place, sheet in enumerate(workbook.sheets_metadata):
        if sheet.visible != python_calamine.SheetVisibleEnum.Visible or "WorkSheet" not in str(sheet.typ):
            continue
        rows = workbook.get_sheet_by_index(place)
        try:
            return Table(SheetRows(rows), about=rows.total_height)
        except BadFile as error:
            troubles.append(error)
    raise next((error for error in troubles if "empty" not in str(error)), None) or BadFile(
        gettext("The sheet is empty. Put the D-U-N-S numbers into the first column and upload it again.")
    )


def text_of(cell: object) -> str:
    """A cell as the person sees it: whole numbers without “.0”."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)
