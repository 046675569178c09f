"""How it was: availability by day against what was promised, and how fast it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from core.text import counted
from health.history.samples import start_of
from health.metrics.pipeline import Measured, measured, pulls_between
from health.models import Sample, Span

PROMISED = 0.999
DAYS = 90
HEIGHT, STEP, WIDTH = 80, 10, 7
# Below this a bar is as low as it gets: the last percents are what is looked at.
FLOOR = 0.95


@dataclass(frozen=True, slots=True)
class Day:
    """A UTC day; `availability` is None where nobody had begun to look."""

    day: date
    availability: float | None
    expected: int = 0
    lost: int = 0
    numbers: dict[str, Any] | None = None

    @property
    def tone(self) -> str:
        if self.availability is None:
            return "none"
        return "good" if self.availability >= PROMISED else "warn" if self.availability >= 0.99 else "bad"

    @property
    def words(self) -> str:
        day = date_format(self.day, "j M Y")
        if self.availability is None:
            return gettext("%(day)s: no data") % {"day": day}
        text = ngettext(
            "%(day)s: %(percent)s (%(count)s minute down)", "%(day)s: %(percent)s (%(count)s minutes down)", self.lost
        )
        return text % {"day": day, "percent": percent(self.availability), "count": counted(self.lost)}


@dataclass(frozen=True, slots=True)
class Bar:
    x: int
    y: float
    height: float
    day: Day


def percent(share: float) -> str:
    """Never rounded up to what it was not."""
    return f"{int(share * 100_000) / 1000:.3f}%".replace(".000", "")


def days_until(now: datetime, count: int = DAYS) -> list[Day]:
    """The last days, the oldest first; a minute is available when it was looked at and nothing was critical."""
    first = now.astimezone(UTC).date() - timedelta(days=count - 1)
    rows = Sample.objects.filter(span=Span.DAY, at__gte=start_of(first), at__lte=now)
    known = {row.at.astimezone(UTC).date(): row for row in rows}
    return [_day(first + timedelta(days=number), known) for number in range(count)]


def _day(day: date, known: dict[date, Sample]) -> Day:
    row = known.get(day)
    if row is None or not row.expected:
        return Day(day, None)
    good = row.seen - row.critical
    return Day(day, good / row.expected, row.expected, row.expected - good, json.loads(row.numbers))


def availability(days: list[Day], *, last: int) -> float | None:
    """Over the last of these days, by minutes."""
    expected = sum(day.expected for day in days[-last:])
    good = expected - sum(day.lost for day in days[-last:])
    return good / expected if expected else None


def known(days: list[Day], *, last: int) -> int:
    """On how many of the last of these days somebody looked."""
    return sum(day.availability is not None for day in days[-last:])


def bars(days: list[Day]) -> list[Bar]:
    return [_bar(number, day) for number, day in enumerate(days)]


def _bar(number: int, day: Day) -> Bar:
    share = 0.0 if day.availability is None else max(0.0, (day.availability - FLOOR) / (1 - FLOOR))
    height = 4.0 if day.availability is None else max(4.0, share * HEIGHT)
    return Bar(number * STEP, round(HEIGHT - height, 1), round(height, 1), day)


def ticks(days: list[Day]) -> list[date]:
    """Days that are named below the bars, evenly spread: the first, every 30th, and today."""
    return [day.day for day in [*days[:: DAYS // 3], days[-1]]]


def promised_at() -> float:
    """Where the line of what was promised runs."""
    return round(HEIGHT - (PROMISED - FLOOR) / (1 - FLOOR) * HEIGHT, 1)


def speeds(now: datetime) -> list[tuple[str, Measured]]:
    pulls = pulls_between(now - timedelta(days=1), now)
    recent = [pull for pull in pulls if pull.called_at >= now - timedelta(hours=1)]
    return [(gettext("Last hour"), measured(recent)), (gettext("Last 24 hours"), measured(pulls))]
