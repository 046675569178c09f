"""A company's figures from its history: what they were at the end of each day (UTC) on which something happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date

from monitoring.figures.catalog import MEMBERS, PATHS, Figures, figures_of
from monitoring.figures.record import ENTRY, pack
from monitoring.figures.words import Word
from monitoring.history.state import Event, events_of, states_after


@dataclass(frozen=True, slots=True)
class Past:
    """`days` in their order; before `kept_from`, history was removed, and what was stored of it stays."""

    days: Sequence[tuple[date, Figures]] = ()
    kept_from: date | None = None

    @property
    def latest(self) -> Figures:
        return self.days[-1][1] if self.days else Figures()


@dataclass(slots=True)
class Months:
    """What is stored, or is to be, by the first day of the month: entries, one behind the other."""

    entries: dict[date, bytes] = field(default_factory=dict)

    def last_record(self) -> bytes:
        last = max((month for month, entries in self.entries.items() if entries), default=None)
        return ENTRY.unpack(self.entries[last][-ENTRY.size :])[1] if last else b""

    def add(self, day: date, record: bytes) -> None:
        month = day.replace(day=1)
        self.entries[month] = self.entries.get(month, b"") + ENTRY.pack(day.day, record)

    def before(self, day: date) -> Months:
        month = day.replace(day=1)
        found = {key: entries for key, entries in self.entries.items() if key < month}
        stored = [entry for entry in ENTRY.iter_unpack(self.entries.get(month, b"")) if entry[0] < day.day]
        return Months(found | ({month: b"".join(ENTRY.pack(*entry) for entry in stored)} if stored else {}))


def pasts(duns: Sequence[str]) -> dict[str, Past]:
    events = events_of(duns, paths=PATHS)
    return {number: past_of(events.get(number, [])) for number in duns}


def past_of(events: Iterable[Event]) -> Past:
    ordered = sorted(map(_reduced, events), key=lambda event: event.order)
    days = [event.moment.astimezone(UTC).date() for event in ordered]
    following: list[date | None] = [*days[1:], None]
    kept_from = max((day for event, day in zip(ordered, days, strict=True) if event.carried is not None), default=None)
    found = [
        (day, figures_of(state))
        for (_, state), day, next_day in zip(states_after(ordered), days, following, strict=False)
        if day != next_day and (kept_from is None or day >= kept_from)
    ]
    return Past(found, kept_from)


def _reduced(event: Event) -> Event:
    """A document less all that tells no figure: it is copied as often as it is applied."""
    if event.seed is None:
        return event
    return replace(event, seed={name: value for name, value in event.seed.items() if name in MEMBERS})


def months_of(duns: str, past: Past, stored: Months, numbers: Mapping[Word, int]) -> Months:
    """What is to be stored: an entry for each day after which the record is another."""
    found = stored.before(past.kept_from) if past.kept_from else Months()
    record = found.last_record() or pack(duns, Figures(), {})
    for day, figures in past.days:
        before, record = record, pack(duns, figures, numbers)
        if record != before:
            found.add(day, record)
    return found
