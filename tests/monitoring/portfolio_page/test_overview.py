"""The portfolio in numbers: as counted plainly, company by company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from math import isclose
from typing import Any

import numpy as np
import pytest
from django.http import QueryDict

from dnbmon_site.accounts.models import User
from monitoring.portfolio_page import worlds
from monitoring.portfolio_page.asked import Asked, read_asked
from monitoring.portfolio_page.comparison import comparison_of
from monitoring.portfolio_page.measures.counts import Count, tally_of
from monitoring.portfolio_page.measures.dimensions import COUNTRY, GROUP, INDUSTRY, NO_CLASS
from monitoring.portfolio_page.measures.movement import OUTSIDE, direction_of
from monitoring.portfolio_page.overview import Overview, overview_of
from portfolio.models import Flag
from tests.builders.portfolios import EARLIER, LATER, REGISTRATIONS, TEXTS, Portfolio

SEEDS = range(12)
Row = dict[str, Any]


def asked(**values: str) -> Asked:
    query = QueryDict(mutable=True)
    query.update({"day": LATER.isoformat(), "since": EARLIER.isoformat(), **values})
    return read_asked(query, User(username="ann", is_superuser=True))


def rows_of(snapshot: Any) -> list[Row]:
    return [dict(zip(snapshot.rows.dtype.names, row.tolist(), strict=True)) for row in snapshot.rows]


@pytest.mark.parametrize("dimension", [COUNTRY, INDUSTRY, GROUP])
def test_each_place_has_its_companies_at_high_failure_risk(portfolio: Any, dimension: Any) -> None:
    world = portfolio(1)
    (found,) = (one for one in overview_of(asked(), with_money=True).concentrations if one.dimension is dimension)
    rows = [row for row in rows_of(world.later) if row["failure_class"] in (4, 5)]
    high = counted(world, rows, lambda row: dimension.value(world.later, row[dimension.column]))
    assert any(place.high.companies for place in found.first)
    assert all(place.high == high.get(place.value, Count()) for place in found.first)


def counted(portfolio: Portfolio, rows: list[Row], key: Callable[[Row], Any]) -> dict[Any, Count]:
    companies: Counter[Any] = Counter(key(row) for row in rows)
    cents: Counter[Any] = Counter()
    for row in rows:
        cents[key(row)] += portfolio.exposed.get(row["duns"], 0)
    return {value: Count(companies[value], cents[value]) for value in companies}


def a_class(number: int) -> str:
    return "unknown" if number == NO_CLASS else str(number)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_matrix_counts_each_company_once(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    found = overview_of(asked(), with_money=True)
    rows = rows_of(world.later)
    plain = counted(world, rows, lambda row: (a_class(row["failure_class"]), a_class(row["delinquency_class"])))
    assert found.matrix == plain
    assert found.whole == Count(len(rows), sum(world.exposed.get(row["duns"], 0) for row in rows))


@pytest.mark.parametrize("seed", SEEDS)
def test_movement_counts_every_company_of_either_day(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    before = {row["duns"]: row["failure_class"] for row in rows_of(world.earlier)}
    after = {row["duns"]: row["failure_class"] for row in rows_of(world.later)}
    plain = Counter((before.get(duns, OUTSIDE), after.get(duns, OUTSIDE)) for duns in before | after)
    found = comparison_of(asked(), with_money=False).movement
    assert {cell: count.companies for cell, count in found.cells.items()} == plain
    assert sum(count.companies for count in found.directions.values()) == len(before | after)


@pytest.mark.parametrize(
    ("was", "now", "direction"),
    [(2, 3, "worse"), (5, 1, "better"), (4, 4, "same"), (NO_CLASS, 4, "unrated"), (4, NO_CLASS, "unrated"),
     (NO_CLASS, NO_CLASS, "unrated"), (OUTSIDE, NO_CLASS, "new"), (OUTSIDE, 1, "new"), (1, OUTSIDE, "gone")],
)  # fmt: skip
def test_a_higher_class_is_a_higher_risk(was: int, now: int, direction: str) -> None:
    assert direction_of(was, now) == direction


@pytest.mark.parametrize("seed", SEEDS)
def test_concentration_names_the_first_ten_by_exposure(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    found = concentration(overview_of(asked(), with_money=True), COUNTRY)
    rows = rows_of(world.later)
    plain = counted(world, rows, lambda row: TEXTS["country"][row["country"] - 1] if row["country"] else "")
    known = {value: count for value, count in plain.items() if value}
    amounts = sorted((count.cents for count in known.values()), reverse=True)
    assert [place.count.cents for place in found.first] == amounts[:10]
    assert all(place.count == known[place.value] for place in found.first)
    assert found.others == max(len(known) - 10, 0)
    assert found.rest.cents == sum(amounts[10:])
    assert found.unknown == plain.get("", Count())
    assert isclose(found.share, sum(amounts[:10]) / sum(count.cents for count in plain.values()))


def test_without_money_concentration_is_by_companies(portfolio: Any) -> None:
    world = portfolio(1)
    found = concentration(overview_of(asked(), with_money=False), GROUP)
    plain = Counter(row["global_ultimate"] for row in rows_of(world.later) if row["global_ultimate"] != 2**32 - 1)
    assert [place.count for place in found.first] == [Count(n) for n in sorted(plain.values(), reverse=True)[:10]]


def test_one_code_of_two_classifications_is_one_industry(portfolio: Any) -> None:
    world = portfolio(2)
    codes = {1: "2821", 2: "5045", 3: "325211", 4: "5045"}
    plain = Counter(codes[row["industry"]] for row in rows_of(world.later) if row["industry"])
    found = concentration(overview_of(asked(), with_money=False), INDUSTRY)
    assert {place.value: place.count.companies for place in found.first} == plain


def concentration(overview: Overview, dimension: Any) -> Any:
    return next(one for one in overview.concentrations if one.dimension is dimension)


@pytest.mark.parametrize("seed", SEEDS)
def test_expected_loss_is_the_sum_over_companies_rounded_once(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    loss = overview_of(asked(), with_money=True).loss
    exposed = [row for row in rows_of(world.later) if row["duns"] in world.exposed]
    rated = [row for row in exposed if row["failure_incidence"] != 0xFFFF]
    exact = sum(Fraction(world.exposed[row["duns"]] * row["failure_incidence"], 10_000) for row in rated)
    assert loss is not None
    assert loss.cents == round(exact)
    assert (loss.rated.companies, loss.unrated.companies) == (len(rated), len(exposed) - len(rated))
    assert loss.unexposed == len(world.later.rows) - len(exposed)


@pytest.mark.parametrize("seed", SEEDS)
def test_unknown_flags_are_no_flags(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    rows = [row for row in rows_of(world.later) if row["flags"] != 0xFFFF]
    plain = {str(flag.name).lower(): sum(bool(row["flags"] & flag) for row in rows) for flag in Flag}
    found = overview_of(asked(), with_money=False).flags
    assert {name: count.companies for name, count in found.items()} == plain


def test_without_the_right_no_exposure_is_read(portfolio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    portfolio(0)
    monkeypatch.setattr(worlds, "exposures_on", None)
    found = overview_of(asked(), with_money=False)
    assert found.money is None
    assert found.loss is None
    assert found.whole.cents == 0


def test_a_company_without_any_figure_is_counted_apart(portfolio: Any) -> None:
    world = portfolio(3)
    empty = [row for row in rows_of(world.later) if is_empty(row)]
    assert overview_of(asked(), with_money=False).without_data.companies == len(empty) > 0


def is_empty(row: Row) -> bool:
    classes = row["failure_class"] == row["delinquency_class"] == NO_CLASS
    return classes and not (row["rating"] or row["status"] or row["country"])


@pytest.mark.parametrize("seed", SEEDS)
def test_filters_narrow_down_both_days(portfolio: Any, seed: int) -> None:
    world = portfolio(seed)
    found = comparison_of(asked(country="AE", registration=str(REGISTRATIONS[1])), with_money=False)
    kept = {}
    for snapshot in (world.earlier, world.later):
        members = set(snapshot.numbers[REGISTRATIONS[1]].tolist())
        kept[snapshot.day] = [row for row in rows_of(snapshot) if row["country"] == 1 and row["duns"] in members]
    assert found.before.companies == len(kept[EARLIER])
    assert found.after.companies == len(kept[None])


def test_sums_beyond_what_floating_point_holds_are_exact() -> None:
    amounts = [2**53, 1, 2**53 + 2]
    found = tally_of(np.array([7, 7, 2**31]), np.array(amounts, np.int64)).counts()
    assert found == {7: Count(2, 2**53 + 1), 2**31: Count(1, 2**53 + 2)}
