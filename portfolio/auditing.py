"""Who did what to what, before and after: every act of a person or a job that changes the portfolio (append only)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.utils import timezone

from portfolio.acting import id_of
from portfolio.models import AuditEntry
from portfolio.rows import clean_text


def record(
    *,
    actor: str,
    action: str,
    thing: Model,
    summary: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write down an act. `before` and `after` hold what it changed."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=clean_text(actor, 200),
        actor_id=id_of(actor),
        action=action,
        what=thing._meta.model_name or "",
        key=str(thing.pk),
        summary=clean_text(summary),
        before=_json(before),
        after=_json(after),
    )


def note_act(*, actor: str, action: str, what: str, key: str, summary: str) -> AuditEntry:
    """Write down an act on something that is no row, or is one no longer."""
    return AuditEntry.objects.create(
        at=timezone.now(),
        actor=clean_text(actor, 200),
        actor_id=id_of(actor),
        action=action,
        what=what,
        key=key,
        summary=clean_text(summary),
    )


def _json(values: Mapping[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, default=str, ensure_ascii=False, sort_keys=True)
