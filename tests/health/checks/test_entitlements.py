"""The end of D&B's contract in the checks: unknown is no alarm, and an end that is near is one."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from health.checks.context import begin_look
from health.checks.entitlements import checks_of_entitlements
from health.checks.result import Result
from health.models import State
from portfolio.models import Entitlements
from tests.builders.contracts import a_contract

pytestmark = pytest.mark.django_db
END = datetime(2027, 3, 31, 12, tzinfo=UTC)


def check() -> Result:
    (result,) = checks_of_entitlements(begin_look())
    return result


def test_what_was_never_asked_is_unknown() -> None:
    a_contract()
    assert check().state == State.UNKNOWN


def test_a_contract_without_a_stated_end_is_fine() -> None:
    Entitlements.objects.create(contract=a_contract(), answer="{}")
    assert check().state == State.OK


@pytest.mark.parametrize(
    ("days", "state"),
    [(61, State.OK), (60, State.WARNING), (8, State.WARNING), (7, State.CRITICAL), (-1, State.CRITICAL)],
)
def test_an_end_that_is_near_is_a_problem(days: int, state: State) -> None:
    Entitlements.objects.create(contract=a_contract(), answer=json.dumps({"contractEndDate": "2027-03-31"}))
    with time_machine.travel(END - timedelta(days=days)):
        result = check()
    assert (result.state, result.number) == (state, days)
    assert bool(result.do) == (state != State.OK)
    assert ("ended" in result.sentence) == (days < 0)
