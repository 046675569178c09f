"""Writing to the row of a delivered file, and its end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.blobs import delete_bytes
from core.db import clean_text
from monitoring.models import DeliveredFile, FileState

ACTOR = "file intake"


def save(row: DeliveredFile, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    DeliveredFile.objects.filter(pk=row.pk).update(**fields)


def finish(row: DeliveredFile, **fields: Any) -> None:
    save(row, state=FileState.IMPORTED, ended_at=timezone.now(), reason="", **fields)
    delete_bytes(row.pk)
    _record(row, "import", gettext("Delivered file %(name)s imported") % {"name": row})


def refuse(row: DeliveredFile, reason: str) -> None:
    save(row, state=FileState.REFUSED, ended_at=timezone.now(), reason=clean_text(reason))
    delete_bytes(row.pk)
    note_refusal(row)


def note_refusal(row: DeliveredFile) -> None:
    text = gettext("Delivered file %(name)s refused: %(reason)s")
    _record(row, "refuse", text % {"name": row, "reason": row.reason})


def _record(row: DeliveredFile, verb: str, summary: str) -> None:
    record(actor=row.requested_by or ACTOR, action=f"delivered file.{verb}", thing=row, summary=summary)
