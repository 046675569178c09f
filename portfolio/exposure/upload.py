"""A file of amounts → checked rows → one step that makes all of them count, and one that takes them out again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.audit import record
from core.blobs import delete_bytes
from core.db import clean_text, database_now
from core.text import counted
from portfolio.exposure.books import book_name
from portfolio.exposure.columns import ExposureTable
from portfolio.exposure.flaws import COUNTED, Check
from portfolio.exposure.packed import Position, TooManyParts, replace
from portfolio.exposure.validate import ExposureRow, ExposureValidator
from portfolio.imports.chunks import stored_rows
from portfolio.imports.csv_reader import open_as
from portfolio.imports.lifecycle import cancel_upload, keep_upload, undo_upload
from portfolio.imports.reading import Reader
from portfolio.imports.states import Refused, counts_of, demand_moved, demand_state, move, sheets_of
from portfolio.models import ExposureImport, ExposureMode, ImportState

NO_ROWS = _("The file has a header row but no other rows. Add the amounts below it and upload it again.")
PARTS = _("The file has more than 10,000 kinds of amounts and days. Check these columns, and upload it again.")
# What stands in checked rows where a company was erased.
ERASED = "000000000"


def create_exposure_import(
    *,
    content: bytes,
    file_name: str,
    mode: str,
    book: str,
    currency: str,
    as_of: date,
    source: str,
    requested_by: str,
) -> ExposureImport:
    upload = keep_upload(
        ExposureImport,
        content,
        requested_by=requested_by,
        file_name=file_name,
        source=source,
        mode=ExposureMode(mode),
        book=book_name(book),
        currency=currency,
        as_of=as_of,
    )
    _record(upload, "exposure.upload", requested_by, gettext("%(import)s (%(size)s bytes) uploaded"))
    return upload


def read_exposure(upload: ExposureImport, *, until: datetime | None = None) -> None:
    READER.read(upload, until=until)


def accepted_rows(upload: ExposureImport) -> Iterator[ExposureRow]:
    return (row for row in stored_rows(upload, ExposureRow) if row.validation in COUNTED)


def _finish(upload: ExposureImport) -> None:
    """Pack what is accepted, so that applying is one step."""
    if not counts_of(upload):
        move(upload, state=ImportState.FAILED, error=NO_ROWS)
        return
    try:
        replace(upload, _positions(upload), state=ImportState.READ, total=upload.position)
    except TooManyParts:
        move(upload, state=ImportState.FAILED, error=PARTS)


def _positions(upload: ExposureImport) -> Iterator[Position]:
    for row in accepted_rows(upload):
        if row.duns != ERASED:
            yield Position(row.duns, row.cents, row.currency, row.book, date.fromisoformat(row.day))


READER: Reader[ExposureImport, ExposureTable, ExposureRow] = Reader(
    ExposureRow, lambda content, sheet: open_as(ExposureTable, content, sheet), ExposureValidator, _finish
)


def accepted(upload: ExposureImport) -> int:
    counts = counts_of(upload)
    return sum(counts.get(check, 0) for check in COUNTED)


def apply_exposure(upload: ExposureImport, *, applied_by: Actor) -> None:
    """From this step on all accepted rows count, or none."""
    demand_state(upload, ImportState.READ)
    if upload.decimal_mark == "" and counts_of(upload).get(Check.DECISION):
        raise Refused(gettext("First choose the decimal separator for amounts with two readings."))
    if not accepted(upload):
        raise Refused(gettext("No row of this file can be used, so there is nothing to apply. Correct the file."))
    demand_moved(
        move(
            upload,
            state=ImportState.APPLIED,
            confirmed_by=clean_text(applied_by, 200),
            confirmer_id=applied_by.id,
            confirmed_at=database_now(),
        )
    )
    _record(upload, "exposure.apply", applied_by, gettext("%(import)s applied: %(rows)s rows"))


def undo_exposure(upload: ExposureImport, *, undone_by: Actor) -> None:
    """What counted before counts again."""
    undo_upload(upload, ImportState.UNDONE, by=undone_by)
    _record(upload, "exposure.undo", undone_by, gettext("%(import)s undone: %(rows)s rows"))


def cancel_exposure(upload: ExposureImport, *, cancelled_by: str) -> None:
    cancel_upload(upload)
    _record(upload, "exposure.cancel", cancelled_by, gettext("%(import)s cancelled"))


def choose_mark(upload: ExposureImport, *, mark: str, chosen_by: str) -> None:
    """The decimal separator, for all amounts with two readings: the rows are checked again."""
    demand_state(upload, ImportState.READ)
    if mark not in (".", ","):
        raise Refused(gettext("Choose the decimal point or the decimal comma."))
    _read_again(upload, decimal_mark=mark)
    _record(upload, "exposure.mark", chosen_by, gettext("%(import)s: decimal separator “%(mark)s” chosen"))


def choose_sheet(upload: ExposureImport, *, sheet: str, chosen_by: str) -> None:
    demand_state(upload, ImportState.READ)
    if sheet not in {one.name for one in sheets_of(upload) if one.has_numbers and not one.is_read}:
        raise Refused(
            gettext("The workbook has no other sheet of this name with amounts. Choose a sheet from the list.")
        )
    _read_again(upload, sheet=sheet, decimal_mark="")
    _record(upload, "exposure.sheet", chosen_by, gettext("%(import)s: sheet “%(sheet)s” chosen"))


def _read_again(upload: ExposureImport, **decided: str) -> None:
    start = {"state": ImportState.UPLOADED, "position": 0, "chunks": 0, "counts": "{}", "parts": "[]"}
    before = upload.positions
    with transaction.atomic():
        demand_moved(move(upload, positions=None, **start, **decided))
        if before:
            delete_bytes(before)


def _record(upload: ExposureImport, action: str, actor: str, words: str) -> None:
    told = {"import": upload, "size": counted(upload.file_size), "rows": counted(accepted(upload))}
    record(
        actor=actor,
        action=action,
        thing=upload,
        summary=words % {**told, "mark": upload.decimal_mark, "sheet": upload.sheet},
        after={"state": upload.state, "mode": upload.mode, "as_of": upload.as_of},
    )
