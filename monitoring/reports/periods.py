"""The weeks and months that reports are about: whole UTC days, named like 2026-W47 and 2026-11."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from django.utils.formats import date_format
from django.utils.translation import gettext

from core.dates import is_usual
from monitoring.models import PeriodKind

WEEK = re.compile(r"(\d{4})-W(\d{2})")
MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the day before `end`."""

    kind: PeriodKind
    start: date
    end: date

    @property
    def name(self) -> str:
        if self.kind == PeriodKind.MONTH:
            return f"{self.start:%Y-%m}"
        year, week, _ = self.start.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    @property
    def title(self) -> str:
        if self.kind == PeriodKind.MONTH:
            return str(date_format(self.start, "F Y"))
        year, week, _ = self.start.isocalendar()
        return gettext("Week %(week)s of %(year)s, %(days)s") % {"week": week, "year": year, "days": self.days_text}

    @property
    def days_text(self) -> str:
        """ "16 to 22 November 2026"."""
        first = "j" if self.start.month == self.last_day.month else "j F"
        return gettext("%(first)s to %(last)s") % {
            "first": date_format(self.start, first),
            "last": date_format(self.last_day, "j F Y"),
        }

    @property
    def noun(self) -> str:
        return "week" if self.kind == PeriodKind.WEEK else "month"

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=number) for number in range((self.end - self.start).days)]

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its beginning, and the beginning of what comes after it."""
        return datetime.combine(self.start, time(), UTC), datetime.combine(self.end, time(), UTC)

    def before(self) -> Period:
        return period_of(self.kind, self.start - timedelta(days=1))

    def after(self) -> Period:
        return period_of(self.kind, self.end)


def period_of(kind: str, day: date) -> Period:
    """The week or month that a day lies in."""
    if kind == PeriodKind.MONTH:
        start = day.replace(day=1)
        return Period(PeriodKind.MONTH, start, (start + timedelta(days=32)).replace(day=1))
    start = day - timedelta(days=day.weekday())
    return Period(PeriodKind.WEEK, start, start + timedelta(days=7))


def last_complete(kind: str, now: datetime) -> Period:
    return period_of(kind, now.astimezone(UTC).date()).before()


def read_period(text: str) -> Period | None:
    """None for a text that does not name a period."""
    try:
        if found := WEEK.fullmatch(text):
            kind, day = PeriodKind.WEEK, date.fromisocalendar(int(found[1]), int(found[2]), 1)
        elif found := MONTH.fullmatch(text):
            kind, day = PeriodKind.MONTH, date(int(found[1]), int(found[2]), 1)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return period_of(kind, day) if is_usual(day) else None


def lately(kind: str, now: datetime, count: int) -> list[Period]:
    """The present one and those before it, newest first."""
    return list(islice(_backwards(period_of(kind, now.astimezone(UTC).date())), count))


def _backwards(period: Period) -> Iterator[Period]:
    while True:
        yield period
        period = period.before()
