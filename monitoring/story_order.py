"""The order of a company's story where times alone do not give it: turns, places, and the key that sorts.

Whole documents of one company often share one stamp, because D&B may stamp an answer as a whole. Then what counts is
which call brought them and where in its answer they stood. Every call that may carry notifications takes the
registration's next turn, which is a counter and no clock: two machines' clocks differ. A replay stands for the call
whose loss it makes good. A notification's place is the least over all stored answers that show it, so it is the same
in whatever order the answers are read.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from django.db.models import Model, QuerySet

from core.visibility import parts_of
from monitoring.content_ids import milliseconds
from monitoring.models import Delivery, Kind, Notification, Source
from monitoring.models.deliveries import PLACE
from portfolio.models import Registration

WAYS: dict[str, int] = {Source.PULL: 0, Source.REPLAY: 1, Source.FILE: 2, Source.FETCH: 3, Source.RETRY: 0}
# The places of all items of files, and of all fetched documents.
OF_FILES = (f"{WAYS[Source.FILE]}".ljust(PLACE, "0"), f"{WAYS[Source.FILE]}".ljust(PLACE, "f"))
OF_FETCHES = (f"{WAYS[Source.FETCH]}".ljust(PLACE, "0"), f"{WAYS[Source.FETCH]}".ljust(PLACE, "f"))
# Where a place in the story names its source; it begins with a byte.
SOURCE = slice(16, 25)
LARGEST_POSITION, LARGEST_INDEX = 0xFFFFF, 0xFFF
# Before the place: a whole document comes before the changes of its moment, which begin with step 1.
DOCUMENT, FIRST_STEP = 0, 1
LATEST_FIRST = ("-changed_at", "-place", "-id")
OLDEST_FIRST = ("changed_at", "place", "id")
LATEST_NOTIFICATIONS_FIRST = ("-place", "-id")
# Of a moment that holds more, as a file of whole documents does, rows are not sorted.
MOST_OF_A_MOMENT = 10_000

Row = TypeVar("Row", bound=Model)


class InStory(Protocol):
    """A row that stands in a company's story."""

    pk: Any
    changed_at: datetime
    place: str


def take_turn(rows: QuerySet[Registration], **fields: Any) -> int | None:
    """The next turn of the one registration among `rows`, with `fields` set in the same step; None where there is
    none."""
    while (turn := rows.values_list("turn", flat=True).first()) is not None:
        if rows.filter(turn=turn).update(turn=turn + 1, **fields):
            return turn + 1
    return None


def next_turn(registration: Registration) -> int:
    """For what is no call under the lease: a file, a doubt."""
    turn = take_turn(Registration.objects.filter(pk=registration.pk))
    assert turn is not None, "the registration is there"
    return turn


def place_of(delivery: Delivery, position: int) -> str:
    """Where an item stands: way, the turn stood for, turn, position, as text that sorts. The least represents it."""
    if delivery.place:
        return delivery.place
    return f"{WAYS[delivery.source]}{delivery.stands_for:08x}{delivery.turn:08x}{min(position, LARGEST_POSITION):05x}"


def story_place(
    registration: uuid.UUID, delivered_at: datetime | None, place: str, index: int = 0, step: int = FIRST_STEP
) -> str:
    """What sorts a company's changes of one moment: documents first, when delivered, the source, then the turn stood
    for before the way, so that what a replay made good stands where the call stood that lost it; at last the element's
    index. The source comes first because positions in two registrations' answers say nothing about each other."""
    stamp, source = f"{milliseconds(delivered_at):012x}", source_of(registration, place)
    return f"{step:04x}{stamp}{source}{place[1:9]}{place[:1]}{place[9:]}{min(index, LARGEST_INDEX):03x}"


def first_step(kind: str) -> int:
    return DOCUMENT if kind == Kind.BASELINE else FIRST_STEP


def source_of(registration: uuid.UUID, place: str) -> str:
    """Who reports: a registration by its answers, or by its files, or what was fetched for it. The ids of registrations
    are hashes."""
    return _source(registration, place[:1])


@lru_cache(maxsize=1024)
def _source(registration: uuid.UUID, way: str) -> str:
    return f"{registration.hex[:8]}{reporter_at(way)}"


def reporter_at(place: str) -> int:
    """0 for answers, whether pulled or replayed, 1 for files, 2 for fetched documents."""
    return max(int(place[:1] or "0") - WAYS[Source.REPLAY], 0)


def is_fetched(place: str) -> bool:
    return place[:1] == str(WAYS[Source.FETCH])


def source_at(story_place: str) -> str:
    """The source that a place in the story names."""
    return story_place[SOURCE]


def item_place(story_place: str) -> str:
    """The place of the item in it, as `place_of` gives it."""
    return f"{story_place[33:34]}{story_place[25:33]}{story_place[34:-3]}"


def way_at(story_place: str) -> str:
    """By what way the source reported: one of WAYS, as text."""
    return story_place[33:34]


def step_of(story_place: str) -> int:
    """Changes of one moment that touch each other stand in steps, whatever their places (history/steps.py)."""
    return int(story_place[:4] or "0", 16)


def with_step(story_place: str, step: int) -> str:
    return f"{min(step, LARGEST_INDEX):04x}{story_place[4:]}"


def index_at(story_place: str) -> int:
    """The index of the element within its item."""
    return int(story_place[-3:] or "0", 16)


def notification_key(row: Notification) -> tuple[Any, ...]:
    """Sorts a company's whole documents, and any notifications, as they came."""
    moment = row.delivered_at or row.recorded_at
    return moment, story_place(row.registration_id, moment, row.place), row.position, row.pk.int


def order_text(row: InStory) -> str:
    """The same as one text, for other programs."""
    return f"{milliseconds(row.changed_at):012x}{row.place}"


def story_key(row: InStory) -> tuple[datetime, str, int]:
    """Sorts a company's changes from the first to the last, as `OLDEST_FIRST` does in the database."""
    return row.changed_at, row.place, row.pk.int


def newest(rows: QuerySet[Row], start: int, stop: int, within: Sequence[str] = LATEST_FIRST) -> list[Row]:
    """The rows from `start` to `stop`, the newest being the first.

    Keys begin with the time, so an index gives them; within one moment they follow no order of the story. Rows that
    share a moment with what lies beyond an end are therefore chosen by the order `within` a moment.
    """
    first = max(start - 1, 0)
    found = _by_key(rows, first, stop + 1)
    above, chosen = found[: start - first], found[start - first :][: stop - start]
    below = found[start - first + len(chosen) :]
    if not chosen:
        return []
    result: list[Row] = []
    for moment in sorted({_moment(row) for row in chosen}, reverse=True):
        same = [row for row in chosen if _moment(row) == moment]
        is_cut = any(_moment(row) == moment for row in (*above, *below))
        result += _chosen_again(rows, moment, start, same, within) if is_cut else same
    return result


def _by_key(rows: QuerySet[Row], start: int, stop: int) -> list[Row]:
    """In the order of keys, the newest first; merged where they are read in parts."""
    parts = parts_of(rows)
    if len(parts) == 1:
        return list(rows.order_by("-id")[start:stop])
    keys = (key for part in parts for key in part.order_by("-id").values_list("pk", flat=True)[:stop])
    return list(rows.filter(pk__in=sorted(keys, reverse=True)[start:stop]).order_by("-id"))


def _moment(row: Model) -> int:
    """The milliseconds that a key begins with."""
    return int(row.pk.int >> 80)


def _first_key(moment: int) -> uuid.UUID:
    return uuid.UUID(int=moment << 80)


def _chosen_again(rows: QuerySet[Row], moment: int, start: int, same: list[Row], within: Sequence[str]) -> list[Row]:
    """As many of one moment's rows as the index gave, but those that its own order has there."""
    whole = rows.filter(pk__gte=_first_key(moment), pk__lt=_first_key(moment + 1))
    if whole.order_by()[: MOST_OF_A_MOMENT + 1].count() > MOST_OF_A_MOMENT:
        return same
    later = rows.filter(pk__gte=_first_key(moment + 1)).order_by().count() if start else 0
    skipped = max(start - later, 0)
    return list(whole.order_by(*within)[skipped : skipped + len(same)])
