"""Moving an import on, whatever it waits for: what the job does, and what picks up after a process that died."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from portfolio.imports.apply import apply_import, carry_out_undo
from portfolio.imports.states import IN_WORK
from portfolio.imports.upload import read_import
from portfolio.models import SubjectImport

IDLE_AFTER = timedelta(minutes=1)


def work_on(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Read, apply or undo, until it is done or the time is over."""
    read_import(import_, until=until)
    apply_import(import_, until=until)
    carry_out_undo(import_, until=until)


def is_in_work(import_: SubjectImport) -> bool:
    return import_.state in IN_WORK


def idle_imports() -> list[uuid.UUID]:
    """Those that wait for work and that nobody has touched for a while."""
    rows = SubjectImport.objects.filter(state__in=IN_WORK, moved_at__lt=timezone.now() - IDLE_AFTER)
    return list(rows.order_by("moved_at").values_list("pk", flat=True)[:100])
