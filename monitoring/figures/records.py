"""Each company's last record up to a day, from the months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from monitoring.figures.record import entry_dtype, record_dtype
from monitoring.models import FigureMonth
from monitoring.models.figures import COMPANIES

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


def records_at(day: date | None) -> Array:
    """Sorted by `duns`, each company once."""
    import numpy

    found: Array = numpy.empty(0, dtype=record_dtype())
    rows = FigureMonth.objects.order_by("key")
    if day is None:
        return with_entries(found, list(rows.values_list("entries", flat=True)))
    first = FigureMonth.first_key(day)
    found = with_entries(found, list(rows.filter(key__lt=first).values_list("entries", flat=True)))
    of_month = rows.filter(key__gte=first, key__lt=first + COMPANIES)
    return with_entries(found, list(of_month.values_list("entries", flat=True)), day.day)


def with_entries(records: Array, entries: Sequence[bytes], until: int = 31) -> Array:
    """Records, and what they are after later entries, which are given in the order of their months."""
    import numpy

    later = numpy.frombuffer(b"".join(entries), dtype=entry_dtype())
    later = later[later["day"] <= until]["record"]
    every = numpy.concatenate([records, later])
    order = numpy.argsort(every["duns"], kind="stable")
    numbers = every["duns"][order]
    is_last = numpy.ones(len(numbers), dtype=bool)
    is_last[:-1] = numbers[1:] != numbers[:-1]
    return every[order[is_last]]
