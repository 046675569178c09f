"""Each company's last record up to a day: from a checkpoint, what changed since, and the days after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.db.models.lookups import LessThan
from django.utils import timezone

from core.bulk import among
from core.db import in_batches
from monitoring.figures import checkpoints
from monitoring.figures.record import ENTRY, TEXTS, dated_dtype, entry_dtype
from monitoring.figures.words import Words, all_words, read_words
from monitoring.models import FigureCheckpoint, FigureMonth
from monitoring.models.figures import COMPANIES

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

# All months lie before it: the records of the present.
FOREVER = date(9999, 12, 1)
# Of so many companies that changed since, a checkpoint is made again: when it is asked for, and at night.
MOST_CHANGED, KEPT_FRESH = 20_000, 1000
# A row is written within this time after the database's clock was read for it.
MARGIN = timedelta(minutes=5)
ALL_DAYS = 31
Rows = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """What the records before a month, and up to one of its days, are made of: equal ones give equal records."""

    month: date
    until: int
    checkpoint: FigureCheckpoint | None
    words: str
    # Rows before the month that were written since, and those of the month itself.
    changed: Rows
    later: Rows


def records_at(day: date | None) -> Array:
    """Sorted by `duns`, each company once."""
    return records_and_words(*sources_on([day]))[0]


def sources_on(days: Sequence[date | None]) -> list[Source]:
    """Of several days in as many queries as of one."""
    return _sources([(day.replace(day=1), day.day) if day else (FOREVER, 0) for day in days])


def _sources(chosen: Sequence[tuple[date, int]]) -> list[Source]:
    found = checkpoints.newest_of({month for month, _ in chosen})
    rows = _rows_beside({month: found.get(month) for month, _ in chosen})
    return [_source(month, until, found.get(month), rows) for month, until in chosen]


def _source(month: date, until: int, checkpoint: FigureCheckpoint | None, rows: Sequence[MonthRow]) -> Source:
    first = FigureMonth.first_key(month)
    since = checkpoint.made_at - MARGIN if checkpoint else None
    changed = tuple((key, entries) for key, entries, at in rows if since and key < first and at >= since)
    later = tuple((key, entries) for key, entries, _ in rows if until and first <= key < first + COMPANIES)
    return Source(month, until, checkpoint, checkpoint.words if checkpoint else "", changed, later)


def records_and_words(source: Source) -> tuple[Array, Words]:
    """With the texts that stand in them as numbers: those beside the checkpoint, unless a later one is needed."""
    dated, words = _before(source)
    if source.until:
        dated = _last(dated, _read(source.later, source.until))
    records = dated["record"]
    return records, words if _has_all(words, records) else all_words()


def _has_all(words: Words, records: Array) -> bool:
    """Numbers of a kind are given one after the other."""
    highest: dict[str, int] = {}
    for kind, number in words:
        highest[kind] = max(highest.get(kind, 0), number)
    return all(records[name].max(initial=0) <= highest.get(kind, 0) for name, kind in TEXTS.items())


def records_before(month: date) -> Array:
    """As they were at the beginning of the month, each with the number of the month that it is from; kept for the next
    time where they had to be read from many rows."""
    return _before(*_sources([(month, 0)]))[0]


def _before(source: Source) -> tuple[Array, Words]:
    """The records before the month, and the words kept beside them."""
    records = None
    if source.checkpoint and len(source.changed) <= MOST_CHANGED:
        records = checkpoints.load(source.checkpoint)
    if records is not None:
        return _with_changed(records, source.changed, source.month), read_words(source.words)
    if not source.checkpoint and not _all_before(source.month).exists():
        return _no_records(), {}
    return checkpoints.save(source.month, partial(_from_months, source.month)), {}


def _no_records() -> Array:
    import numpy

    return numpy.empty(0, dtype=dated_dtype())


def _from_months(month: date) -> Array:
    """From the checkpoint before it, or from nothing; a month at a time."""
    records, since = _no_records(), date(1, 1, 1)
    if earlier := checkpoints.newest(date(1, 1, 1), month - timedelta(days=1)):
        records, since = records_before(earlier.month), earlier.month
    first, last = _ends(since, month)
    while first <= last:
        records = _last(records, _read(_months(first)))
        first = next_month(first)
    return records


def _ends(since: date, month: date) -> tuple[date, date]:
    """The first and the last month with rows, from `since` on and before `month`."""
    rows = _all_before(month).filter(key__gte=FigureMonth.first_key(since)).values_list("month", flat=True)
    first, last = rows.order_by("key").first(), rows.order_by("-key").first()
    return first or month, last or since


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


# Rows

MonthRow = tuple[int, bytes, datetime]


def _all_before(month: date) -> Any:
    return FigureMonth.objects.filter(key__lt=FigureMonth.first_key(month))


def _rows_beside(asked: Mapping[date, FigureCheckpoint | None]) -> list[MonthRow]:
    """Of each month the rows before it that were written since its checkpoint, and its own, read together: by the index
    of times and by the keys. Asked for in the order of keys, SQLite would read all that there are."""
    found = Q()
    for month, checkpoint in asked.items():
        first = FigureMonth.first_key(month)
        if checkpoint:
            # Not a condition of the key itself: by that SQLite would look at all rows before the month.
            found |= Q(LessThan(F("key") + 0, first), changed_at__gte=checkpoint.made_at - MARGIN)
        if month != FOREVER:
            found |= Q(key__gte=first, key__lt=first + COMPANIES)
    rows: Any = FigureMonth.objects.filter(found).values_list("key", "entries", "changed_at") if found else ()
    return sorted((key, bytes(entries), at) for key, entries, at in rows)


def _months(month: date) -> Rows:
    first = FigureMonth.first_key(month)
    return _rows(FigureMonth.objects.filter(key__gte=first, key__lt=first + COMPANIES))


def _rows(rows: Any) -> Rows:
    return tuple(rows.order_by("key").values_list("key", "entries"))


def _read(rows: Rows, until: int = ALL_DAYS) -> Array:
    """Their records in the order of time, up to that day of their month."""
    import numpy

    entries = numpy.frombuffer(b"".join(entries for _, entries in rows), dtype=entry_dtype())
    counts = [len(entries) // ENTRY.size for _, entries in rows]
    found = numpy.empty(len(entries), dtype=dated_dtype())
    found["month"] = numpy.repeat(numpy.array([key // COMPANIES for key, _ in rows], dtype=numpy.int64), counts)
    found["record"] = entries["record"]
    return found[entries["day"] <= until]


def _last(records: Array, later: Array) -> Array:
    """Of each company the last: of the later month, in one month of those that are `later`. `records` is used up where
    it may be written to."""
    import numpy

    if not len(later):
        return records
    later, records = _last_of_each(later), records if records.flags.writeable else records.copy()
    numbers = numpy.ascontiguousarray(records["record"]["duns"])
    places = numpy.searchsorted(numbers, later["record"]["duns"])
    is_known = numpy.zeros(len(later), dtype=bool)
    inside = places < len(numbers)
    is_known[inside] = numbers[places[inside]] == later["record"]["duns"][inside]
    known, places_of_known = later[is_known], places[is_known]
    is_newer = known["month"] >= records["month"][places_of_known]
    records[places_of_known[is_newer]] = known[is_newer]
    return records if is_known.all() else numpy.insert(records, places[~is_known], later[~is_known])


def _last_of_each(later: Array) -> Array:
    """Given in the order of time; sorted by company."""
    import numpy

    order = numpy.argsort(later["record"]["duns"], kind="stable")
    numbers = later["record"]["duns"][order]
    is_last = numpy.ones(len(numbers), dtype=bool)
    is_last[:-1] = numbers[1:] != numbers[:-1]
    return later[order[is_last]]


def _with_changed(records: Array, changed: Rows, month: date) -> Array:
    """Where the row of a company's last record is empty now, the record is that of an earlier one."""
    import numpy

    emptied = {key for key, entries in changed if not entries}
    if emptied:
        keys = records["month"].astype(numpy.int64) * COMPANIES + records["record"]["duns"]
        is_gone = numpy.isin(keys, numpy.array(sorted(emptied), dtype=numpy.int64))
        records = _last(records[~is_gone], _all_of(records["record"]["duns"][is_gone], month))
    return _last(records, _read(changed))


def _all_of(numbers: Array, month: date) -> Array:
    """Every record of these companies before the month."""
    duns = [f"{number:09d}" for number in numbers.tolist()]
    rows = [row for batch in in_batches(duns) for row in _rows(_all_before(month).filter(among("company", batch)))]
    return _read(tuple(sorted(rows)))


def make_checkpoints(until: datetime) -> int:
    """Of every month's beginning, and of the present; those are made again of which much has changed since. Returns
    how many were looked at."""
    checkpoints.remove_unfinished()
    first, done = _ends(date(1, 1, 1), FOREVER)[0], 0
    for month in _beginnings(next_month(first)) if first < FOREVER else ():
        if timezone.now() >= until:
            break
        (source,) = _sources([(month, 0)])
        if source.checkpoint is None or len(source.changed) > KEPT_FRESH:
            checkpoints.save(month, partial(_from_months, month))
        done += 1
    return done


def _beginnings(first: date) -> Iterator[date]:
    month, today = first, timezone.now().date()
    while month <= today:
        yield month
        month = next_month(month)
    yield FOREVER
