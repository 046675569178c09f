"""What an entry of the audit log changed, in the words that pages use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.models import AuditEntry
from core.text import counted

APPS = ("core", "portfolio", "monitoring", "health", "accounts")
SHOWN = 300
NO_LABELS: Mapping[Any, Any] = {}
FIELD_NAMES = {"duns": _("D-U-N-S numbers"), "people": _("users"), "keys": _("API keys")}


def as_stored(name: str, value: Any) -> Any:
    return value


def differences(row: AuditEntry, words: Callable[[str, Any], Any] = as_stored) -> Iterator[tuple[str, str, str]]:
    """Name, before and after, of each thing that either side tells; `words` turns a value into what is read."""
    before, after = ({name: words(name, one) for name, one in read(side).items()} for side in (row.before, row.after))
    for name in dict.fromkeys([*before, *after]):
        field = _field(row, name)
        labels = dict(getattr(field, "flatchoices", None) or ())
        yield field_name(field, name), value_text(before.get(name), labels), value_text(after.get(name), labels)


def _field(row: AuditEntry, name: str) -> Any:
    model = model_of(row)
    return next((field for field in model._meta.fields if field.name == name), None) if model else None


def field_name(field: Any, name: str) -> str:
    if name in FIELD_NAMES:
        return str(FIELD_NAMES[name])
    return str(field.verbose_name) if field else name.replace("_", " ")


def read(text: str) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {"": value}


def value_text(value: Any, labels: Mapping[Any, Any] = NO_LABELS) -> str:
    """`labels` are the words of a field with choices."""
    if isinstance(value, list):
        more = gettext(" … and %(count)s more") % {"count": counted(len(value) - SHOWN)} if len(value) > SHOWN else ""
        return ", ".join(map(value_text, value[:SHOWN])) + more
    if isinstance(value, dict):
        return ", ".join(text for text in map(value_text, value.values()) if text)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return "" if value is None else str(labels.get(value, value))


def thing_of(row: AuditEntry) -> Model | None:
    """The object as it is today; None where it is gone."""
    model = model_of(row)
    try:
        return model._default_manager.filter(pk=row.key).first() if model else None
    except (ValidationError, ValueError):
        return None


def model_of(row: AuditEntry) -> type[Model] | None:
    """Entries name the model and not its app."""
    found = (apps.all_models[app].get(row.what) for app in APPS)
    return next((model for model in found if model), None)
