"""Consumers of publications, each with an offset of its own, and rows of others that hold a place among publications.

Both become known by being made, and the apps make them all when they are ready (`monitoring/apps.py`), so whoever
needs all of them (retention, removing a registration, a copy of the database) asks here and forgets none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from django.db.models import Model, QuerySet
from django.utils import timezone

from monitoring.models import ConsumerOffset, Publication

_known: dict[str, PublicationConsumer] = {}
_followers: dict[type[Model], Follower] = {}


@dataclass(frozen=True, slots=True)
class PublicationConsumer:
    """Reads publications in their order; the only way to the offset of that name."""

    name: str

    def __post_init__(self) -> None:
        _known[self.name] = self

    def position(self) -> int:
        """The last publication it has read; 0 before the first."""
        return ConsumerOffset.objects.get_or_create(consumer=self.name)[0].position

    def is_behind(self, newest: int) -> bool:
        """Whether there are publications up to this number that it has not read."""
        return self.position() < newest

    def move(self, position: int, sequence: int) -> bool:
        """Compare-and-swap; False when somebody else has moved the offset: they read on from there."""
        return bool(ConsumerOffset.objects.filter(pk=self.name, position=position).update(position=sequence))

    def read(self, take: Callable[[Sequence[Publication]], object], limit: int) -> int:
        """Give the next publications to `take`, then move the offset; returns how many there were.

        Who is killed in between, or overtaken, takes the same again: `take` does no harm twice.
        """
        position = self.position()
        publications = list(after(position)[:limit])
        if publications:
            take(publications)
            self.move(position, publications[-1].sequence)
        return len(publications)

    def read_on(self, take: Callable[[Sequence[Publication]], object], limit: int, until: datetime) -> int:
        """The same until there are no more, or time is over; returns how many there were."""
        done = 0
        while timezone.now() < until and (count := self.read(take, limit)):
            done += count
        return done

    @contextmanager
    def reading(self, limit: int, until: datetime | None = None) -> Iterator[Iterator[list[Publication]]]:
        """The next publications, `limit` at a time, until there are no more or time is over. Moves the offset behind
        them once the block is done: for what is better made once of many publications than again of each few."""
        begun = last = self.position()

        def groups() -> Iterator[list[Publication]]:
            nonlocal last
            while publications := list(after(last)[:limit]):
                last = publications[-1].sequence
                yield publications
                if until and timezone.now() >= until:
                    return

        yield groups()
        if last > begun:
            self.move(begun, last)

    def rewind(self, sequence: int) -> None:
        ConsumerOffset.objects.filter(pk=self.name, position__gt=sequence).update(position=sequence)


@dataclass(frozen=True, slots=True)
class Follower:
    """A model whose rows each hold a place among publications: a webhook, an export, a person's last visit.

    They hold back no retention: who stands at what is no longer kept goes on with the first that is.
    """

    model: type[Model]
    # No row stands behind this number: it is given again.
    rewind: Callable[[int], object] = lambda sequence: None
    # Publications have gone: every row stands at one that is there.
    mend: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        _followers[self.model] = self


def after(position: int) -> QuerySet[Publication]:
    return Publication.objects.filter(sequence__gt=position).order_by("sequence")


def batch_after(position: int, limit: int, entries: int) -> list[Publication]:
    """The next publications: at most so many, and with at most so many entries where the first alone has no more."""
    found = list(after(position)[:limit])
    sizes = accumulate(row.entry_count for row in found)
    return [row for row, size in zip(found, sizes, strict=True) if row is found[0] or size <= entries]


def all_consumers() -> list[PublicationConsumer]:
    return [_known[name] for name in sorted(_known)]


def consumed_by_all() -> int:
    """The last publication that every consumer has read; who has not begun has read none."""
    names = [consumer.name for consumer in all_consumers()]
    positions = dict(ConsumerOffset.objects.filter(consumer__in=names).values_list("consumer", "position"))
    return min(positions.get(name, 0) for name in names)


def rewind_consumers(sequence: int) -> None:
    """Nobody has read further than this."""
    for consumer in all_consumers():
        consumer.rewind(sequence)
    for follower in _followers.values():
        follower.rewind(sequence)


def mend_places() -> None:
    """After publications have gone: nobody stands at what is no more."""
    for follower in _followers.values():
        follower.mend()


def models_with_places() -> list[type[Model]]:
    """Where it is written how far somebody has read."""
    return [ConsumerOffset, *_followers]
