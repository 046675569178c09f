"""Readers of publications, each with a mark of its own.

A reader becomes known by being made, and the apps make them all when they are ready (`monitoring/apps.py`), so whoever
needs all of them (retention, removing a registration) forgets none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from monitoring.models import Publication, ReadMark

_known: dict[str, PublicationReader] = {}


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
