"""Call budgets and calls in the API, and how a request confirms its calls."""

import pytest
from rest_framework import serializers

from core.api.errors import Conflict
from core.models import AuditEntry
from portfolio.call_budgets.api import ConfirmCallsField, conflicts_of_calls
from portfolio.call_budgets.calls import confirm_calls, counted_call, require_calls
from portfolio.models import CallBudget, CallKind
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract
from tests.builders.programs import Program, a_signed_in_person


def test_budgets_show_what_is_left(program: Program) -> None:
    contract = a_contract()
    a_budget(contract, CallKind.MATCH, 3)
    with counted_call(contract, CallKind.MATCH, about="Acme", requested_by="ann"):
        pass
    found = {row["kind"]: row for row in program.read("call-budgets/")["results"]}
    assert set(found) == set(CallKind.values)
    assert found["match"] == {
        "contract": "default",
        "kind": "match",
        "limit": 3,
        "is_default": False,
        "used": 1,
        "left": 2,
    }
    assert found["typeahead"]["is_default"] is True


def test_a_person_sets_a_budget_and_no_key_does(program: Program) -> None:
    a_contract()
    ann = a_signed_in_person("portfolio.change_callbudget")
    body = {"kind": "match", "limit": 1}
    assert program.send("PUT", "call-budgets/", body).status_code == 403
    found = {row["kind"]: row for row in ann.send("PUT", "call-budgets/", body).json()["results"]}
    assert (found["match"]["limit"], found["match"]["is_default"]) == (1, False)
    assert AuditEntry.objects.get(action="call_budget.changed").actor == "ann"
    ann.send("PUT", "call-budgets/", {**body, "limit": None})
    assert CallBudget.objects.get().calls_per_month is None
    assert ann.send("PUT", "call-budgets/", {**body, "contract": "other"}).status_code == 404
    assert ann.send("PUT", "call-budgets/", {**body, "limit": -1}).status_code == 400


def test_calls_are_read_page_by_page_latest_first(program: Program) -> None:
    contract = a_contract()
    for number in range(5):
        kind = CallKind.MATCH if number % 2 else CallKind.TYPEAHEAD
        with counted_call(contract, kind, about=str(number), requested_by="ann"):
            pass
    assert [row["about"] for row in program.walk("calls/", limit=2)] == ["4", "3", "2", "1", "0"]
    assert [row["about"] for row in program.walk("calls/", kind="match")] == ["3", "1"]
    assert program.get("calls/", kind="gossip").status_code == 400


class Body(serializers.Serializer[object]):
    confirm_calls = ConfirmCallsField()


@pytest.mark.parametrize("sent", [{"gossip": 1}, {"match": -1}, {"match": "many"}, [], "12", None])
def test_only_known_kinds_and_numbers_are_confirmed(sent: object) -> None:
    assert not Body(data={"confirm_calls": sent}).is_valid()


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    body = Body(data={"confirm_calls": {"data_block": 1}})
    assert not body.is_valid() and "The kinds are: " in str(body.errors) and "data_blocks" in str(body.errors)


def test_who_leaves_the_number_out_reads_how_to_get_it() -> None:
    body = Body(data={})
    assert not body.is_valid() and "To get it, send {}" in str(body.errors["confirm_calls"])


@pytest.mark.django_db
def test_what_was_not_confirmed_or_is_beyond_the_budget_is_a_conflict() -> None:
    body = Body(data={"confirm_calls": {"match": 2}})
    assert body.is_valid()
    confirmed = body.validated_data["confirm_calls"]
    confirm_calls({CallKind.MATCH: 2}, confirmed)
    with pytest.raises(Conflict, match="makes 3 calls. Send .*match") as caught, conflicts_of_calls():
        confirm_calls({CallKind.MATCH: 3}, confirmed)
    assert caught.value.members == {"confirm_calls": {"match": 3}}
    with pytest.raises(Conflict, match="501 calls needed, 500 left"), conflicts_of_calls():
        require_calls(a_contract(), {CallKind.MATCH: 501})
