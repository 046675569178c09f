"""Corporate groups in the API."""

from __future__ import annotations

from typing import Any

import pytest

from portfolio.models import Company
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.programs import Program
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db


@pytest.fixture
def group() -> None:
    a_company(DUNS, "Steel Holding", country="DE")
    a_company(OTHER, "Wire Ltd", country="GB", global_ultimate=DUNS, parent=DUNS, failure_class=5, exposure=125_050)
    a_subject(OTHER)


@pytest.mark.parametrize("asked", [DUNS, OTHER, f"{DUNS[:2]}-{DUNS[2:5]}-{DUNS[5:]}"])
def test_any_company_of_it_leads_to_the_group(group: None, program: Program, asked: str) -> None:
    found = program.read(f"groups/{asked}/")
    assert (found["duns"], found["name"]) == (DUNS, "Steel Holding")
    assert (found["monitored"], found["countries"], found["high_failure_risk"]) == (1, 1, 1)
    assert [(one["name"], one["depth"], one["monitored"]) for one in found["companies"]] == [
        ("Steel Holding", 0, False),
        ("Wire Ltd", 1, True),
    ]
    assert found["companies"][1]["company"]["figures"]["failure_class"] == 5


def test_exposure_takes_its_scope(group: None, program: Program, a_program: Any) -> None:
    without, with_it = program.read(f"groups/{DUNS}/"), a_program(scopes="read,read:exposure").read(f"groups/{DUNS}/")
    assert (without["currency"], without["exposure"], without["companies"][1]["exposure"]) == (None, None, None)
    assert (with_it["currency"], with_it["exposure"]) == ("EUR", "1250.50")
    assert [one["exposure"] for one in with_it["companies"]] == [None, "1250.50"]


@pytest.mark.parametrize("duns", ["123456789", "x", "12345678é"])
def test_a_group_that_is_not_known_is_not_found(group: None, program: Program, duns: str) -> None:
    Company.objects.filter(pk="123456789").delete()
    assert program.get(f"groups/{duns}/").status_code == 404
