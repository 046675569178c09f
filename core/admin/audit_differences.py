"""What an entry of the audit log changed, with the names that pages use; stored values stay as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.models import AuditEntry
from core.text import counted

APPS = ("core", "portfolio", "monitoring", "health", "accounts")
SHOWN = 300
FIELD_NAMES = {"duns": _("D-U-N-S numbers")}


def changes_text(row: AuditEntry) -> str:
    """In a cell: “requested: yes → no; owner: – → Ann”."""
    return "; ".join(f"{name}: {before or '–'} → {after or '–'}" for name, before, after in differences(row))


def differences(row: AuditEntry) -> Iterator[tuple[str, str, str]]:
    """Name, before and after, of each thing that either side tells."""
    before, after = read(row.before), read(row.after)
    for name in dict.fromkeys([*before, *after]):
        yield (
            field_name(row, name),
            value_text(before.get(name)),
            value_text(after.get(name)),
        )


def field_name(row: AuditEntry, name: str) -> str:
    if name in FIELD_NAMES:
        return str(FIELD_NAMES[name])
    model = model_of(row)
    fields = {field.name: field for field in model._meta.fields} if model else {}
    return str(fields[name].verbose_name) if name in fields else name.replace("_", " ")


def read(text: str) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {"": value}


def value_text(value: Any) -> str:
    if isinstance(value, list):
        more = gettext(" … and %(count)s more") % {"count": counted(len(value) - SHOWN)} if len(value) > SHOWN else ""
        return ", ".join(map(value_text, value[:SHOWN])) + more
    if isinstance(value, dict):
        return ", ".join(text for text in map(value_text, value.values()) if text)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "" if value is None else str(value)


def model_of(row: AuditEntry) -> type[Model] | None:
    """Entries name the model and not its app."""
    found = (apps.all_models[app].get(row.what) for app in APPS)
    return next((model for model in found if model), None)
