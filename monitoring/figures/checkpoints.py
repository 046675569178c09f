"""Records of all companies at the beginning of a month, kept as bytes column by column, which makes them small.

Each is made beside those that are there and counts when it is whole. Nothing is lost with one: it is made again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Hashable, Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.db import transaction

from core.blobs import delete_bytes, load_bytes, store_bytes
from core.db import database_now
from monitoring.figures.record import dated_columns, dated_dtype
from monitoring.figures.words import renew_words, written_words
from monitoring.models import FigureCheckpoint

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

# Nobody needs longer to make one.
UNFINISHED = timedelta(hours=6)


def newest(first: date, last: date) -> FigureCheckpoint | None:
    """Of the latest of these months that has one."""
    whole = FigureCheckpoint.objects.filter(month__gte=first, month__lte=last, is_whole=True)
    return whole.order_by("-month", "-made_at").first()


def newest_of(months: Collection[date]) -> dict[date, FigureCheckpoint]:
    """Of each of these months that has one."""
    whole = FigureCheckpoint.objects.filter(month__in=months, is_whole=True)
    return {row.month: row for row in whole.order_by("made_at")}


def load(checkpoint: FigureCheckpoint) -> Array | None:
    """Only to be read. None where it has gone meanwhile."""
    return _records(checkpoint.pk, checkpoint.companies)


# What the pages of a day and of the present read, one after the other; a whole one never changes.
@lru_cache(maxsize=2)
def _records(key: uuid.UUID, companies: int) -> Array | None:
    import numpy

    data = load_bytes(key)
    if len(data) != companies * dated_dtype().itemsize:
        return None
    records = numpy.empty(companies, dtype=dated_dtype())
    start = 0
    for column in dated_columns(records):
        end = start + len(records) * column.itemsize
        column[:] = numpy.frombuffer(data[start:end], dtype=column.dtype)
        start = end
    records.flags.writeable = False
    return records


@lru_cache(maxsize=2)
def made_of(source: Hashable) -> list[Any]:
    """A place for what was made of the records last, by all that it was made of."""
    return []


def save(month: date, make: Callable[[], Array]) -> Array:
    """Make one, and remove those of before; returns what was made."""
    row = FigureCheckpoint.objects.create(month=month, made_at=database_now())
    records = make()
    data = b"".join(column.tobytes() for column in dated_columns(records))
    # A text is written before the first record with it.
    words = written_words()
    with transaction.atomic():
        store_bytes(row.pk, data)
        as_begun = FigureCheckpoint.objects.filter(pk=row.pk, is_whole=False, made_at=row.made_at)
        if as_begun.update(is_whole=True, companies=len(records), words=words):
            # A description that came meanwhile found no whole one to write itself to.
            if written_words() != words:
                renew_words()
            _remove(FigureCheckpoint.objects.filter(month=month, is_whole=True, made_at__lt=row.made_at))
        else:
            # Somebody has removed all of them meanwhile.
            _remove([row])
    return records


def remove_all() -> None:
    """They hold a company that is erased. The row of one that is being made stays, so that its bytes are found where
    its process is killed; with another time it cannot become whole."""
    _records.cache_clear()
    made_of.cache_clear()
    for row in FigureCheckpoint.objects.all():
        unfinished = FigureCheckpoint.objects.filter(pk=row.pk, is_whole=False)
        if unfinished.update(made_at=database_now()):
            delete_bytes(row.pk)
        else:
            _remove([row])


def remove_unfinished() -> None:
    """Of processes that were killed."""
    _remove(FigureCheckpoint.objects.filter(is_whole=False, made_at__lt=database_now() - UNFINISHED))


def _remove(rows: Iterable[FigureCheckpoint]) -> None:
    for row in list(rows):
        delete_bytes(row.pk)
        row.delete()
