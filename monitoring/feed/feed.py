"""The feed: published changes and what became of them, in the order of publication, with bounded work a call.

A cursor says "all of publication n was read" or "publication n was read up to this entry". Publications are numbered
without a hole and never gain entries, so whoever follows the cursors misses nothing. What a call looks at is bounded by
the publications' counts; what a filter leaves out is passed by, so the cursor advances all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from django.db.models import Model

from core.lists.pagination import read_token, write_token
from core.visibility import Scope
from monitoring.feed.entries import (
    PUBLISHED,
    Key,
    Published,
    by_reporter,
    completed,
    first_keys,
    keys_of,
    once_each,
)
from monitoring.models import Change, Publication, Verb
from portfolio.models import Company

# How many publications a call lists (at least two: the one the cursor stands at is among them), and how many entries
# it looks through for a filter.
PUBLICATIONS = 500
SCAN = 2000
LARGEST_NUMBER = 2**63 - 1


START_AGAIN = "Read a new snapshot of /api/v1/companies/ and continue from its changes_cursor."
FOREIGN = (
    "This cursor does not belong to this feed. It may come from another installation, or a backup was restored here. "
    + START_AGAIN
)


def removed_words(*, first: int, cursor: int) -> str:
    return (
        f"The changes after this cursor were deleted: the feed now begins with publication {first}, and the cursor is"
        f" at {cursor}. {START_AGAIN}"
    )


class Gone(Exception):
    """What follows the cursor is no longer, or was never, here."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """All of publication `number` was read; or, with `last`, its entries up to that one.

    `check` tells the publication from another one that got the same number after a backup was restored.
    """

    sequence: int = 0
    last: uuid.UUID | None = None
    check: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """The cursor that was given out as `text`; ValueError for anything else."""
        sequence, last, check = read_token(text)
        if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 20) or int(sequence) > LARGEST_NUMBER:
            raise ValueError("no number")
        cursor = cls(int(sequence), uuid.UUID(last) if last else None, check)
        if str(cursor) != text or (cursor.sequence == 0 and cursor != cls()):
            raise ValueError("not as it was given")
        return cursor

    def __str__(self) -> str:
        return write_token([str(self.sequence), self.last.hex if self.last else "", self.check])


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader wants to see; None and the empty path leave nothing out. `once` is for a business unit: of the
    reports of its registrations, the first of each change."""

    kinds: frozenset[str] | None = None
    severity: int = 0
    element: str = ""
    registrations: frozenset[uuid.UUID] | None = None
    companies: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    once: bool = False

    def seen_by(self, scope: Scope) -> Choice:
        """Of this, what is reported to those who see no more than the scope."""
        if scope.sees_all:
            return self
        chosen = scope.registrations if self.registrations is None else self.registrations & scope.registrations
        return replace(self, registrations=chosen, once=True)

    @property
    def is_all(self) -> bool:
        return self == Choice()

    def takes(self, key: Key) -> bool:
        return (
            key.severity >= self.severity
            and (self.kinds is None or key.kind in self.kinds)
            and (self.companies is None or key.company in self.companies)
            and (self.registrations is None or key.registration in self.registrations)
            and touches(key.element, self.element)
        )


def touches(element: str, path: str) -> bool:
    """Whether an element is at or below `path`, or holds it: a change may name a leaf or a container."""
    return not path or element.startswith(path) or (element != "" and path.startswith(element + "."))


@dataclass(slots=True)
class Window:
    """What one call looks at: keys in the order of publication, and where they end."""

    end: Cursor
    has_more: bool
    registrations: frozenset[uuid.UUID] | None
    once: bool = False
    keys: list[Key] = field(default_factory=list)
    published: dict[uuid.UUID, Published] = field(default_factory=dict)

    def after(self, index: int) -> Cursor:
        """The cursor behind the key at `index`."""
        if index + 1 == len(self.keys):
            return self.end
        key = self.keys[index]
        is_last = self.keys[index + 1].delivery != key.delivery
        return cursor_of(self.published[key.delivery], None if is_last else key.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a publication says of a change: that `registration` reports it, or what became of it."""

    change: Change
    sequence: int
    id: uuid.UUID
    verb: Verb
    registration: uuid.UUID
    recorded_at: datetime

    @property
    def replaced_by(self) -> uuid.UUID | None:
        """As of now: a later entry tells where that is another one than it was."""
        return self.change.replaced_by

    @property
    def key(self) -> str:
        """What tells it from any other entry. A row that stood for another change may become one itself."""
        is_own = self.id == self.change.pk or self.verb != Verb.OBSERVED
        return str(self.id) if is_own else f"{self.id} {self.change.pk}"


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    next: Cursor
    has_more: bool


def cursor_of(published: Published, last: uuid.UUID | None = None) -> Cursor:
    return Cursor(published.sequence, last, published.delivery.hex[-8:])


def latest() -> Cursor:
    """The feed's end as of now."""
    last = Publication.objects.order_by("-sequence").values_list(*PUBLISHED).first()
    return cursor_of(Published(*last)) if last else Cursor()


def cursor_at(moment: datetime) -> Cursor:
    """The cursor before what was published at this time or later; before the first there is, where that is earlier."""
    rows = Publication.objects.values_list(*PUBLISHED)
    following = rows.filter(published_at__gte=moment).order_by("sequence").first()
    if following is None:
        return latest()
    first = Published(*following).sequence
    before = rows.filter(sequence__lt=first).order_by("-sequence").first()
    return cursor_of(Published(*before)) if before else Cursor(first - 1)


def nearest(cursor: Cursor) -> Cursor:
    """The cursor where its publication is still there; else the end of what is left before it, so that nothing after
    it is passed by."""
    rows = Publication.objects.values_list(*PUBLISHED)
    before = rows.filter(sequence__lte=cursor.sequence).order_by("-sequence").first()
    if before:
        found = Published(*before)
        return cursor if found.sequence == cursor.sequence else cursor_of(found)
    first = rows.order_by("sequence").first()
    return Cursor(Published(*first).sequence - 1) if first else Cursor()


def mend_cursors(model: type[Model]) -> None:
    """Of rows that read the feed with a cursor of their own, which may stand at what is gone."""
    for key, cursor in model._default_manager.exclude(cursor="").values_list("pk", "cursor"):
        place = str(nearest(Cursor.read(cursor)))
        model._default_manager.filter(pk=key, cursor=cursor).exclude(cursor=place).update(cursor=place)


def read(after: Cursor | None, limit: int, choice: Choice) -> Page:
    """At most `limit` entries after the cursor (None: from the first there is); raises Gone."""
    window = Window(after or Cursor(), False, choice.registrations, choice.once)
    _read_window(window, limit if choice.is_all else SCAN, from_start=after is None)
    taken = [index for index, key in enumerate(window.keys) if choice.takes(key)]
    if choice.countries is not None:
        taken = _in_countries(window.keys, taken, choice.countries)
    end, has_more = window.end, window.has_more
    if len(taken) > limit:
        taken = taken[:limit]
        end, has_more = window.after(taken[-1]), True
    return Page(_entries(window, taken), end, has_more)


def _read_window(window: Window, budget: int, *, from_start: bool) -> None:
    cursor = window.end
    rows = Publication.objects.filter(sequence__gte=cursor.sequence).order_by("sequence")
    listed = [Published(*row) for row in rows.values_list(*PUBLISHED)[: PUBLICATIONS + 1]]
    beyond = listed[PUBLICATIONS:]
    listed = listed[:PUBLICATIONS]
    if not from_start:
        _refuse_gap(cursor, listed[0] if listed else None)
    is_known = bool(listed) and listed[0].sequence == cursor.sequence
    unread = listed[1:] if is_known and cursor.last is None else listed
    window.published = {published.delivery: published for published in unread}
    _fill(window, unread, budget)
    window.has_more = window.has_more or bool(beyond)
    _complete(window)


def _complete(window: Window) -> None:
    window.keys = completed(window.keys)
    if window.registrations is not None:
        numbers = {delivery: published.sequence for delivery, published in window.published.items()}
        window.keys = by_reporter(window.keys, window.registrations, numbers)
        window.keys = once_each(window.keys, window.registrations, numbers) if window.once else window.keys


def _refuse_gap(cursor: Cursor, first: Published | None) -> None:
    """`first` is the earliest publication that is not before the cursor's."""
    if first is None and cursor.sequence == 0:
        return
    if first is None:
        raise Gone(FOREIGN)
    if first.sequence == cursor.sequence:
        if cursor_of(first).check != cursor.check:
            raise Gone(FOREIGN)
    elif cursor.last is not None or first.sequence != cursor.sequence + 1:
        raise Gone(removed_words(first=first.sequence, cursor=cursor.sequence))


def _fill(window: Window, unread: Sequence[Published], budget: int) -> None:
    """The rest of what was begun, what fits as a whole, the beginning of what does not: each one query of a table."""
    waiting = list(unread)
    if window.end.last is not None and not _read_keys(window, waiting.pop(0), window.end.last, budget):
        return
    whole = _fitting(waiting, budget - len(window.keys))
    _take_whole(window, whole)
    rest = waiting[len(whole) :]
    room = budget - len(window.keys)
    if rest and room > 0:
        _read_keys(window, rest.pop(0), None, room)
    window.has_more = window.has_more or bool(rest)


def _read_keys(window: Window, published: Published, last: uuid.UUID | None, room: int) -> bool:
    """Read up to `room` keys of one publication, after `last`; whether that was all of it."""
    keys = first_keys(published, window.registrations, last, room + 1)
    window.keys += keys[:room]
    is_all = len(keys) <= room
    window.end = cursor_of(published, None if is_all else keys[room - 1].id)
    window.has_more = not is_all
    return is_all


def _fitting(waiting: Iterable[Published], room: int) -> list[Published]:
    fitting: list[Published] = []
    for published in waiting:
        room -= published.size
        if room < 0:
            break
        fitting.append(published)
    return fitting


def _take_whole(window: Window, whole: Sequence[Published]) -> None:
    if filled := [published for published in whole if published.size]:
        window.keys += keys_of(filled, window.registrations)
    if whole:
        window.end = cursor_of(whole[-1])


def _in_countries(keys: Sequence[Key], taken: Sequence[int], countries: frozenset[str]) -> list[int]:
    duns = {keys[index].company for index in taken}
    there = Company.objects.filter(pk__in=duns, country__in=countries).values_list("pk", flat=True)
    known = set(there) if duns else set()
    return [index for index in taken if keys[index].company in known]


def _entries(window: Window, taken: Sequence[int]) -> list[Entry]:
    keys = [window.keys[index] for index in taken]
    changes = Change.objects.in_bulk(list({key.change for key in keys})) if keys else {}
    return [
        Entry(
            change=changes[key.change],
            sequence=window.published[key.delivery].sequence,
            id=key.id,
            verb=Verb(key.verb),
            registration=key.registration,
            recorded_at=key.recorded_at,
        )
        for key in keys
        if key.change in changes
    ]
