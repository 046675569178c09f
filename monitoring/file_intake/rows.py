"""Writing to the row of a delivered file, and its end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.blobs import delete_bytes
from core.db import clean_text
from core.leases import HoldLost
from monitoring.models import DeliveredFile, FileState

ACTOR = "file intake"


def save(row: DeliveredFile, **fields: Any) -> None:
    DeliveredFile.objects.filter(pk=row.pk).update(**fields)
    _show(row, fields)


def _show(row: DeliveredFile, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)


def finish(row: DeliveredFile, **fields: Any) -> None:
    save(row, state=FileState.IMPORTED, ended_at=timezone.now(), reason="", **fields)
    delete_bytes(row.pk)
    _record(row, "import", gettext("Delivered file %(name)s imported") % {"name": row})


def save_part(row: DeliveredFile, number: int, **fields: Any) -> None:
    """Raises HoldLost where another process has stored it meanwhile."""
    as_it_was = DeliveredFile.objects.filter(pk=row.pk, state=FileState.WAITING, parts=number, is_stored=False)
    if not as_it_was.update(parts=number + 1, **fields):
        raise HoldLost
    _show(row, {**fields, "parts": number + 1})


def refuse(row: DeliveredFile, reason: str) -> None:
    """Unless another process has imported it meanwhile."""
    fields = {"state": FileState.REFUSED, "ended_at": timezone.now(), "reason": clean_text(reason)}
    if not DeliveredFile.objects.filter(pk=row.pk).exclude(state=FileState.IMPORTED).update(**fields):
        return
    _show(row, fields)
    delete_bytes(row.pk)
    note_refusal(row)


def note_refusal(row: DeliveredFile) -> None:
    text = gettext("Delivered file %(name)s refused: %(reason)s")
    _record(row, "refuse", text % {"name": row, "reason": row.reason})


def _record(row: DeliveredFile, verb: str, summary: str) -> None:
    record(actor=row.requested_by or ACTOR, action=f"delivered file.{verb}", thing=row, summary=summary)
