"""Workbooks made to take down whoever reads them, in a few kilobytes."""

import io
import zipfile

import xlsxwriter

FAR = b'<row><c %s"XFD1048576"><v>1</v></c></row></sheetData>'


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
