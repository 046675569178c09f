"""A file of tiers → checked rows → tiers that a user has set, once the number of changes is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text, database_now
from core.text import counted
from monitoring.decisions.tier_file import ACCEPTED, TierCheck, TierRow, TierTable, TierValidator
from monitoring.decisions.tiers import NONE, Before, known_before, restore_tiers, set_tiers_of_file
from monitoring.models import TierImport
from portfolio.imports.chunks import load_before, load_chunk, store_before, stored_rows
from portfolio.imports.csv_reader import open_as
from portfolio.imports.lifecycle import cancel_upload, keep_upload, undo_upload
from portfolio.imports.reading import Reader
from portfolio.imports.states import Refused, counts_of, demand_moved, demand_state, move, with_counts
from portfolio.models import ImportState

NO_ROWS = _("The file has a header row but no other rows. Add the companies below it and upload it again.")
# Beside the counts of rows by validation: companies that an undo left as they were.
LEFT = "left"


def create_tier_import(*, content: bytes, file_name: str, source: str, requested_by: Actor) -> TierImport:
    upload = keep_upload(TierImport, content, requested_by=requested_by, file_name=file_name, source=source)
    _record(upload, "tiers.upload", requested_by, gettext("%(import)s (%(size)s bytes) uploaded"))
    return upload


def _finish(upload: TierImport) -> None:
    if counts_of(upload):
        move(upload, state=ImportState.READ, total=upload.position)
    else:
        move(upload, state=ImportState.FAILED, error=NO_ROWS)


READER: Reader[TierImport, TierTable, TierRow] = Reader(
    TierRow, lambda content, sheet: open_as(TierTable, content, sheet), TierValidator, _finish
)


def accepted(upload: TierImport) -> int:
    """Companies whose tier becomes one that a user has set."""
    return sum(counts_of(upload).get(check, 0) for check in ACCEPTED)


def changing(upload: TierImport) -> int:
    return counts_of(upload).get(TierCheck.CHANGED, 0)


def confirm_tiers(upload: TierImport, *, confirmed: int, by: Actor) -> None:
    """From now on a worker sets them; it may be killed and continues."""
    demand_state(upload, ImportState.READ)
    if confirmed != accepted(upload):
        words = gettext("The number does not match. This import sets the tiers of %(companies)s.")
        raise Refused(words % {"companies": plurals.companies(accepted(upload))})
    if not confirmed:
        raise Refused(gettext("No row of this file can be used, so there is nothing to apply. Correct the file."))
    who = {"confirmed_by": clean_text(by, 200), "confirmer_id": by.id, "confirmed_at": database_now()}
    demand_moved(move(upload, state=ImportState.CONFIRMED, position=0, **who))
    _record(upload, "tiers.confirm", by, gettext("%(import)s confirmed: %(rows)s tiers"))


def cancel_tiers(upload: TierImport, *, by: Actor) -> None:
    cancel_upload(upload)
    _record(upload, "tiers.cancel", by, gettext("%(import)s cancelled"))


def undo_tiers(upload: TierImport, *, by: Actor) -> None:
    """From now on a worker sets the tiers from before; it may be killed and continues."""
    undo_upload(upload, ImportState.UNDOING, by=by, position=0)
    _record(upload, "tiers.undo", by, gettext("%(import)s undone: %(rows)s tiers"))


def work_on(upload: TierImport, *, until: datetime | None = None) -> None:
    """Check rows, set tiers or restore them, chunk by chunk; what was done of an interrupted chunk is done again
    without effect."""
    READER.read(upload, until=until)
    while (step := STEPS.get(upload.state)) and not (until and timezone.now() >= until):
        if upload.position == upload.chunks:
            move(upload, state=step.end, note=_after_undo(upload))
        elif not move(upload, **step.work(upload), position=upload.position + 1):
            # Another process goes on from here.
            upload.refresh_from_db()


def _apply_chunk(upload: TierImport) -> dict[str, str]:
    rows = load_chunk(upload, upload.position, TierRow)
    tiers = {row.duns: "" if row.tier == NONE else row.tier for row in rows if row.validation in ACCEPTED}
    set_tiers_of_file(upload, store_before(upload, upload.position, known_before(tiers), Before))
    return {}


def _undo_chunk(upload: TierImport) -> dict[str, str]:
    left = restore_tiers(upload, load_before(upload, upload.position, Before))
    return {"counts": with_counts(counts_of(upload), {LEFT: left})} if left else {}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done with a chunk; its result are more columns of the import."""

    work: Callable[[TierImport], dict[str, str]]
    end: ImportState


STEPS: Mapping[str, Step] = {
    ImportState.CONFIRMED: Step(_apply_chunk, ImportState.APPLIED),
    ImportState.UNDOING: Step(_undo_chunk, ImportState.UNDONE),
}


def _after_undo(upload: TierImport) -> str:
    left = counts_of(upload).get(LEFT, 0)
    if not left:
        return upload.note
    words = gettext("The tier of %(companies)s was changed after the import and stays as it is.")
    return words % {"companies": plurals.companies(left)}


def rows_of(upload: TierImport, check: str = "") -> Iterator[TierRow]:
    return (row for row in stored_rows(upload, TierRow) if not check or row.validation == check)


def _record(upload: TierImport, action: str, by: Actor, words: str) -> None:
    told = {"import": upload, "size": counted(upload.file_size), "rows": counted(accepted(upload))}
    record(actor=by, action=action, thing=upload, summary=words % told, after={"state": upload.state})
