"""The companies that today's tags, owners and saved filters stand for, on whatever day the portfolio is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from core.exports.files import rows_as
from core.models import SavedFilter
from monitoring.portfolio_page.filters import Filters
from portfolio.models import Subject

LISTING = "portfolio.company"


def with_numbers(filters: Filters, person: Any) -> Filters:
    """A saved filter that is not this person's to see is ignored, like all wrong keys."""
    saved = _saved(filters.first("saved"), person)
    values = {name: found for name, found in filters.values.items() if name != "saved" or saved}
    return Filters(values, tuple(map(_sorted, _found(filters, saved, person))))


def _saved(key: str, person: Any) -> SavedFilter | None:
    return next((row for row in saved_filters(person) if str(row.pk) == key), None) if key else None


def _found(filters: Filters, saved: SavedFilter | None, person: Any) -> Iterator[Iterable[str]]:
    if tag := filters.first("tag"):
        yield tagged(tag)
    if owner := filters.first("owner"):
        yield Subject.objects.filter(owner=owner).order_by().values_list("company_id", flat=True)
    if saved:
        yield rows_as(person, LISTING, saved.query).order_by().values_list("duns", flat=True)


def tagged(tag: str) -> Iterator[str]:
    """The database finds the text; a tag is one of the texts between commas."""
    wanted = tag.strip().casefold()
    rows = Subject.objects.filter(tags__icontains=tag.strip()).order_by().values_list("company_id", "tags")
    return (duns for duns, tags in rows if wanted in {one.strip().casefold() for one in tags.split(",")})


def saved_filters(person: Any) -> list[SavedFilter]:
    """Those of the list of companies that the person finds above it."""
    own_or_shared = Q(owner=person.get_username()) | Q(shared=True)
    return list(SavedFilter.objects.filter(own_or_shared, listing=LISTING).exclude(name="").order_by("name", "id"))


def _sorted(numbers: Iterable[str]) -> NDArray[np.uint32]:
    return np.unique(np.array([int(number) for number in numbers], np.uint32))
