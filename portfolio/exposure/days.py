"""Days as files have them; what could be two days is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from django.utils.translation import gettext

FIRST = date(1990, 1, 1)
YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})([T ].*)?")
DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


class BadDay(ValueError):
    """The day cannot be read; the text says what to do."""


def today() -> date:
    """Days end in UTC."""
    return datetime.now(UTC).date()


def read_day(text: str) -> date:
    day = _day(text.strip())
    if day > today():
        raise BadDay(gettext("The day is in the future. Enter today or an earlier day."))
    if day < FIRST:
        raise BadDay(gettext("The day is before 1990. Enter a day from 1 January 1990 on."))
    return day


def _day(text: str) -> date:
    try:
        if found := YEAR_FIRST.fullmatch(text):
            return date(*map(int, found.groups()[:3]))
        if found := DAY_FIRST.fullmatch(text):
            return date(*map(int, reversed(found.groups())))
        if found := SLASHED.fullmatch(text):
            return _of_slashes(*map(int, found.groups()))
    except ValueError:
        pass
    raise BadDay(gettext("“%(text)s” is not a clear day. Write it as 2026-03-31.") % {"text": text[:30]})


def _of_slashes(first: int, second: int, year: int) -> date:
    """3/31/2026 and 31/3/2026 are clear, 3/4/2026 is not."""
    if first != second and max(first, second) <= 12:
        raise ValueError
    return date(year, *sorted((first, second)))
