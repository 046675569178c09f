"""Numbers that stand at the moment, counted now and then and kept: each kind has one function, named once."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.db import insert_new
from core.models import CachedCount
from core.text import counted

# So many are counted; more are “1,000+”.
COUNTED = 1000
Numbers = Mapping[str, Any]
COUNTERS: dict[str, Callable[[], Numbers]] = {}
# What this process counted or read last, and when: every page's menu shows some of it, and asks nothing for it.
_recent: dict[str, tuple[float, Numbers]] = {}
RECENT_SECONDS = 20
# What only this process counts.
COUNTED_HERE: dict[str, tuple[float, Numbers]] = {}


def up_to(count: int) -> str:
    return f"{counted(count)}{'+' if count >= COUNTED else ''}"


def counter(function: Callable[[], Numbers]) -> Callable[[], Numbers]:
    """Names a count after its function."""
    COUNTERS[function.__name__] = function
    return function


def update_counts(*names: str) -> int:
    """Count these again, or all; returns how many kinds were counted."""
    if not names:
        CachedCount.objects.exclude(pk__in=list(COUNTERS)).delete()
    for name in names or COUNTERS:
        _count(name)
    return len(names or COUNTERS)


def _count(name: str) -> None:
    """Of two counts at the same time the one that began later stays, whichever ends first."""
    began = timezone.now()
    numbers = COUNTERS[name]()
    keep_recent({name: numbers})
    values = {"numbers": json.dumps(numbers, sort_keys=True), "counted_at": began}
    if not CachedCount.objects.filter(pk=name, counted_at__lte=began).update(**values):
        insert_new(CachedCount, [CachedCount(what=name, **values)])


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """All that was counted, by its name, and when the oldest of it was."""

    numbers: Mapping[str, Numbers] = field(default_factory=dict)
    counted_at: datetime | None = None

    def of(self, name: str) -> Numbers:
        return self.numbers.get(name, {})


def open_counts() -> OpenCounts:
    rows = list(CachedCount.objects.all())
    found = {row.what: json.loads(row.numbers) for row in rows}
    keep_recent(dict.fromkeys(COUNTERS, {}) | found)
    return OpenCounts(found, min((row.counted_at for row in rows), default=None))


def recent_count(name: str) -> Numbers:
    """As counted last; what another process has counted since then is known here some seconds later."""
    read_at, numbers = _recent.get(name, (-math.inf, {}))
    if time.monotonic() - read_at < RECENT_SECONDS:
        return numbers
    return open_counts().of(name)


def counted_here(name: str, count: Callable[[], Numbers], seconds: float) -> Numbers:
    """For what no job counts, as there are many of its kind: counted again where that was so long ago."""
    read_at, numbers = COUNTED_HERE.get(name, (-math.inf, {}))
    if time.monotonic() - read_at >= seconds:
        numbers = count()
        COUNTED_HERE[name] = time.monotonic(), numbers
    return numbers


def keep_recent(numbers: Mapping[str, Numbers]) -> None:
    _recent.update((name, (time.monotonic(), values)) for name, values in numbers.items())


def last_count(name: str) -> tuple[Numbers, datetime]:
    """What was counted last, and when; counted now where it never was."""
    row = CachedCount.objects.filter(pk=name).first()
    if row is None:
        update_counts(name)
        row = CachedCount.objects.get(pk=name)
    return json.loads(row.numbers), row.counted_at
