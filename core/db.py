"""Writing and reading rows the way that holds on every engine: keys and compare-and-swap, no locks.

docs/operate/engines.md says why.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now

from core.bulk import Clash, clock, find_rows, has_sql, insert_absent, insert_rows, select_values
from core.models import Clock

Row = TypeVar("Row")
ModelRow = TypeVar("ModelRow", bound=models.Model)
LOOKUP_BATCH = 500


def insert_new(model: type[models.Model], rows: Iterable[Row], *, asked: bool = False) -> list[Row]:
    """Insert the rows whose keys are not there yet and return those that this call inserted: model instances, or tuples
    of all the model's columns (core/bulk/). With `asked`, none of them was there just now, or is likely to be.

    Two processes that insert the same row both succeed, and one of them inserted it.
    """
    key = attrgetter(_primary_key(model))
    unique = list({key(row): row for row in reversed(list(rows))}.values())[::-1]
    inserted: list[Row] = []
    for is_first in (True, False):
        missing = unique if asked and is_first else _missing(model, unique)
        if not missing:
            return inserted
        try:
            with transaction.atomic():
                insert_rows(model, missing)
        except IntegrityError as error:
            inserted += missing[: error.inserted if isinstance(error, Clash) else 0]
            continue
        return inserted + missing
    return inserted + [row for row in _missing(model, unique) if _insert_one(model, row)]


def insert_new_values(
    model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]], told: str, **same: Any
) -> set[Any]:
    """As `insert_new`, from the values of `names`, for thousands of rows; returns what the column `told` has in those
    inserted."""
    if has_sql():
        return insert_absent(model, names, rows, told, same)
    given = [model(**dict(zip(names, row, strict=True)), **same) for row in rows]
    return {getattr(row, told) for row in insert_new(model, given)}


def _primary_key(model: type[models.Model]) -> str:
    return str(model._meta.pk.attname)


def _missing(model: type[models.Model], rows: Sequence[Row]) -> list[Row]:
    key = attrgetter(_primary_key(model))
    known = existing_keys(model, [key(row) for row in rows])
    return [row for row in rows if key(row) not in known]


def existing_keys(model: type[models.Model], keys: Sequence[Any]) -> set[Any]:
    return {key for (key,) in find_rows(model, (_primary_key(model),), keys)}


def _insert_one(model: type[models.Model], row: Any) -> bool:
    """False when somebody else inserted it meanwhile; any other clash is an error of the row's own."""
    try:
        with transaction.atomic():
            insert_rows(model, [row])
    except IntegrityError:
        if not existing_keys(model, [getattr(row, _primary_key(model))]):
            raise
        return False
    return True


def one_by_one(rows: models.QuerySet[ModelRow]) -> Iterator[ModelRow]:
    """Rows in their order, a batch at a time, where something is written meanwhile.

    `iterator()` leaves a read open, and SQLite refuses at once to write behind it when others have written since.
    """
    for keys in in_batches(list(rows.values_list("pk", flat=True))):
        found = rows.in_bulk(keys)
        yield from (found[key] for key in keys if key in found)


def refresh(row: models.Model, *names: str) -> None:
    """`refresh_from_db` of a few columns, for where it is done again and again; raises DoesNotExist."""
    found = select_values(type(row), names, pk=row.pk)
    if not found:
        raise type(row).DoesNotExist  # type: ignore[attr-defined]
    for name, value in zip(names, found[0], strict=True):
        setattr(row, name, value)


def in_batches(items: Sequence[Any], size: int = LOOKUP_BATCH) -> Iterable[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def database_now() -> datetime:
    """The database's clock, which all processes share."""
    if has_sql():
        return clock()
    times = Clock.objects.values_list(Now(), flat=True)
    return times.first() or _clock_begun(times)


def _clock_begun(times: models.QuerySet[Any, datetime]) -> datetime:
    """The first who asks makes the row."""
    insert_new(Clock, [Clock()])
    return times.get()


def clean_text(text: str, limit: int = 1000) -> str:
    """What every engine can hold: no NUL, no lone surrogates, cut."""
    if text.isascii() and "\0" not in text:
        return text[:limit]
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()[:limit]


def search_name(name: str) -> str:
    """By which names are sorted."""
    if name.isascii():
        return name.lower()[:1000]
    return unicodedata.normalize("NFKC", name).casefold()[:1000]
