"""A file of amounts: each row says what is wrong with it, and all of the rest counts from one step on."""

import io
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from django.db import DatabaseError

from core.models import AuditEntry, Blob
from portfolio.exposure import packed
from portfolio.exposure.entries import end_exposure, set_exposures
from portfolio.exposure.flaws import Check
from portfolio.exposure.packed import Position, parts_of
from portfolio.exposure.totals import exposures_at
from portfolio.exposure.upload import (
    apply_exposure,
    cancel_exposure,
    choose_mark,
    create_exposure_import,
    read_exposure,
    undo_exposure,
)
from portfolio.exposure.validate import ExposureRow
from portfolio.imports import reading
from portfolio.imports.chunks import store_chunk, stored_rows
from portfolio.imports.states import Refused
from portfolio.models import ExposureImport, ExternalReference, ImportState
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.exposures import DAY, an_exposure_import, exposure
from tests.builders.people import an_actor

pytestmark = pytest.mark.django_db
ANN = an_actor("ann")


def read(*lines: str, **given: Any) -> ExposureImport:
    upload = an_exposure_import(*lines, **given)
    read_exposure(upload)
    return upload


def rows_of(upload: ExposureImport) -> list[ExposureRow]:
    return list(stored_rows(upload, ExposureRow))


def checks(upload: ExposureImport) -> list[str]:
    return [row.validation for row in rows_of(upload)]


def cents(day: date = DAY) -> dict[int, int]:
    return exposures_at(day).by_duns


def test_each_row_says_what_is_wrong_with_it() -> None:
    a_company(DUNS)
    upload = read(
        "DUNS;Amount;Currency;As of",
        f"{DUNS};1.234,56;EUR;31.03.2026",
        f"{OTHER};10,00;EUR;",
        f"{DUNS};99,00;EUR;31.03.2026",
        f"{DUNS};5,00;XXQ;30.03.2026",
        f"{OTHER};-5,00;EUR;30.03.2026",
        "12345;abc;;3/4/2026",
        "101202303;EUR 5,00;USD;30.03.2026",
    )
    assert checks(upload) == [
        *(Check.ACCEPTED, Check.NOT_LISTED, Check.DUPLICATE, Check.CURRENCY),
        *(Check.NEGATIVE, Check.COMPANY, Check.CURRENCY),
    ]
    reasons = [row.reason for row in rows_of(upload)]
    assert "as in line 2" in reasons[2]
    assert all(words in reasons[5] for words in ("digits", "not an amount", "not a clear day"))
    assert "two currencies" in reasons[6]


def test_nothing_counts_before_it_is_applied_and_then_all_of_it() -> None:
    upload = read("DUNS,Amount", f"{DUNS},100.50", f"{OTHER},7")
    assert cents() == {}
    apply_exposure(upload, applied_by=ANN)
    assert cents() == {int(DUNS): 10_050, int(OTHER): 700}
    assert AuditEntry.objects.filter(action="exposure.apply", actor="ann").count() == 1


def test_rows_with_errors_are_left_out() -> None:
    upload = exposure(f"{DUNS};1", f"{OTHER};oops")
    assert cents() == {int(DUNS): 100}
    assert [(part.companies, part.amounts) for part in parts_of(upload)] == [(1, {"EUR": 100})]


def test_a_file_without_a_row_to_use_is_not_applied() -> None:
    upload = read("DUNS;Amount", f"{DUNS};oops")
    with pytest.raises(Refused, match="No row"):
        apply_exposure(upload, applied_by=ANN)


@pytest.mark.parametrize("content", ["DUNS\n804735132", "Name;Amount\nAcme;5", "DUNS;Amount\n"])
def test_a_file_that_cannot_be_read_says_why(content: str) -> None:
    upload = read(content)
    assert upload.state == ImportState.FAILED
    assert upload.error.endswith(".")


def test_the_file_itself_tells_which_separator_is_for_decimals() -> None:
    exposure(f"{DUNS};1.234", f"{OTHER};9,5")
    assert cents() == {int(DUNS): 123_400, int(OTHER): 950}


def test_amounts_with_two_readings_wait_for_a_choice() -> None:
    upload = read("DUNS;Amount", f"{DUNS};1.234", f"{OTHER};500")
    assert checks(upload) == [Check.DECISION, Check.NOT_LISTED]
    with pytest.raises(Refused, match="two readings"):
        apply_exposure(upload, applied_by=ANN)
    choose_mark(upload, mark=",", chosen_by="ann")
    read_exposure(upload)
    apply_exposure(upload, applied_by=ANN)
    assert cents() == {int(DUNS): 123_400, int(OTHER): 50_000}


def test_numbers_and_dates_of_a_workbook_are_read() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["D-U-N-S", "Open amount", "Currency", "Key date"])
        sheet.write_row(1, 0, [int(DUNS), 1234.56, "EUR"])
        sheet.write_datetime(1, 3, date(2026, 2, 28), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_row(2, 0, [OTHER, "2.000,00", "EUR", "28.02.2026"])
        # The decimal comma of the texts is not that of the numbers, nor the other way around.
        sheet.write_row(3, 0, ["101202303", 129.375, "EUR", "28.02.2026"])
        sheet.write_row(4, 0, ["101202304", "3.000", "EUR", "28.02.2026"])
    upload = create_exposure_import(
        content=buffer.getvalue(), file_name="a.xlsx", mode="replace", book="orders", currency="EUR", as_of=DAY,
        source="upload", requested_by="ann",
    )  # fmt: skip
    read_exposure(upload)
    assert [(row.duns, row.cents, row.day) for row in rows_of(upload)] == [
        (DUNS, 123_456, "2026-02-28"),
        (OTHER, 200_000, "2026-02-28"),
        ("101202303", 12_938, "2026-02-28"),
        ("101202304", 300_000, "2026-02-28"),
    ]


def test_your_own_references_name_companies() -> None:
    a_company(DUNS)
    for system, reference, duns in (("crm", "A-1", DUNS), ("crm", "B", DUNS), ("erp", "B", OTHER)):
        key = ExternalReference.key(system, reference)
        ExternalReference.objects.create(id=key, company_id=duns, system=system, reference=reference)
    upload = read("Customer number;Amount", "A-1;5", "B;6", "C;7")
    assert checks(upload) == [Check.ACCEPTED, Check.COMPANY, Check.COMPANY]
    assert [row.duns for row in rows_of(upload)] == [DUNS, "", ""]


def test_a_later_book_replaces_an_earlier_one_from_its_day_on() -> None:
    exposure(f"{DUNS};1", f"{OTHER};2", as_of=date(2026, 1, 31))
    exposure(f"{DUNS};3", as_of=date(2026, 2, 28))
    assert cents(date(2026, 1, 30)) == {}
    assert cents(date(2026, 2, 27)) == {int(DUNS): 100, int(OTHER): 200}
    assert cents(date(2026, 2, 28)) == {int(DUNS): 300}


def test_adding_keeps_what_the_file_does_not_name() -> None:
    exposure(f"{DUNS};1", f"{OTHER};2", as_of=date(2026, 1, 31))
    exposure(f"{DUNS};3", mode="add", as_of=date(2026, 2, 28))
    assert cents() == {int(DUNS): 300, int(OTHER): 200}


def test_a_book_of_an_earlier_day_that_comes_later_stays_behind() -> None:
    exposure(f"{DUNS};3", as_of=date(2026, 2, 28))
    exposure(f"{DUNS};1", as_of=date(2026, 1, 31))
    assert cents() == {int(DUNS): 300}
    assert cents(date(2026, 2, 1)) == {int(DUNS): 100}


def test_books_add_up_and_are_one_whatever_their_case() -> None:
    exposure(f"{DUNS};1", book="Receivables")
    exposure(f"{DUNS};2", book="orders")
    exposure(f"{DUNS};5", book="RECEIVABLES")
    assert cents() == {int(DUNS): 700}


def test_undone_it_counts_no_longer_and_what_was_before_does() -> None:
    exposure(f"{DUNS};1")
    second = exposure(f"{DUNS};2")
    undo_exposure(second, undone_by=ANN)
    assert cents() == {int(DUNS): 100}
    with pytest.raises(Refused):
        undo_exposure(second, undone_by=ANN)


def test_of_two_who_apply_it_one_does() -> None:
    upload = read("DUNS;Amount", f"{DUNS};1")
    other = ExposureImport.objects.get()
    apply_exposure(upload, applied_by=ANN)
    with pytest.raises(Refused, match="another user"):
        apply_exposure(other, applied_by=an_actor("bob"))


def test_a_cancelled_import_is_not_applied() -> None:
    upload = read("DUNS;Amount", f"{DUNS};1")
    cancel_exposure(upload, cancelled_by="ann")
    with pytest.raises(Refused):
        apply_exposure(upload, applied_by=ANN)


def test_a_process_that_dies_leaves_nothing_out_and_doubles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(upload: ExposureImport, number: int, rows: Any, kind: Any) -> Any:
        """After the chunk is kept, and before the row counts it."""
        store_chunk(upload, number, rows, kind)
        raise DatabaseError("the process died here")

    lines = [f"{100_000_000 + number};{number}" for number in range(5)]
    upload = an_exposure_import("DUNS;Amount", *lines, f"{DUNS};1")
    with monkeypatch.context() as patch:
        patch.setattr(reading, "CHUNK", 2)
        patch.setattr(reading, "store_chunk", die)
        with pytest.raises(DatabaseError):
            read_exposure(upload)
    monkeypatch.setattr(reading, "CHUNK", 2)
    left = ExposureImport.objects.get()
    read_exposure(left)
    assert [row.line for row in rows_of(left)] == [2, 3, 4, 5, 6, 7]
    apply_exposure(left, applied_by=ANN)
    assert sum(cents().values()) == 100 * (0 + 1 + 2 + 3 + 4 + 1)


# One by one


def a_position(duns: str = DUNS, cents: int = 100, book: str = "orders", day: date = DAY) -> Position:
    return Position(duns, cents, "EUR", book, day)


def test_single_amounts_count_immediately_and_take_one_row_a_day() -> None:
    set_exposures([a_position(), a_position(OTHER, 200)], requested_by=ANN)
    set_exposures([a_position(cents=300)], requested_by=ANN)
    assert cents() == {int(DUNS): 300, int(OTHER): 200}
    row = ExposureImport.objects.get()
    assert Blob.objects.filter(owner=row.positions or row.pk).count() == Blob.objects.count() == 1


def test_single_amounts_of_more_books_than_a_row_holds_take_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MOST_PARTS", 2)
    for book in ("orders", "guarantees", "own"):
        set_exposures([a_position(book=book)], requested_by=ANN)
    assert cents() == {int(DUNS): 300}
    assert ExposureImport.objects.count() == 2


def test_single_amounts_stand_behind_a_file_that_came_before_them() -> None:
    set_exposures([a_position(cents=1)], requested_by=ANN)
    exposure(f"{DUNS};5", book="orders")
    set_exposures([a_position(OTHER, 7)], requested_by=ANN)
    assert cents() == {int(DUNS): 500, int(OTHER): 7}


def test_an_amount_that_ends_stays_for_the_days_before() -> None:
    exposure(f"{DUNS};5", f"{OTHER};6", as_of=date(2026, 1, 31))
    assert end_exposure(DUNS, "Receivables", date(2026, 3, 1), requested_by=ANN)
    assert not end_exposure(DUNS, "Receivables", date(2026, 3, 1), requested_by=ANN)
    assert cents(date(2026, 2, 28)) == {int(DUNS): 500, int(OTHER): 600}
    assert cents(date(2026, 3, 1)) == {int(OTHER): 600}
