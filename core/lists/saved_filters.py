"""Saved filters of lists, private or shared; and the columns that a user has chosen for a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import IGNORED_PARAMS
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text
from core.lists.listings import LISTINGS, Column, Listing
from core.models import SavedFilter
from core.visibility import EVERYTHING, Scope, visible_to


def declared(list_filter: Iterable[Any]) -> set[str]:
    """The names in addresses by which these filters are used; nothing else is looked up."""
    names: set[str] = set()
    for one in list_filter:
        if isinstance(one, type):
            # They ask only for names that stand in the class.
            names.update(one.expected_parameters(one))  # type: ignore[attr-defined]
        else:
            field = one[0] if isinstance(one, tuple) else one
            # By value, by all values that there are, and by the key of what a relation leads to.
            names.update({field, f"{field}__exact", f"{field}__isnull", f"{field}__id__exact"})
    return names


def undeclared_words(names: Iterable[str]) -> str:
    return gettext("This list cannot be filtered by “%(names)s”. Open the list and choose from its filters.") % {
        "names": ", ".join(names)
    }


SHOWN = 60
COLUMNS = "columns"
# What is no filter: the page, and what Django or unfold put into addresses.
NO_FILTERS = ("p", "e", "all", COLUMNS)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one person finds at a list."""

    filters: list[SavedFilter]
    columns: str


def kept_for(person: str, listing: str, scope: Scope = EVERYTHING) -> Kept:
    """In one question: the person's own and all that are shared, by name."""
    found = visible_to(scope, SavedFilter.objects.filter(Q(owner=person) | Q(shared=True), listing=listing))
    rows = found.order_by("name", "id")[:SHOWN]
    filters, columns = [], ""
    for row in rows:
        if row.name:
            filters.append(row)
        elif row.owner == person:
            columns = row.columns
    return Kept(filters, columns)


def filters_in(query: str) -> str:
    """Of an address, what filters: in one order, so that equal filters are equal texts."""
    asked = QueryDict(query)
    pairs = [(name, value) for name in sorted(asked) if name not in NO_FILTERS for value in asked.getlist(name)]
    found = QueryDict(mutable=True)
    for name, value in pairs:
        if value:
            found.appendlist(name, value)
    return found.urlencode(safe=",")


def undeclared_in(listing: str, query: str, person: Any = None) -> list[str]:
    """What of a query the list has no filter for: kept from before only filters were look-ups, and not used. With a
    person, also what the list does not let this person filter by."""
    if listing not in LISTINGS:
        return []
    known = {*declared(_filters_of(listing, person)), *IGNORED_PARAMS, *NO_FILTERS}
    return [name for name in QueryDict(query) if name not in known]


def _filters_of(listing: str, person: Any) -> Iterable[Any]:
    model_admin = admin.site.get_model_admin(LISTINGS[listing].model)
    if person is None:
        return model_admin.list_filter
    request = HttpRequest()
    request.user = person
    return model_admin.get_list_filter(request)


def columns_of(listing: Listing, names: str | Iterable[str]) -> tuple[Column, ...]:
    """The columns of these names, in their order; what the list does not have is passed by."""
    known = {column.name: column for column in listing.columns}
    several = names.split(",") if isinstance(names, str) else names
    return tuple(known[name] for name in dict.fromkeys(several) if name in known)


def _saved_text(*, is_new: bool, shared: bool) -> str:
    if is_new:
        return (
            gettext("Filter “%(name)s” of %(list)s saved and shared")
            if shared
            else gettext("Filter “%(name)s” of %(list)s saved")
        )
    if shared:
        return gettext("Filter “%(name)s” of %(list)s updated and shared")
    return gettext("Filter “%(name)s” of %(list)s updated")


def unit_to_share_in(scope: Scope) -> str | None:
    """Someone of one business unit shares with that; of several, with none."""
    return next(iter(scope.units)) if len(scope.units) == 1 else None


def save_filter(
    *, listing: str, name: str, query: str, columns: str, shared: bool, by: str, unit: str | None = None
) -> SavedFilter:
    """A new filter, or the user's own filter of that name with new values."""
    name = clean_text(name.strip(), 80)
    if listing not in LISTINGS:
        raise ValidationError(gettext("The list does not exist. Open the list and save the filter again."))
    if not name:
        raise ValidationError(gettext("Enter a name for the filter."))
    if refused := undeclared_in(listing, query):
        raise ValidationError(undeclared_words(refused))
    values = {"query": filters_in(query), "columns": _known(listing, columns), "shared": shared}
    kept = {**values, "unit_id": unit}
    row, is_new = SavedFilter.objects.update_or_create(
        owner=by, listing=listing, name=name, defaults=kept, create_defaults={**kept, "created_at": timezone.now()}
    )
    words = _saved_text(is_new=is_new, shared=shared) % {"name": name, "list": LISTINGS[listing].title}
    record(actor=by, action="save filter", thing=row, summary=words, after={"listing": listing, **values})
    return row


def save_columns(*, listing: str, columns: str, by: str) -> None:
    """The user's default columns of the list; empty restores the list's own."""
    own = SavedFilter.objects.filter(owner=by, listing=listing, name="")
    known = _known(listing, columns)
    if not known:
        own.delete()
        return
    values = {"columns": known}
    SavedFilter.objects.update_or_create(
        owner=by, listing=listing, name="", defaults=values, create_defaults={**values, "created_at": timezone.now()}
    )


def _known(listing: str, columns: str) -> str:
    return ",".join(column.name for column in columns_of(LISTINGS[listing], columns))
