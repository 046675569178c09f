"""The ways to divide a portfolio. Each has the name of the company's column, as in the addresses of lists."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import country_name
from monitoring.figures.record import SIZES
from monitoring.portfolio_page.measures.counts import Count, Tally, occurring, tally_at, tally_of
from monitoring.portfolio_page.measures.world import Keys, Mask, World
from monitoring.scores.bands import CLASSES, Band, band_of_rating
from portfolio.models import Size
from portfolio.reference_data.words import industry_words

if TYPE_CHECKING:
    from monitoring.figures.snapshot import Snapshot

UNKNOWN = "unknown"
CLASS_NUMBERS = (1, 2, 3, 4, 5)
NO_CLASS = 255
NO_WORD = 0
NO_NUMBER = 2**32 - 1
DUNS = re.compile("[0-9]{9}")


@dataclass(frozen=True, slots=True)
class Dimension:
    """Companies by a column of their records. `unknown` is the column's number where D&B reported nothing."""

    name: str
    title: str | Promise
    column: str
    unknown: int

    def value(self, snapshot: Snapshot, number: int) -> str:
        """What stands in addresses for a number of the column."""
        raise NotImplementedError

    def words(self, value: str) -> str:
        return gettext("Unknown") if value == UNKNOWN else self.known_words(value)

    def label(self, snapshot: Snapshot, number: int) -> str:
        return self.words(self.value(snapshot, number))

    def known_words(self, value: str) -> str:
        return value

    def tone(self, value: str) -> str:
        """How risky the value is, where it is about risk."""
        return "calm"

    def keys(self, world: World) -> Keys:
        """Numbers, each with a value of its own."""
        return np.asarray(world[self.column])

    def counts(self, world: World) -> dict[str, Count]:
        numbers = self.tally(world).counts()
        return {self.value(world.snapshot, number): count for number, count in numbers.items()}

    def tally(self, world: World) -> Tally:
        """By number."""
        return tally_of(self.keys(world), world.cents)

    def mask(self, world: World, values: Collection[str]) -> Mask:
        keys = self.keys(world)
        numbers = [number for number in occurring(keys) if self.value(world.snapshot, number) in values]
        return np.isin(keys, numbers)


class Classes(Dimension):
    """D&B's classes: 1 is the lowest risk, 5 the highest."""

    def value(self, snapshot: Snapshot, number: int) -> str:
        return UNKNOWN if number == self.unknown else str(number)

    def known_words(self, value: str) -> str:
        band = _band_of(value)
        if band is None:
            return value
        return gettext("Class %(number)s, %(risk)s") % {"number": value, "risk": str(band.words).lower()}

    def tone(self, value: str) -> str:
        band = _band_of(value)
        return band.tone if band else "calm"


def _band_of(value: str) -> Band | None:
    return CLASSES.band_of(int(value)) if value in map(str, CLASS_NUMBERS) else None


class Words(Dimension):
    """Texts, which the figures keep under the column's name."""

    def value(self, snapshot: Snapshot, number: int) -> str:
        return snapshot.word(self.column, number) or UNKNOWN


class Ratings(Words):
    def tone(self, value: str) -> str:
        band = None if value == UNKNOWN else band_of_rating(value)
        return band.tone if band else "calm"


class Countries(Words):
    def known_words(self, value: str) -> str:
        return country_name(value)


class Industries(Words):
    """By code: several classifications may use the same."""

    def label(self, snapshot: Snapshot, number: int) -> str:
        code, industry = self.value(snapshot, number), snapshot.industry(number)
        return f"{code} {industry_words(industry.scheme, code, industry.description)}".strip()

    def keys(self, world: World) -> Keys:
        found: Keys = world.kept(self.name, lambda: self._by_code(world))
        return found

    def _by_code(self, world: World) -> Keys:
        column = super().keys(world)
        first: dict[str, int] = {}
        numbers = np.arange(int(column.max(initial=0)) + 1)
        for number in occurring(column):
            numbers[number] = first.setdefault(self.value(world.snapshot, number), number)
        return np.asarray(numbers[column])


class Sizes(Dimension):
    def value(self, snapshot: Snapshot, number: int) -> str:
        return UNKNOWN if number == self.unknown else SIZES[number].value

    def known_words(self, value: str) -> str:
        return str(Size(value).label) if value in Size.values else value


class Groups(Dimension):
    """The company at the top of a corporate group."""

    def value(self, snapshot: Snapshot, number: int) -> str:
        return UNKNOWN if number == self.unknown else f"{number:09d}"

    def tally(self, world: World) -> Tally:
        """There may be as many groups as companies: sorted once for a day."""
        keys = self.keys(world)
        present, places = world.kept("groups", lambda: np.unique(keys, return_inverse=True))
        return tally_at(present, places, world.cents)

    def mask(self, world: World, values: Collection[str]) -> Mask:
        """By number: a portfolio has too many groups to name each."""
        known = [int(value) for value in values if DUNS.fullmatch(value)]
        return np.isin(self.keys(world), [*known, self.unknown] if UNKNOWN in values else known)


FAILURE = Classes("failure_class", _("Failure score class"), "failure_class", NO_CLASS)
DELINQUENCY = Classes("delinquency_class", _("Delinquency score class"), "delinquency_class", NO_CLASS)
RATING = Ratings("rating", _("D&B rating"), "rating", NO_WORD)
SIZE = Sizes("size", _("Size"), "size", NO_CLASS)
STATUS = Words("operating_status", _("Operating status"), "status", NO_WORD)
COUNTRY = Countries("country", _("Country"), "country", NO_WORD)
INDUSTRY = Industries("industry_code", _("Industry"), "industry", NO_WORD)
GROUP = Groups("global_ultimate", _("Corporate group"), "global_ultimate", NO_NUMBER)
DIMENSIONS = {one.name: one for one in (FAILURE, DELINQUENCY, RATING, SIZE, STATUS, COUNTRY, INDUSTRY, GROUP)}
