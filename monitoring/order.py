"""The order of a company's story where times alone do not give it: turns, places, and the key that sorts.

Whole documents of one company often share one stamp, because D&B may stamp an answer as a whole. Then what counts is
which call brought them and where in its answer they stood. Every call that may carry notifications takes the
registration's next turn, which is a counter and no clock: two machines' clocks differ. A replay stands for the call
whose loss it makes good. A notification's place is the least over all stored answers that show it, so it is the same
in whatever order the answers are read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet

from monitoring.identity import milliseconds
from monitoring.models import Delivery, Notification, Source
from portfolio.models import Registration

WAYS = {Source.PULL: 0, Source.REPLAY: 1, Source.FILE: 2, Source.RETRY: 0}
LARGEST_POSITION, LARGEST_INDEX = 0xFFFFF, 0xFFF
LATEST_FIRST = ("-changed_at", "-place", "-id")
OLDEST_FIRST = ("changed_at", "place", "id")


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
    way = WAYS[Source(delivery.source)]
    return f"{way}{delivery.stands_for:08x}{delivery.turn:08x}{min(position, LARGEST_POSITION):05x}"


def story_place(delivered_at: datetime | None, place: str, index: int = 0) -> str:
    """What sorts a company's changes of one moment: when delivered, then the turn stood for before the way, so that
    what a replay made good stands where the call stood that lost it; at last the element's index."""
    return f"{milliseconds(delivered_at):012x}{place[1:9]}{place[:1]}{place[9:]}{min(index, LARGEST_INDEX):03x}"


def notification_key(row: Notification) -> tuple[Any, ...]:
    """Sorts a company's whole documents, and any notifications, as they came."""
    moment = row.delivered_at or row.recorded_at
    return moment, story_place(moment, row.place), row.position, row.pk.int


def order_text(row: InStory) -> str:
    """The same as one text, for other programs."""
    return f"{milliseconds(row.changed_at):012x}{row.place}"


def story_key(row: InStory) -> tuple[datetime, str, int]:
    """Sorts a company's changes from the first to the last, as `OLDEST_FIRST` does in the database."""
    return row.changed_at, row.place, row.pk.int
