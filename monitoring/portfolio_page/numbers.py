"""The companies that today's tags, owners and saved filters stand for, on whatever day the portfolio is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from core.bulk import has_sql
from core.exports.files import rows_as
from core.lists.saved_filters import undeclared_in
from core.models import SavedFilter
from core.visibility import Scope, scope_of, visible_to
from monitoring.portfolio_page.filters import Filters
from portfolio.companies.conditions import UNKNOWN, numbers_tagged, numbers_tagged_and_owned, owned_by, tagged
from portfolio.models import Company

LISTING = "portfolio.company"


def with_numbers(filters: Filters, person: Any) -> Filters:
    """Registrations and saved filters that are not this person's to see are ignored, like all wrong keys."""
    scope, key = scope_of(person), filters.first("saved")
    offered = saved_filters(person) if key else None
    saved = next((row for row in offered or () if str(row.pk) == key), None)
    values = {name: found for name, found in filters.values.items() if name != "saved" or saved}
    if not scope.sees_all and "registration" in values:
        seen = {str(key) for key in scope.registrations}
        values["registration"] = tuple(value for value in values["registration"] if value in seen)
    kept = {name: found for name, found in values.items() if found}
    among = None if scope.sees_all else scope.registrations
    return Filters(kept, tuple(map(_sorted, _found(filters, saved, person))), among, offered)


def _found(filters: Filters, saved: SavedFilter | None, person: Any) -> Iterator[Iterable[str]]:
    tag, owner, scope = filters.first("tag"), filters.first("owner"), scope_of(person)
    rows = _numbers(rows_as(person, LISTING, saved.query)) if saved else None
    if tag and owner and UNKNOWN not in (tag, owner):
        # With SQL in one query, also for the saved filter: who is in all of them is looked for.
        among = rows if has_sql() else None
        yield from numbers_tagged_and_owned(tag, owner, scope, among)
        rows = rows if among is None else None
    else:
        yield from _of_entries(tag, owner, scope)
    if rows is not None:
        yield rows


def _of_entries(tag: str, owner: str, scope: Scope) -> Iterator[Iterable[str]]:
    companies = Company.objects.all()
    if tag:
        yield _numbers(tagged(companies, tag, scope)) if tag == UNKNOWN else numbers_tagged(tag, scope)
    if owner:
        yield _numbers(owned_by(companies, owner, scope))


def _numbers(rows: QuerySet[Any]) -> QuerySet[Any, str]:
    return rows.order_by().values_list("duns", flat=True)


def saved_filters(person: Any) -> list[SavedFilter]:
    """Those of the list of companies that the person finds above it, and may filter by."""
    own_or_shared = Q(owner=person.get_username()) | Q(shared=True)
    rows = visible_to(person, SavedFilter.objects.filter(own_or_shared, listing=LISTING)).exclude(name="")
    rows = rows.order_by("name", "id")
    return [row for row in rows if not undeclared_in(LISTING, row.query, person)]


def _sorted(numbers: Iterable[str]) -> NDArray[np.uint32]:
    return np.unique(np.array([int(number) for number in numbers], np.uint32))
