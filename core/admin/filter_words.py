"""A list's query in words, as its chips have them, for where the list itself is not shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext

from core import plurals
from core.admin.audit_differences import as_stored, differences, read, thing_of
from core.admin.chips import chips_of
from core.lists.listings import LISTINGS
from core.lists.saved_filters import columns_of
from core.models import AuditEntry

# Of rows that were selected for an export.
SELECTED = ("pk__in", "id__in", "duns__in")


def filter_words(listing: str, query: str, person: Any) -> str:
    """“country: United Kingdom; state: New”; the query itself where the list has no such filter any longer."""
    asked = QueryDict(query, mutable=True)
    selected = [text for name in SELECTED for value in asked.pop(name, []) for text in str(value).split(",")]
    words = _chip_words(listing, asked.urlencode(safe=","), person)
    if selected:
        words.insert(0, gettext("selection: %(rows)s") % {"rows": plurals.rows(len(selected))})
    return "; ".join(words)


def _chip_words(listing: str, query: str, person: Any) -> list[str]:
    request = HttpRequest()
    request.method, request.GET, request.user = "GET", QueryDict(query), person
    request.names_filters = True  # type: ignore[attr-defined]
    try:
        change_list = admin.site.get_model_admin(LISTINGS[listing].model).get_changelist_instance(request)
    except (IncorrectLookupParameters, DisallowedModelAdminLookup):
        return [query]
    return [f"{chip.name}: {chip.value}" for chip in chips_of(change_list, request)]


# In the audit log


def words_of(row: AuditEntry, person: Any) -> Callable[[str, Any], Any]:
    """What turns the values of an entry about a list's filters and columns into words."""
    values = {**read(row.after), **read(row.before)}
    if not values.keys() & {"query", "columns"}:
        return as_stored
    listing = str(values.get("listing") or getattr(thing_of(row), "listing", ""))
    return lambda name, value: _words(listing, name, value, person) if listing in LISTINGS else value


def changes_text(row: AuditEntry) -> str:
    """In a cell: “requested: yes → no; owner: – → Ann”."""
    return "; ".join(f"{name}: {before or '–'} → {after or '–'}" for name, before, after in _read(row))


def before_text(row: AuditEntry) -> str:
    """In a cell: “requested: yes; owner: Ann”."""
    return "; ".join(f"{name}: {before}" for name, before, _after in _read(row) if before)


def after_text(row: AuditEntry) -> str:
    return "; ".join(f"{name}: {after}" for name, _before, after in _read(row) if after)


def _read(row: AuditEntry) -> list[tuple[str, str, str]]:
    """As the page of the entry shows it to the reader of a list (`AuditEntryAdmin.seen`); once for all its cells."""
    if not hasattr(row, "read"):
        reader = getattr(row, "reader", None)
        row.read = list(differences(row, words_of(row, reader) if reader else as_stored))  # type: ignore[attr-defined]
    return row.read  # type: ignore[attr-defined, no-any-return]


def _words(listing: str, name: str, value: Any, person: Any) -> Any:
    if name == "query":
        return filter_words(listing, str(value), person) if value else value
    if name == "columns":
        return [str(column.heading) for column in columns_of(LISTINGS[listing], str(value))]
    return LISTINGS[listing].title if name == "listing" else value
