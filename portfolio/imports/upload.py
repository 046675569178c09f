"""An upload → kept bytes → validations, chunk by chunk; killed anywhere, it goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

import msgspec
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.audit import record
from core.blobs import load_bytes, store_bytes
from core.db import clean_text
from core.text import counted
from portfolio.imports.columns import BadFile, Line, Table, Unfinished
from portfolio.imports.confirm import plan_of
from portfolio.imports.csv_reader import is_workbook, open_table
from portfolio.imports.states import (
    Refused,
    counts_of,
    demand_moved,
    demand_state,
    file_key,
    move,
    sheets_of,
    with_counts,
)
from portfolio.imports.validate import CHUNK, ValidatedRow, Validator, count_validations, store_chunk, validated_rows
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport, Validation

NO_ROWS = _("The file has a header row but no other rows. Add the D-U-N-S numbers below it and upload it again.")

TRIES = 2
BROKEN_OFF = _("The workbook could not be read: two attempts failed. Save the list as CSV and upload that file.")


def create_import(
    *,
    registration: Registration,
    content: bytes,
    file_name: str,
    mode: str,
    source: str,
    requested_by: str,
    remove_on: date | None = None,
    sheet: str = "",
) -> SubjectImport:
    """Keep a file; its bytes are durable before the row that names them. Nothing is read yet."""
    now = timezone.now()
    # What the answer shows is what every engine keeps: milliseconds.
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    import_ = SubjectImport(
        registration=registration,
        mode=ImportMode(mode),
        file_name=clean_text(file_name, 200),
        file_size=len(content),
        source=source,
        remove_on=remove_on,
        sheet=clean_text(sheet, 100),
        created_by=clean_text(requested_by, 200),
        created_at=now,
        moved_at=now,
    )
    store_bytes(file_key(import_), content)
    import_.save(force_insert=True)
    record(
        actor=requested_by,
        action="import.upload",
        thing=import_,
        summary=gettext("%(import)s (%(size)s bytes) uploaded for %(reference)s: %(mode)s")
        % {
            "import": import_,
            "size": counted(len(content)),
            "reference": registration.reference,
            "mode": import_.get_mode_display(),
        },
        after={"registration": registration.reference, "mode": import_.mode, "source": source},
    )
    return import_


def read_import(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Judge every row; stops at `until`, or when somebody else reads. Call it again and it goes on."""
    if import_.state == ImportState.UPLOADED and not move(import_, state=ImportState.READING, error=""):
        return
    if import_.state != ImportState.READING:
        return
    try:
        is_done = _read_rows(import_, until)
    except Unfinished as error:
        if import_.tries < TRIES:
            read_import(import_, until=until)
            return
        move(import_, state=ImportState.FAILED, error=str(error))
        return
    except BadFile as error:
        move(import_, state=ImportState.FAILED, error=str(error))
        return
    if is_done:
        _finish(import_)


def _read_rows(import_: SubjectImport, until: datetime | None) -> bool:
    table = _open(import_)
    if table is None:
        return False
    validate = Validator(import_)
    validate.remember(validated_rows(import_))
    lines = table.lines(import_.position)
    for chunk in iter(lambda: list(islice(lines, CHUNK)), []):
        if until and timezone.now() >= until:
            return False
        if not _validate_chunk(import_, validate, chunk, about=table.about, note=table.note):
            return False
    return True


def _open(import_: SubjectImport) -> Table | None:
    """None where somebody else reads it. A try is counted before it is made, lest a workbook be tried for ever that
    takes its reader down with it."""
    content = load_bytes(file_key(import_))
    if not is_workbook(content):
        return open_table(content, import_.sheet)
    if import_.tries >= TRIES:
        raise BadFile(BROKEN_OFF)
    if not move(import_, tries=import_.tries + 1):
        return None
    table = open_table(content, import_.sheet)
    sheets = msgspec.json.encode(table.sheets).decode()
    return table if move(import_, tries=0, sheets=sheets) else None


def _validate_chunk(import_: SubjectImport, validate: Validator, lines: list[Line], *, about: int, note: str) -> bool:
    rows = store_chunk(import_, import_.chunks, validate.validate(lines))
    position = import_.position + len(lines)
    return move(
        import_,
        position=position,
        chunks=import_.chunks + 1,
        counts=with_counts(counts_of(import_), count_validations(rows)),
        total=max(about, position),
        note=note,
        error="",
    )


def _finish(import_: SubjectImport) -> None:
    if not counts_of(import_):
        move(import_, state=ImportState.FAILED, error=NO_ROWS)
        return
    plan = plan_of(import_)
    move(
        import_,
        state=ImportState.READ,
        total=import_.position,
        new_billable=plan.new_billable,
        removals=len(plan.remove),
    )


def decide_zeros(*, import_: SubjectImport, pad: bool, decided_by: str) -> None:
    """One decision for all rows with eight digits: put the zero before them, or leave them out.

    Padded numbers may stand in the file already, so the rows are judged anew.
    """
    demand_state(import_, ImportState.READ)
    if import_.pad_zeros is not None or not counts_of(import_).get(Validation.DECISION):
        raise Refused(gettext("There is nothing to choose: no rows with eight digits are waiting."))
    anew = {"state": ImportState.UPLOADED, "position": 0, "chunks": 0, "counts": "{}", "new_billable": None}
    demand_moved(move(import_, pad_zeros=pad, **(anew if pad else {})))
    words = gettext("%(import)s: leading zero added to numbers with eight digits")
    if not pad:
        words = gettext("%(import)s: rows with eight digits skipped")
    record(
        actor=decided_by,
        action="import.zeros",
        thing=import_,
        summary=words % {"import": import_},
        before={"pad_zeros": None},
        after={"pad_zeros": pad},
    )


def choose_sheet(*, import_: SubjectImport, sheet: str, chosen_by: str) -> None:
    """Have another sheet of the workbook read instead of the one that was."""
    demand_state(import_, ImportState.READ)
    if sheet not in {one.name for one in sheets_of(import_) if one.has_numbers and not one.is_read}:
        raise Refused(
            gettext("The workbook has no other sheet of this name with D-U-N-S numbers. Choose a sheet from the list.")
        )
    before = next(one.name for one in sheets_of(import_) if one.is_read)
    anew = {"state": ImportState.UPLOADED, "position": 0, "chunks": 0, "counts": "{}", "new_billable": None}
    demand_moved(move(import_, sheet=sheet, pad_zeros=None, note="", **anew))
    record(
        actor=chosen_by,
        action="import.sheet",
        thing=import_,
        summary=gettext("%(import)s: sheet “%(sheet)s” chosen") % {"import": import_, "sheet": sheet},
        before={"sheet": before},
        after={"sheet": sheet},
    )


def validate_without_storing(import_: SubjectImport, content: bytes) -> Iterator[list[ValidatedRow]]:
    """The validations of a file that is not kept, chunk by chunk."""
    validate = Validator(import_)
    table = open_table(content, import_.sheet)
    import_.sheets = msgspec.json.encode(table.sheets).decode()
    lines = table.lines()
    for chunk in iter(lambda: list(islice(lines, CHUNK)), []):
        yield validate.validate(chunk)
