"""A company's figures from its history: what they were at the end of each day (UTC) on which something happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain

from monitoring.figures.catalog import MEMBERS, PATHS, Figure, Figures
from monitoring.figures.reading import NOTHING, figures_of, figures_told
from monitoring.figures.record import ENTRY, pack
from monitoring.figures.words import Word
from monitoring.history.state import CompanyState, Event, events_of, states_after
from monitoring.history.summary import Projection
from monitoring.models import Kind


@dataclass(frozen=True, slots=True)
class Past:
    """`days` in their order; before `kept_from`, history was removed, and what was stored of it stays."""

    days: Sequence[tuple[date, Figures]] = ()
    kept_from: date | None = None
    # What came out at last; None where nothing has happened.
    projection: Projection | None = None
    # What was known before the first of the days.
    begun: Figures = NOTHING

    @property
    def latest(self) -> Figures:
        return self.days[-1][1] if self.days else self.begun

    def all_figures(self) -> Iterable[Figures]:
        return chain((self.begun,), (figures for _, figures in self.days))


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
    if not ordered:
        return Past()
    projection, kept = (
        Projection(CompanyState(notes_mismatches=False), ()),
        [day_at(one.moment) for one in ordered if one.carried is not None],
    )
    days = _days(projection, ordered, NOTHING)
    kept_from = max(kept, default=None)
    return Past([one for one in days if kept_from is None or one[0] >= kept_from], kept_from, projection)


def past_after(projection: Projection, events: Iterable[Event], before: Iterable[Event] = ()) -> Past:
    """What comes of events behind all that were applied. The projection is used up; a document that may lack what
    happened shortly `before` it needs these changes."""
    begun = figures_of(projection.state)
    ordered = sorted(map(_reduced, events), key=lambda event: event.order)
    return Past(_days(projection, ordered, begun, before), None, projection, begun)


def day_at(moment: datetime) -> date:
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).date()


def _days(
    projection: Projection, ordered: Sequence[Event], known: Figures, before: Iterable[Event] = ()
) -> list[tuple[date, Figures]]:
    """Each day on which something happened, with the figures at its end."""
    found: list[tuple[date, Figures]] = []
    following = [*(day_at(one.moment) for one in ordered[1:]), None]
    again: set[Figure] = set()
    for (event, state), next_day in zip(states_after(ordered, projection.state, before), following, strict=True):
        projection.note(event)
        again.update(figures_told(event.path if event.kind == Kind.ELEMENT else ""))
        if (day := day_at(event.moment)) != next_day:
            known = figures_of(state, known, again)
            again.clear()
            found.append((day, known))
    return found


def _reduced(event: Event) -> Event:
    """A document less all that tells no figure: it is copied as often as it is applied."""
    if event.seed is None or event.seed.keys() <= MEMBERS:
        return event
    return event._replace(seed={name: value for name, value in event.seed.items() if name in MEMBERS})


def months_of(duns: str, past: Past, stored: Months, numbers: Mapping[Word, int]) -> tuple[Months, bytes]:
    """What is to be stored: an entry for each day after which the record is another. And the record before the last of
    the days."""
    found = stored.before(past.kept_from) if past.kept_from else Months()
    return found, _add(found, found.last_record() or pack(duns, NOTHING, {}), duns, past, numbers)


def months_after(
    duns: str, past: Past, stored: Months, numbers: Mapping[Word, int], last_day: date | None, before: bytes
) -> tuple[Months, bytes]:
    """The same of the months in which something has happened after what was known; on the last day that was known, too,
    or `before` it."""
    if not past.days:
        return Months(), before
    found = stored.before(first := past.days[0][0])
    record = before if first == last_day else pack(duns, past.begun, numbers)
    return found, _add(found, record or pack(duns, NOTHING, {}), duns, past, numbers)


def _add(months: Months, record: bytes, duns: str, past: Past, numbers: Mapping[Word, int]) -> bytes:
    before = record
    for day, figures in past.days:
        before, record = record, pack(duns, figures, numbers)
        if record != before:
            months.add(day, record)
    return before
