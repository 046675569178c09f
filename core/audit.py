"""Who did what to what, before and after: every act of a person or a job that changes something (append only)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import camel_case_to_spaces
from django.utils.translation import gettext

from core.actors import actor_of, id_of
from core.db import clean_text, insert_new
from core.models import AuditEntry

# As entries were written before: django-q2 calls its models so.
STORED_NAMES = {"OrmQ": "Queued task", "Schedule": "Scheduled task"}


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
    entry = entry_of(actor=actor, action=action, thing=thing, summary=summary, before=before, after=after)
    entry.save(force_insert=True)
    return entry


def record_all(entries: Sequence[AuditEntry]) -> None:
    """Write down many acts together."""
    AuditEntry.objects.bulk_create(entries, batch_size=500)


def record_once(key: uuid.UUID, entry: AuditEntry) -> None:
    """Write down an act in a step that may be repeated: under this key there is one entry."""
    entry.pk = key
    insert_new(AuditEntry, [entry])


def entry_of(
    *,
    actor: str,
    action: str,
    thing: Model,
    summary: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """An act that is not written down yet."""
    return AuditEntry(
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


def entries_about(thing: Model, most: int = 20) -> list[AuditEntry]:
    """The latest first."""
    rows = AuditEntry.objects.filter(what=thing._meta.model_name or "", key=str(thing.pk))
    return list(rows.defer("before", "after").order_by("-id")[:most])


def _json(values: Mapping[str, Any] | None) -> str:
    return "" if values is None else json.dumps(values, default=str, ensure_ascii=False, sort_keys=True)


def record_edit(request: HttpRequest, row: Model, form: Any, *, is_change: bool) -> None:
    """Nothing where nothing was changed."""
    if not form.changed_data:
        return
    kind = _kind(row)
    names = [name for name in form.changed_data if name in form.fields]
    record(
        actor=actor_of(request),
        action=f"{'edit' if is_change else 'add'} {stored_name(row)}",
        thing=row,
        summary=gettext("%(kind)s %(name)s: %(fields)s changed")
        % {"kind": kind, "name": row, "fields": ", ".join(name.replace("_", " ") for name in form.changed_data)},
        before={name: plain(form.fields[name], form.initial.get(name)) for name in names} if is_change else None,
        after={name: plain(form.fields[name], form.cleaned_data[name]) for name in names},
    )


def plain(form_field: Any, value: Any) -> Any:
    """Rows by their names, also where a form holds their keys."""
    if isinstance(form_field, ModelChoiceField) and form_field.queryset is not None and value:
        is_several = isinstance(form_field, ModelMultipleChoiceField)
        keys = [row.pk if isinstance(row, Model) else row for row in (value if is_several else [value])]
        names = sorted(str(row) for row in form_field.queryset.filter(pk__in=keys))
        return names if is_several else ", ".join(names)
    return str(value) if isinstance(value, Promise) else value


def record_removal(request: HttpRequest, rows: Sequence[Model]) -> None:
    """Before they go: their names and keys are read."""
    for row in rows:
        summary = gettext("%(kind)s %(name)s deleted") % {"kind": _kind(row), "name": row}
        action = f"delete {stored_name(row)}"
        record(actor=actor_of(request), action=action, thing=row, summary=summary)


def _kind(row: Model) -> str:
    kind = str(row._meta.verbose_name)
    return kind[:1].upper() + kind[1:]


def stored_name(row: Model) -> str:
    """The object in an action's key. It comes from the class, as what pages call a model may change."""
    name = row._meta.object_name or ""
    return STORED_NAMES.get(name) or camel_case_to_spaces(name)
