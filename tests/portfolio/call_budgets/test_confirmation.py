"""What is shown before calls are made is what comes back, and nothing else confirms them."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.template.loader import render_to_string

from portfolio.call_budgets.calls import confirm_calls, counted_call
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls
from portfolio.models import CallKind
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract


@pytest.mark.django_db
@time_machine.travel(datetime(2026, 11, 30, tzinfo=UTC))
def test_a_page_shows_kind_number_and_what_is_left() -> None:
    contract = a_contract()
    with counted_call(contract, CallKind.MATCH, about="Acme", requested_by="ann"):
        calls = planned_calls(contract, {CallKind.MATCH: 1200, CallKind.DATA_BLOCKS: 1, CallKind.FAMILY_TREE: 0})
    assert calls.sentences == [
        "This action makes 1,200 Match calls; 499 of 500 are left in November.",
        "This action makes 1 Data Blocks call; 500 of 500 are left in November.",
        "D&B may bill these calls.",
    ]
    assert "administrator can raise the limit" in calls.refusal
    a_budget(contract, CallKind.MATCH, 1201)
    assert planned_calls(contract, {CallKind.MATCH: 1200}).refusal == ""


@pytest.mark.django_db
def test_what_a_page_shows_comes_back_as_its_confirmation() -> None:
    planned = {CallKind.MATCH: 1200, CallKind.DATA_BLOCKS: 0}
    calls = planned_calls(a_contract(), planned)
    page = render_to_string("portfolio/call_budgets/confirm.html", {"calls": calls})
    assert 'name="calls_match" value="1200"' in page
    confirm_calls(planned, confirmed_in({name: str(number) for name, number in calls.fields}))


@pytest.mark.parametrize("text", ["", "-1", "1.0", "²", "9" * 10, "one"])
def test_what_is_not_a_number_confirms_nothing(text: str) -> None:
    assert confirmed_in({"calls_match": text, "calls_typeahead": "2"}) == {CallKind.TYPEAHEAD: 2}
