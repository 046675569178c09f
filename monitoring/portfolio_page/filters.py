"""What a reader chose to see of the portfolio: as it stands in the address, and as a mask over a day's companies."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.http import QueryDict
from numpy.typing import NDArray

from core.api.parameters import MOST_VALUES
from core.models import SavedFilter
from core.text import is_clean
from monitoring.portfolio_page.measures.dimensions import (
    COUNTRY,
    DELINQUENCY,
    DIMENSIONS,
    FAILURE,
    RATING,
    STATUS,
    UNKNOWN,
)
from monitoring.portfolio_page.measures.expected_loss import is_rated
from monitoring.portfolio_page.measures.world import Mask, World
from portfolio.models.figures import Flag

# What the page is filtered by; a list may be filtered by more.
OF_PAGE = ("registration", "country", "industry_code", "tag", "owner", "saved")
# Of these each value is a scan of what there is today.
OF_TODAY = ("tag", "owner", "saved")
KEYS = ("registration", "saved")
KNOWN = "known"
NO_FLAGS = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Filters:
    """Values by name, as in the address. `numbers` are the D-U-N-S numbers that today's tags, owners and saved filters
    stand for. `among` are the registrations that the reader sees, None for all. `offered` are the saved filters that
    the page offers, where they were looked up."""

    values: Mapping[str, tuple[str, ...]]
    numbers: tuple[NDArray[np.uint32], ...] = field(default=(), compare=False)
    among: frozenset[uuid.UUID] | None = None
    offered: Sequence[SavedFilter] | None = field(default=None, compare=False)

    @classmethod
    def read(cls, query: QueryDict, names: Iterable[str]) -> Filters:
        """Wrong keys are ignored, as in all lists."""
        found = {name: tuple(dict.fromkeys(filter(_is_usable, query.getlist(name)))) for name in names}
        for name in KEYS:
            found[name] = tuple(str(key) for key in map(key_of, found.get(name, ())) if key)
        most = {**dict.fromkeys(found, MOST_VALUES), **dict.fromkeys(OF_TODAY, 1)}
        return cls({name: values[: most[name]] for name, values in found.items() if values})

    def first(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")

    def applied(self, world: World) -> World:
        return world.only(self.mask(world)) if self.values else world

    def mask(self, world: World) -> Mask:
        mask = np.ones(len(world), np.bool_)
        for name, values in self.values.items():
            if name in MASKS:
                mask &= MASKS[name](world, values)
        for numbers in self.numbers:
            mask &= np.isin(world["duns"], numbers)
        return mask


def _is_usable(text: str) -> bool:
    return bool(text) and is_clean(text)


def _registrations(world: World, values: tuple[str, ...]) -> Mask:
    mask = np.zeros(len(world), np.bool_)
    for value in values:
        mask |= world.snapshot.members(uuid.UUID(value))
    return mask


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _known(mask: Callable[[World], Mask]) -> Callable[[World, tuple[str, ...]], Mask]:
    def chosen(world: World, values: tuple[str, ...]) -> Mask:
        found, none = mask(world), np.zeros(len(world), np.bool_)
        return (found if KNOWN in values else none) | (~found if UNKNOWN in values else none)

    return chosen


def has_data(world: World) -> Mask:
    """Whether D&B has reported what every first data set holds. Without it, a company's risk is unknown."""
    mask = np.zeros(len(world), np.bool_)
    for one in (FAILURE, DELINQUENCY, RATING, STATUS, COUNTRY):
        mask |= one.keys(world) != one.unknown
    return mask


FLAGS: Mapping[str, Flag] = {str(flag.name).lower(): flag for flag in Flag}


def has_flag(world: World, flag: Flag) -> Mask:
    flags = world["flags"]
    return np.asarray((flags & flag != 0) & (flags != NO_FLAGS))


def _flags(world: World, values: tuple[str, ...]) -> Mask:
    mask = np.zeros(len(world), np.bool_)
    for value in values:
        if value in FLAGS:
            mask |= has_flag(world, FLAGS[value])
    return mask


MASKS: Mapping[str, Callable[[World, tuple[str, ...]], Mask]] = {
    **{name: one.mask for name, one in DIMENSIONS.items()},
    "registration": _registrations,
    "flag": _flags,
    "exposure": _known(lambda world: world.is_exposed),
    "failure_incidence": _known(is_rated),
    "data": _known(has_data),
}
