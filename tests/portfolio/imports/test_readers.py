"""Files as people send them: any usual dress is read, and what cannot be read is told in a sentence."""

import io
import struct
import zipfile
import zlib
from typing import Any

import pytest
import xlsxwriter

from portfolio.imports import xlsx_reader
from portfolio.imports.columns import BadFile, Line
from portfolio.imports.csv_reader import open_table
from tests.builders.workbooks import a_workbook, two_sheets

ONE, TWO = "804735132", "150483782"


def lines(content: bytes | str) -> list[Line]:
    data = content.encode() if isinstance(content, str) else content
    return [line for line in open_table(data).lines() if not line.is_empty]


def numbers(content: bytes | str) -> list[str]:
    return [line.duns for line in lines(content)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter(delimiter: str) -> None:
    text = delimiter.join(["D-U-N-S", "Company Name", "Supplier No.", "Tags", "Owner"]) + "\n"
    text += delimiter.join([ONE, '"Acme, Ltd; and | more"', "S-1", '"a, b"', "ann"])
    assert lines(text) == [Line(2, ONE, "Acme, Ltd; and | more", "S-1", "a, b", "ann")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_any_usual_encoding(encoding: str) -> None:
    assert lines(f"DUNS;Name\r\n{ONE};Örsted Söhne\r\n".encode(encoding)) == [Line(2, ONE, "Örsted Söhne")]


@pytest.mark.parametrize(
    "header",
    ["DUNS", "D-U-N-S® Number", "duns_number", "DUNS-Nr.", "Duns No", "Supplier DUNS", "dunsNumber", "D U N S Nummer"],
)
def test_headers_in_usual_spellings(header: str) -> None:
    assert numbers(f"Name;Parent DUNS;{header}\nAcme;{TWO};{ONE}\n") == [ONE]


def test_without_a_header_the_column_is_found() -> None:
    table = open_table(f"Acme;Leeds;{ONE}\nOther;Zug;15048378\n".encode())
    assert [line.duns for line in table.lines()] == [ONE, "15048378"]
    assert "no header row" in table.note


def test_one_number_a_line_as_d_and_b_writes_it() -> None:
    assert numbers(f"{ONE}\n{TWO}\n") == [ONE, TWO]


def test_pasted_numbers_side_by_side() -> None:
    assert numbers(f"{ONE}, {TWO}, 80-473-5133\n15048378") == [ONE, TWO, "80-473-5133", "15048378"]


def test_a_table_of_two_number_columns_is_no_list() -> None:
    assert numbers(f"{ONE},{TWO}\n{TWO},{ONE}\n") == [ONE, TWO]


def test_titles_above_the_header_and_empty_rows_are_passed_by() -> None:
    assert lines(f";Our suppliers\n\n;DUNS;Name\n\n;{ONE};Acme\n;;\n") == [Line(5, ONE, "Acme")]


def test_comments_and_blank_lines_are_passed_by() -> None:
    assert numbers(f"# DUNS of our suppliers\n\n{ONE} # Gorman, Ltd\n\n # gone: 101202303\n#{ONE}\n{TWO}\n") == [
        f"{ONE} # Gorman",
        TWO,
    ]
    assert numbers(f"{ONE}, {TWO} # two, 101202303\n060704780\n") == [ONE, f"{TWO} # two", "060704780"]


def test_a_comment_makes_no_list_of_a_table() -> None:
    assert numbers(f"# with their parents\n{ONE};{TWO}\n{TWO};{ONE}\n") == [ONE, TWO]


def test_what_begins_with_the_mark_of_a_comment_and_is_none() -> None:
    assert lines(f"#;DUNS;Name\n1;{ONE};Acme\n") == [Line(2, ONE, "Acme")]
    assert lines(f"# DUNS;Name\n{ONE};#1 Cleaning\n") == [Line(2, ONE, "#1 Cleaning")]
    assert lines(f"Name;DUNS\n#1 Cleaning;{ONE}\n#N/A;{TWO}\n") == [Line(2, ONE, "#1 Cleaning"), Line(3, TWO, "#N/A")]
    assert numbers(f"DUNS;Name\n#N/A;Acme\n#WERT!;Acme\n{ONE};Acme\n") == ["#N/A", "#WERT!", ONE]


def test_excels_own_delimiter_line() -> None:
    assert numbers(f"sep=;\nDUNS;Name\n{ONE};Acme\n") == [ONE]


def test_our_own_apostrophe_is_taken_back() -> None:
    assert lines(f"DUNS;Name\n{ONE};'=Acme\n{TWO};'t Hooft\n")[0].name == "=Acme"
    assert lines(f"DUNS;Name\n{ONE};'=Acme\n{TWO};'t Hooft\n")[1].name == "'t Hooft"


def test_a_quotation_mark_that_is_never_closed_swallows_nothing() -> None:
    rest = "\n".join([ONE] * 50)
    with pytest.raises(BadFile, match="quotation mark"):
        numbers(f'DUNS;Name\n{ONE};"Acme\n{rest}\n')


# XLSX


def test_numeric_cells_and_values_of_formulas() -> None:
    def with_formula(book: Any) -> None:
        book.get_worksheet_by_name("Sheet1").write_formula(4, 0, '="804735"&"133"', None, "804735133")

    content = a_workbook(("DUNS", "Ref"), (804735132.0, 1001.0), (15048378, "x"), (), then=with_formula)
    assert lines(content) == [
        Line(2, ONE, customer_reference="1001"),
        Line(3, "15048378", customer_reference="x"),
        Line(5, "804735133"),
    ]


def test_empty_columns_and_hidden_sheets_are_passed_by() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        hidden, notes, shown = book.add_worksheet("a"), book.add_worksheet("b"), book.add_worksheet("c")
        hidden.write_row(0, 0, ("DUNS",))
        hidden.write_row(1, 0, ("999999999",))
        notes.write_row(0, 0, ("Please keep this list up to date",))
        shown.write_row(2, 3, ("DUNS", "", "Name"))
        shown.write_row(3, 3, (ONE, "", "Acme"))
        shown.activate()
        hidden.hide()
    assert lines(buffer.getvalue()) == [Line(4, ONE, "Acme")]


def test_each_sheet_is_named_with_its_rows_and_any_can_be_chosen() -> None:
    content = two_sheets()
    table = open_table(content)
    assert [(one.name, one.rows, one.hidden, one.has_numbers, one.is_read) for one in table.sheets] == [
        ("Notes", 1, False, False, False), ("Germany", 1, False, True, True), ("France", 2, True, True, False),
    ]  # fmt: skip
    assert [line.duns for line in open_table(content, "France").lines()] == [TWO, "101202303"]
    with pytest.raises(BadFile, match="no sheet “Spain”. Its sheets are “Notes”, “Germany”, “France”"):
        open_table(content, "Spain")


def test_a_line_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(BadFile, match="longer than 1,000,000 characters"):
        open_table(b"804735132" + b"," * 2_000_000)


def an_archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


def a_bomb(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(xlsx_reader, "UNPACKED_LIMIT", 5_000_000)
    return an_archive(**{"xl__workbook.xml": b"<a/>", "xl__worksheets__sheet1.xml": b" " * 6_000_000})


def test_a_zip_bomb_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadFile, match="larger than 5 MB"):
        open_table(a_bomb(monkeypatch))


def test_a_zip_bomb_that_lies_about_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = a_bomb(monkeypatch)
    lying = honest.replace(struct.pack("<L", 6_000_000), struct.pack("<L", 1_000))
    with pytest.raises(BadFile, match="larger than 5 MB"):
        open_table(lying)


def test_one_stray_cell_far_away_does_not_fill_the_memory() -> None:
    content = a_workbook(("DUNS",), (ONE,), then=lambda book: book.worksheets()[0].write(1_048_575, 16_383, "x"))
    with pytest.raises(BadFile, match="far outside the list"):
        open_table(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b"%PDF-1.7 \0\1", "The file is a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old or password-protected Excel file"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "neither text nor a spreadsheet"),
        (b"\x1f\x8b\x08\x00\x00\x01\x02", "neither text nor a spreadsheet"),
        (an_archive(list=b"804735132"), "ZIP archive"),
        (b"PK\x03\x04 not really xl/workbook.xml", "damaged"),
        (a_workbook(), "empty"),
        (a_workbook(("Name", "Town"), ("Acme", "Leeds")), "No column with D-U-N-S numbers"),
        (b"Name;Town\nAcme;Leeds\n", "No column with D-U-N-S numbers"),
        (a_workbook(("DUNS",), (ONE,))[:-300], "damaged"),
        (an_archive(**{"xl__workbook.xml": b"<broken"}), "could not be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(content: bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words) as raised:
        open_table(content)
    assert str(raised.value).endswith(".")


def test_damage_inside_is_told_too() -> None:
    content = bytearray(a_workbook(("DUNS",), *((str(100_000_000 + n * 7919),) for n in range(2_000))))
    info = max(zipfile.ZipFile(io.BytesIO(content)).infolist(), key=lambda one: one.compress_size)
    content[info.header_offset + 200 : info.header_offset + 300] = zlib.compress(b"x" * 100)[:10] * 10
    with pytest.raises(BadFile, match="damaged"):
        open_table(bytes(content))
