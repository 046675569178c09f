"""What people change on a form of the admin, in the audit: field by field, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext

from portfolio.acting import actor_of
from portfolio.auditing import record


def record_edit(request: HttpRequest, row: Model, form: Any, *, is_change: bool) -> None:
    """Nothing where nothing was changed."""
    if not form.changed_data:
        return
    kind = _kind(row)
    record(
        actor=actor_of(request),
        action=f"{'edit' if is_change else 'add'} {row._meta.verbose_name_raw}",
        thing=row,
        summary=gettext("%(kind)s %(name)s: %(fields)s set")
        % {"kind": kind, "name": row, "fields": ", ".join(name.replace("_", " ") for name in form.changed_data)},
        before={name: form.initial.get(name) for name in form.changed_data} if is_change else None,
        after={name: form.cleaned_data[name] for name in form.changed_data},
    )


def record_removal(request: HttpRequest, rows: Sequence[Model]) -> None:
    """Before they go: their names and keys are read."""
    for row in rows:
        summary = gettext("%(kind)s %(name)s removed") % {"kind": _kind(row), "name": row}
        action = f"delete {row._meta.verbose_name_raw}"
        record(actor=actor_of(request), action=action, thing=row, summary=summary)


def _kind(row: Model) -> str:
    kind = str(row._meta.verbose_name)
    return kind[:1].upper() + kind[1:]
