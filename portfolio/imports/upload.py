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
from core.blobs import store_bytes
from core.db import clean_text
from core.text import counted
from portfolio.imports.chunks import CHUNK
from portfolio.imports.columns import Table
from portfolio.imports.confirm import plan_of
from portfolio.imports.csv_reader import open_table
from portfolio.imports.found_numbers import note_completed, stop_waiting
from portfolio.imports.reading import Reader
from portfolio.imports.states import (
    Refused,
    counts_of,
    demand_moved,
    demand_state,
    file_key,
    move,
    sheets_of,
)
from portfolio.imports.validate import ValidatedRow, Validator, validated_rows
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport, Validation

NO_ROWS = _("The file has a header row but no other rows. Add the D-U-N-S numbers below it and upload it again.")


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
    """Check every row; stops at `until`, or when somebody else reads. Call it again and it goes on."""
    READER.read(import_, until=until)


def _finish(import_: SubjectImport) -> None:
    if not counts_of(import_):
        move(import_, state=ImportState.FAILED, error=NO_ROWS)
        return
    if import_.completions:
        note_completed(import_, {row.line for row in validated_rows(import_, Validation.NO_NUMBER)})
    plan = plan_of(import_)
    move(
        import_,
        state=ImportState.READ,
        total=import_.position,
        new_billable=plan.new_billable,
        removals=len(plan.remove),
    )


READER: Reader[SubjectImport, Table, ValidatedRow] = Reader(
    ValidatedRow,
    lambda content, sheet: open_table(content, sheet),
    lambda import_, _table: Validator(import_),
    _finish,
)


def complete_rows(*, import_: SubjectImport, completed_by: str) -> None:
    """Check all rows again, now with the companies that people chose for those without a number."""
    demand_state(import_, ImportState.READ)
    anew = {"state": ImportState.UPLOADED, "position": 0, "chunks": 0, "counts": "{}", "new_billable": None}
    demand_moved(move(import_, completions=import_.completions + 1, **anew))
    record(
        actor=completed_by,
        action="import.complete",
        thing=import_,
        summary=gettext("%(import)s: companies found at D&B added to its rows") % {"import": import_},
        after={"completions": import_.completions},
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
    stop_waiting(import_, gettext("Another sheet was chosen."))
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
