"""The days that a dossier is about, in the reader's zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from core.dates import read_day

USUAL_DAYS = 365


def start_of_day(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())


@dataclass(frozen=True, slots=True)
class Span:
    """Both days belong to it."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return start_of_day(self.first)

    @property
    def end(self) -> datetime:
        """Where the day after the last one begins."""
        return start_of_day(self.last + timedelta(days=1))

    def contains(self, *moments: datetime | None) -> bool:
        """One of them at least."""
        return any(moment and self.since <= moment < self.end for moment in moments)

    def contains_day(self, *days: date | None) -> bool:
        return any(day and self.first <= day <= self.last for day in days)


def usual_span() -> Span:
    """The last 12 months, up to today."""
    today = timezone.localdate()
    return Span(today - timedelta(days=USUAL_DAYS), today)


def quick_spans() -> list[tuple[str, Span]]:
    """Up to today, which is one of the days, with their names."""
    today = timezone.localdate()
    short = (30, gettext("Last 30 days")), (90, gettext("Last 90 days"))
    found = [(label, Span(today - timedelta(days=count - 1), today)) for count, label in short]
    return [*found, (gettext("Last 12 months"), usual_span())]


def read_span(query: Mapping[str, str]) -> tuple[Span, str]:
    """By an address, with what is wrong with it; then the days are the usual ones."""
    usual = usual_span()
    first, last = (read_day(query[name]) if query.get(name) else None for name in ("since", "until"))
    if any(query.get(name) and not day for name, day in (("since", first), ("until", last))):
        return usual, gettext("Enter dates such as 2026-03-31. The last 12 months are shown instead.")
    last = min(last or usual.last, usual.last)
    span = Span(first or last - timedelta(days=USUAL_DAYS), last)
    if span.first > span.last:
        return usual, gettext(
            "The first day is after the last day. Choose an earlier first day. The last 12 months are shown instead."
        )
    return span, ""
