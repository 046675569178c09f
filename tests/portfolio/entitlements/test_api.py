"""Entitlements in the API and among the metrics: what D&B states, and nothing where it states nothing."""

import json
from datetime import UTC, datetime

import pytest
import time_machine

from health.metrics.prometheus import exposition
from portfolio.models import Entitlements
from tests.builders.contracts import a_contract
from tests.builders.programs import Program

pytestmark = pytest.mark.django_db
ANSWER = {"contractEndDate": "2027-03-31", "entitlements": {"dataBlocks": ["companyinfo_L2_v1"]}}
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_what_d_and_b_states(program: Program) -> None:
    Entitlements.objects.create(contract=a_contract(), answer=json.dumps(ANSWER))
    with time_machine.travel(NOON):
        [found] = program.read("entitlements/")["results"]
        metrics = exposition().decode()
    assert (found["contract"], found["ends_on"], found["days_left"]) == ("default", "2027-03-31", 30)
    assert [one["id"] for one in found["data_blocks"]] == ["companyinfo_L2_v1"]
    assert 'dnbmon_dnb_contract_days_left{contract="default"} 30.0' in metrics


def test_nothing_is_made_up_while_d_and_b_was_not_asked(program: Program) -> None:
    a_contract()
    [found] = program.read("entitlements/")["results"]
    assert found["ends_on"] is found["days_left"] is found["fetched_at"] is None
    assert found["data_blocks"] == found["products"] == []
    assert "dnbmon_dnb_contract_days_left{" not in exposition().decode()
