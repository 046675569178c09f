"""A file of tiers → checked rows → tiers that a user has set, once the number of changes is confirmed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.actors import Actor
from core.audit import record
from core.blobs import store_bytes
from core.db import clean_text, database_now
from core.text import counted
from monitoring.decisions.tier_file import ACCEPTED, TierCheck, TierRow, TierTable, TierValidator
from monitoring.decisions.tiers import NONE, set_tiers_of_file
from monitoring.models import TierImport
from portfolio.imports.chunks import load_chunk, stored_rows
from portfolio.imports.csv_reader import open_as
from portfolio.imports.reading import Reader
from portfolio.imports.states import Refused, counts_of, demand_moved, demand_state, file_key, move
from portfolio.models import ImportState

NO_ROWS = _("The file has a header row but no other rows. Add the companies below it and upload it again.")
CANCELLABLE = (ImportState.UPLOADED, ImportState.READING, ImportState.READ)
IN_WORK = (ImportState.UPLOADED, ImportState.READING, ImportState.CONFIRMED)


def create_tier_import(*, content: bytes, file_name: str, source: str, requested_by: Actor) -> TierImport:
    """Keep a file; its bytes are durable before the row that names them. Nothing is read yet."""
    now = timezone.now()
    upload = TierImport(
        file_name=clean_text(file_name, 200),
        file_size=len(content),
        source=source,
        created_by=clean_text(requested_by, 200),
        created_at=now,
        moved_at=now,
    )
    store_bytes(file_key(upload), content)
    upload.save(force_insert=True)
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
    demand_state(upload, *CANCELLABLE)
    demand_moved(move(upload, state=ImportState.CANCELLED))
    _record(upload, "tiers.cancel", by, gettext("%(import)s cancelled"))


def work_on(upload: TierImport, *, until: datetime | None = None) -> None:
    """Check rows or set tiers, chunk by chunk; what was done of an interrupted chunk is done again without effect."""
    READER.read(upload, until=until)
    while upload.state == ImportState.CONFIRMED and not (until and timezone.now() >= until):
        if upload.position == upload.chunks:
            move(upload, state=ImportState.APPLIED)
        else:
            _apply_chunk(upload)


def _apply_chunk(upload: TierImport) -> None:
    by_tier: dict[str, list[str]] = defaultdict(list)
    for row in load_chunk(upload, upload.position, TierRow):
        if row.validation in ACCEPTED:
            by_tier[row.tier].append(row.duns)
    for tier, duns in by_tier.items():
        set_tiers_of_file(upload, duns, tier="" if tier == NONE else tier)
    if not move(upload, position=upload.position + 1):
        # Another process goes on from here.
        upload.refresh_from_db()


def rows_of(upload: TierImport, check: str = "") -> Iterator[TierRow]:
    return (row for row in stored_rows(upload, TierRow) if not check or row.validation == check)


def _record(upload: TierImport, action: str, by: Actor, words: str) -> None:
    told = {"import": upload, "size": counted(upload.file_size), "rows": counted(accepted(upload))}
    record(actor=by, action=action, thing=upload, summary=words % told, after={"state": upload.state})
