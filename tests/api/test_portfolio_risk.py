"""The portfolio's risk in the API."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from monitoring.portfolio_page import worlds
from monitoring.portfolio_page.asked import asked_for
from monitoring.portfolio_page.filters import Filters
from monitoring.portfolio_page.overview import overview_of
from monitoring.portfolio_page.view_data import page_context, share_text
from tests.builders.companies import a_company
from tests.builders.portfolios import EARLIER, LATER, REGISTRATIONS, Portfolio, a_portfolio
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db
DAYS = {"day": LATER.isoformat(), "since": EARLIER.isoformat()}


@pytest.fixture
def portfolio(monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    found = a_portfolio(Random(0))
    monkeypatch.setattr(worlds, "figures_on", found.figures_on)
    monkeypatch.setattr(worlds, "exposures_on", found.exposures_on)
    return found


def test_numbers_add_up_to_the_portfolio(portfolio: Portfolio, program: Program) -> None:
    found = program.read("portfolio/risk/", **DAYS)
    whole = found["all"]["companies"]
    assert whole == len(portfolio.later.rows)
    assert sum(cell["companies"] for cell in found["matrix"]) == whole
    assert sum(one["companies"] for one in found["failure_class"]) == whole
    assert (found["day"], found["since"]) == (DAYS["day"], DAYS["since"])
    after = [cell["companies"] for cell in found["movement"] if cell["now"] != "none"]
    assert sum(after) == whole


def test_without_an_earlier_day_there_is_no_movement(portfolio: Portfolio, program: Program) -> None:
    found = program.read("portfolio/risk/", day=DAYS["day"])
    assert (found["since"], found["movement"]) == (None, None)


def test_a_person_with_the_permission_gets_exposure(portfolio: Portfolio) -> None:
    found = a_signed_in_person("portfolio.view_company", "portfolio.view_exposure").read("portfolio/risk/", **DAYS)
    held = set(portfolio.later.rows["duns"].tolist())
    cents = sum(amount for duns, amount in portfolio.exposed.items() if duns in held)
    assert found["currency"] == "EUR"
    assert found["all"]["exposure"] == f"{cents // 100}.{cents % 100:02d}"
    assert found["expected_loss"]["rated"]["companies"] > 0


def test_it_names_groups_and_the_largest_companies_and_has_those_at_high_risk(portfolio: Portfolio) -> None:
    """As the page does, by the same functions."""
    page = page_context(overview_of(asked_for(LATER, EARLIER, "", Filters({})), with_money=True))
    largest = page["largest"]["rows"]
    a_company(largest[0][0], "Åkesson Ltd")
    group = next(one for one in page["concentrations"] if one["title"] == "Corporate group")["rows"][0]
    a_company(group.page.split("/")[-2], "Steel Holding")
    found = a_signed_in_person("portfolio.view_company", "portfolio.view_exposure").read("portfolio/risk/", **DAYS)
    assert [one["duns"] for one in found["largest"]] == [row[0] for row in largest]
    assert found["largest"][0]["name"] == "Åkesson Ltd"
    assert [share_text(one["share"], 1) for one in found["largest"]] == [row[3] for row in largest]
    by = {one["by"]: one for one in found["concentration"]}
    assert by["global_ultimate"]["first"][0]["label"] == "Steel Holding"
    for one, shown in zip(found["concentration"], page["concentrations"], strict=True):
        high = [cell.high and cell.high.companies for cell in shown["rows"][: shown["first"]]]
        assert [
            place["high_failure_risk"] and place["high_failure_risk"]["companies"] for place in one["first"]
        ] == high
    assert any(place["high_failure_risk"]["exposure"] != "0.00" for place in by["country"]["first"])


def test_without_it_exposure_is_null(portfolio: Portfolio) -> None:
    found = a_signed_in_person("portfolio.view_company").read("portfolio/risk/", **DAYS)
    assert (found["currency"], found["expected_loss"], found["all"]["exposure"]) == (None, None, None)
    assert found["largest"] is None
    assert {place["high_failure_risk"]["exposure"] for place in found["concentration"][0]["first"]} == {None}


def test_it_is_filtered_like_the_page(portfolio: Portfolio, program: Program) -> None:
    a_registration("ONE", id=REGISTRATIONS[0])
    found = program.read("portfolio/risk/", **DAYS, registration="ONE")
    assert found["all"]["companies"] == len(portfolio.later.numbers[REGISTRATIONS[0]])
    assert program.read("portfolio/risk/", **DAYS, country="zz")["all"]["companies"] == 0


@pytest.mark.parametrize("wrong", [{"registration": "NONE"}, {"score": "x"}, {"day": "x"}, {"failure": "5"}])
def test_wrong_parameters_are_refused(program: Program, wrong: dict[str, Any]) -> None:
    assert program.get("portfolio/risk/", **wrong).status_code == 400


def test_days_that_say_nothing_are_refused(portfolio: Portfolio, program: Program) -> None:
    """Not answered for other days than were asked for."""
    to_come = program.get("portfolio/risk/", day="2999-01-01")
    backwards = program.get("portfolio/risk/", day="2026-01-01", since="2026-01-02")
    assert (to_come.status_code, backwards.status_code) == (400, 400)
    assert "2999-01-01 is in the future." in to_come.content.decode()
    assert "Must be earlier than 2026-01-01." in backwards.content.decode()
