"""What a saved form changed in an alert rule, for the audit log, in the words of the form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django import forms
from django.db.models import QuerySet

from core.text import country_name
from monitoring.alerts.conditions import line_text
from monitoring.alerts.rules import path_text, split
from monitoring.models import Kind

# The limit of exposure would show to users who may not see money.
SECRET = frozenset({"min_exposure"})


def _parts(value: Any) -> list[str]:
    return split(value) if isinstance(value, str) else [str(one) for one in value or ()]


def _lines(value: Any) -> list[str]:
    return [line.strip() for line in str(value or "").splitlines() if line.strip()]


def _kind_text(value: str) -> str:
    return str(Kind(value).label) if value in Kind.values else value


WORDS: Mapping[str, Callable[[Any], list[str]]] = {
    "kinds": lambda value: [_kind_text(one) for one in _parts(value)],
    "elements": lambda value: [path_text(line) for line in _lines(value)],
    "conditions": lambda value: [line_text(line) for line in _lines(value)],
    "registrations": _parts,
    "notify_users": _parts,
    "countries": lambda value: [country_name(code) for code in _parts(value)],
}


def changes_of(form: forms.BaseForm, *, is_change: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after, of the fields that changed; of a new rule, what was entered."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, old, new in _sides(form, is_change=is_change):
        if old != new:
            before[name], after[name] = old, new
    return (before, after) if is_change else ({}, {name: new for name, new in after.items() if new})


def content_of(form: forms.BaseForm) -> dict[str, Any]:
    """Of a rule that goes: what it was, from the form that would change it."""
    named = ((name, form.get_initial_for_field(field, name)) for name, field in form.fields.items())
    found = {name: _said(form.fields[name], name, value) for name, value in named if name not in SECRET}
    return {name: value for name, value in found.items() if value}


def _sides(form: forms.BaseForm, *, is_change: bool) -> Iterator[tuple[str, Any, Any]]:
    names = form.changed_data if is_change else list(form.cleaned_data)
    for name in (name for name in names if name not in SECRET):
        old = form.initial.get(name) if is_change else None
        yield name, _said(form.fields[name], name, old), _said(form.fields[name], name, form.cleaned_data[name])


def _said(field: forms.Field, name: str, value: Any) -> Any:
    """A choice and a yes or no stay as they are: the log's page has their words, in the reader's language."""
    if isinstance(field, forms.ModelMultipleChoiceField):
        return sorted(field.label_from_instance(row) for row in _rows(field, value))
    if isinstance(field, forms.ModelChoiceField):
        rows = _rows(field, [value] if value else [])
        return next((field.label_from_instance(row) for row in rows), None)
    if name in WORDS:
        return WORDS[name](value)
    return None if value in ("", None) else value


def _rows(field: Any, value: Iterable[Any] | QuerySet[Any] | None) -> list[Any]:
    """Whether they are given as rows or by their keys."""
    keys = [getattr(one, "pk", one) for one in value or ()]
    return list(field.queryset.filter(pk__in=keys)) if keys else []
