"""The names in an overview, looked up once for page, API, PDF and spreadsheet: of the corporate groups, and of the
companies with the largest exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitoring.company_page.owner_names import ultimate_name
from monitoring.portfolio_page.measures.concentration import Concentration, Place, largest_companies
from monitoring.portfolio_page.measures.dimensions import FAILURE, GROUP
from monitoring.portfolio_page.measures.world import World
from monitoring.portfolio_page.overview import Overview
from portfolio.models import Company


@dataclass(frozen=True, slots=True)
class Largest:
    """A company with its exposure. Without a known name, its number is its name."""

    duns: str
    name: str
    cents: int
    failure_class: str


@dataclass(frozen=True, slots=True)
class Names:
    """`largest` is empty where no exposure is shown."""

    groups: Mapping[str, str]
    largest: list[Largest]

    def label(self, one: Concentration, place: Place) -> str:
        return self.groups.get(place.value, place.label) if one.dimension is GROUP else place.label


def names_of(overview: Overview) -> Names:
    """In one query."""
    (groups,) = (one for one in overview.concentrations if one.dimension is GROUP)
    tops, largest = {place.value for place in groups.first}, largest_companies(overview.world)
    numbers = _texts(largest["duns"].tolist()) | _naming(tops, overview.world)
    rows = list(Company.objects.filter(pk__in=numbers).only("duns", "name", "global_ultimate", "projection"))
    return Names(_group_names(tops, rows), _largest(largest, {row.duns: row.name for row in rows}))


def _largest(world: World, names: Mapping[str, str]) -> list[Largest]:
    lines = zip(world["duns"].tolist(), world.cents.tolist(), world["failure_class"].tolist(), strict=True)
    return [
        Largest(duns, names.get(duns) or duns, cents, FAILURE.value(world.snapshot, number))
        for row, cents, number in lines
        for duns in [f"{row:09d}"]
    ]


def _group_names(tops: set[str], rows: Iterable[Company]) -> dict[str, str]:
    """Groups by the name of the company at the top; where it is not in the portfolio, as one of its companies reports
    it."""
    names: dict[str, str] = {}
    for row in rows:
        if row.global_ultimate in tops and (name := ultimate_name(row)):
            names.setdefault(row.global_ultimate, name)
        if row.duns in tops and row.name:
            names[row.duns] = row.name
    return names


def _naming(tops: set[str], world: World) -> set[str]:
    return _known_of(tops, world) | _a_member_of_each(tops, world)


def _known_of(tops: set[str], world: World) -> set[str]:
    """Of a part of the portfolio, those that are in it."""
    return tops & _texts(world.snapshot.rows["duns"].tolist()) if world.snapshot.is_limited else tops


def _a_member_of_each(tops: Iterable[str], world: World) -> set[str]:
    groups, numbers = world["global_ultimate"], world["duns"]
    return {f"{numbers[(groups == int(top)).argmax()]:09d}" for top in tops}


def _texts(numbers: Iterable[int]) -> set[str]:
    return {f"{number:09d}" for number in numbers}
