"""Readers of publications, each with a mark of its own, and rows of others that hold a place among publications.

Both become known by being made, and the apps make them all when they are ready (`monitoring/apps.py`), so whoever
needs all of them (retention, removing a registration, a copy of the database) asks here and forgets none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import Model, QuerySet

from monitoring.models import Publication, ReadMark

_known: dict[str, PublicationReader] = {}
_followers: dict[type[Model], Follower] = {}


@dataclass(frozen=True, slots=True)
class PublicationReader:
    """Reads publications in their order; the only way to the mark of that name."""

    name: str

    def __post_init__(self) -> None:
        _known[self.name] = self

    def mark(self) -> int:
        """The last publication it has read; 0 before the first."""
        return ReadMark.objects.get_or_create(reader=self.name)[0].number

    def move(self, mark: int, number: int) -> bool:
        """Compare-and-swap; False when somebody else has moved the mark: they read on from there."""
        return bool(ReadMark.objects.filter(pk=self.name, number=mark).update(number=number))

    def read(self, take: Callable[[Sequence[Publication]], object], limit: int) -> int:
        """Give the next publications to `take`, then move the mark; returns how many there were.

        Who is killed in between, or overtaken, takes the same again: `take` does no harm twice.
        """
        mark = self.mark()
        publications = list(after(mark)[:limit])
        if publications:
            take(publications)
            self.move(mark, publications[-1].number)
        return len(publications)

    def set_back(self, number: int) -> None:
        ReadMark.objects.filter(pk=self.name, number__gt=number).update(number=number)


@dataclass(frozen=True, slots=True)
class Follower:
    """A model whose rows each hold a place among publications: a webhook, an export, a person's last visit.

    They hold back no retention: who stands at what is no longer kept goes on with the first that is.
    """

    model: type[Model]
    # No row stands behind this number: it is given again.
    set_back: Callable[[int], object] = lambda number: None
    # Publications have gone: every row stands at one that is there.
    mend: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        _followers[self.model] = self


def after(mark: int) -> QuerySet[Publication]:
    return Publication.objects.filter(number__gt=mark).order_by("number")


def all_readers() -> list[PublicationReader]:
    return [_known[name] for name in sorted(_known)]


def read_by_all() -> int:
    """The last publication that every reader has read; who has not begun has read none."""
    names = [reader.name for reader in all_readers()]
    marks = dict(ReadMark.objects.filter(reader__in=names).values_list("reader", "number"))
    return min(marks.get(name, 0) for name in names)


def set_readers_back(number: int) -> None:
    """Nobody has read further than this."""
    for reader in all_readers():
        reader.set_back(number)
    for follower in _followers.values():
        follower.set_back(number)


def mend_places() -> None:
    """After publications have gone: nobody stands at what is no more."""
    for follower in _followers.values():
        follower.mend()


def models_with_places() -> list[type[Model]]:
    """Where it is written how far somebody has read."""
    return [ReadMark, *_followers]
