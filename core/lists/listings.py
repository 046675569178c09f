"""What a list is made of: its columns, in words and as values, declared once by the app that owns it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, override

from core.models import ExportFormat as Format

BATCH = 500
Row = Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name for machines, its heading for people, and how a row is read. With a `right`, not everybody
    sees it."""

    name: str
    heading: str | Promise
    read: Callable[[Row], Any]
    width: int = 18
    right: str = ""


def nothing(rows: list[Row]) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that can be exported. `complete` gives a batch of rows what the columns read, in few queries; `whole` says
    that they read what the list's page leaves out; `limit` takes from rows what someone does not see of them, and
    `found` from a batch the rows that a search does not find."""

    model: type[Model]
    columns: tuple[Column, ...]
    complete: Callable[[list[Row]], None] = nothing
    duns: Callable[[Row], str] | None = None
    whole: bool = False
    limit: Callable[[list[Row]], object] | None = None
    found: Callable[[list[Row]], list[Row]] | None = None

    @property
    def name(self) -> str:
        return self.model._meta.label_lower

    @property
    def title(self) -> str:
        return capfirst(str(self.model._meta.verbose_name_plural))

    @property
    def file_stem(self) -> str:
        """Part of the names of files, so alike in every language."""
        with override(None):
            return str(self.model._meta.verbose_name_plural).replace(" ", "-")

    def of(self, columns: Sequence[Column]) -> Listing:
        """With these columns only; none: as it is."""
        return replace(self, columns=tuple(columns)) if columns else self

    def visible_to(self, person: Any) -> Listing:
        """With the columns that this person may see; without a person, those that everybody may."""
        return self.of([one for one in self.columns if not one.right or (person and person.has_perm(one.right))])

    def completed(self, batch: list[Row]) -> list[Row]:
        if self.found:
            batch = self.found(batch)
        if self.limit:
            self.limit(batch)
        self.complete(batch)
        return batch

    @property
    def formats(self) -> list[Format]:
        return [form for form in Format if form != Format.DUNS or self.duns]


LISTINGS: dict[str, Listing] = {}


def declare(listing: Listing) -> None:
    LISTINGS[listing.name] = listing


# Rows


def batches(queryset: QuerySet[Any], listing: Listing) -> Iterator[list[Row]]:
    """The rows in the order of the queryset, completed, a batch at a time."""
    rows = iter((queryset.defer(None) if listing.whole else queryset).iterator(chunk_size=BATCH))
    while batch := list(islice(rows, BATCH)):
        yield listing.completed(batch)


# Values


def value_of(value: Any) -> Any:
    """What JSON carries: text, numbers, true and false, null; times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def text_of(value: Any) -> str:
    """What a cell shows."""
    found = value_of(value)
    if found is None:
        return ""
    return (gettext("yes") if found else gettext("no")) if isinstance(found, bool) else str(found)
