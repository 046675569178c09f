"""The contract review in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.benefit.review import count
from monitoring.models import AlertKind
from portfolio.models import Subject
from tests.builders.alerts import an_alert
from tests.builders.exposures import exposure
from tests.builders.programs import Program, a_signed_in_person
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
NUMBERS = [f"{number}" for number in range(100_000_000, 100_000_005)]


@pytest.fixture(autouse=True)
def stays() -> None:
    registration, since = a_registration(adopted=True), timezone.now().date() - timedelta(days=120)
    for duns in NUMBERS:
        a_subject(duns, registration, monitored_since=since)
    Subject.objects.filter(company=NUMBERS[3]).update(requested=False)
    exposure(f"{NUMBERS[3]};2000.00")
    an_alert(2, kind=AlertKind.CHANGE, company_id=NUMBERS[3])
    count()


@pytest.fixture
def reader(a_program: Any) -> Program:
    found: Program = a_program(scopes="read,alerts")
    return found


def test_it_has_the_numbers_of_the_page(reader: Program) -> None:
    found = reader.read("portfolio/review/")
    assert (found["renewing"], found["saved"], found["alerts"], found["critical_alerts"]) == (5, 5, 1, 1)
    savings = {one["reason"]: one for one in found["savings"]}
    assert (savings["unchanged"]["companies"], savings["unrequested"]["companies"]) == (5, 1)
    assert savings["unrequested"]["alerts"] == 1


def test_exposure_and_events_take_their_scopes(program: Program, a_program: Any) -> None:
    plain, more = program.read("portfolio/review/"), a_program(scopes="read,read:exposure,alerts")
    full = more.read("portfolio/review/")
    assert (plain["currency"], plain["critical_events"]) == (None, None)
    assert {one["exposure"] for one in plain["savings"]} == {None}
    assert [one["duns"] for one in full["critical_events"]] == [NUMBERS[3]]
    assert {one["reason"]: one["exposure"] for one in full["savings"]}["unrequested"] == "2000.00"
    assert a_signed_in_person("portfolio.view_contract").read("portfolio/review/")["critical_events"] is None


def test_numbers_of_alerts_take_their_scope(program: Program) -> None:
    found = program.read("portfolio/review/")
    counts = ("alerts", "alerts_acknowledged", "critical_alerts", "critical_alerts_acknowledged", "median_seconds")
    assert {found[name] for name in counts} == {one["alerts"] for one in found["savings"]} == {None}
    assert {one["alerts"] for one in program.read("portfolio/review/companies/")["results"]} == {None}


def test_companies_come_page_by_page_with_all_of_their_reasons(reader: Program) -> None:
    seen: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = reader.read("portfolio/review/companies/", limit="2", **after)
        seen += page["results"]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert [one["company"]["duns"] for one in seen] == NUMBERS
    (only,) = reader.read("portfolio/review/companies/", reason="unrequested")["results"]
    assert (only["company"]["duns"], only["reasons"], only["alerts"]) == (NUMBERS[3], ["unrequested", "unchanged"], 1)


@pytest.mark.parametrize("wrong", [{"reason": "x"}, {"after": "x"}, {"day": "2026-01-01"}])
def test_wrong_parameters_are_refused(program: Program, wrong: dict[str, str]) -> None:
    assert program.get("portfolio/review/companies/", **wrong).status_code == 400
