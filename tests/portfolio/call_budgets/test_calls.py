"""Calls that may cost: never more than the budget, each written down before it is made, none made unconfirmed."""

import threading
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection

from direct_plus.client import DirectPlus
from direct_plus.errors import DirectPlusError
from direct_plus.sandbox.control.client import SandboxControl
from direct_plus.session import error_of
from portfolio.call_budgets import calls
from portfolio.call_budgets.calls import (
    BudgetUsedUp,
    CallsChanged,
    calls_left,
    calls_used,
    confirm_calls,
    counted_call,
    require_calls,
)
from portfolio.dnb_client import client_for
from portfolio.models import DEFAULT_CALLS_PER_MONTH, CallKind, CallMonth, CallOutcome, Contract, DnbCall
from tests.builders.calls import a_budget
from tests.builders.contracts import a_contract
from tests.interleaving import cut_after, cut_before, interleave, orders_with_one_stop

MATCH = CallKind.MATCH


def call(contract: Contract, kind: CallKind = MATCH, about: str = "Acme") -> bool:
    try:
        with counted_call(contract, kind, about=about, requested_by="ann"):
            return True
    except BudgetUsedUp:
        return False


@pytest.mark.django_db
def test_a_call_is_written_down_before_it_is_made() -> None:
    contract = a_contract()
    with counted_call(contract, MATCH, about="Acme", requested_by="ann") as row:
        stored = DnbCall.objects.get()
        assert (stored.pk, stored.kind, stored.about, stored.requested_by) == (row.pk, MATCH, "Acme", "ann")
        assert (stored.outcome, stored.ended_at) == (CallOutcome.CALLED, None)
        assert calls_used(contract, MATCH) == 1
    stored.refresh_from_db()
    assert stored.outcome == CallOutcome.ANSWERED
    assert stored.ended_at


@pytest.mark.django_db
def test_the_last_call_is_made_and_the_next_is_refused_with_who_can_raise_the_limit() -> None:
    contract = a_contract()
    a_budget(contract, MATCH, 2)
    assert [call(contract) for _ in range(3)] == [True, True, False]
    assert (calls_left(contract, MATCH), DnbCall.objects.count()) == (0, 2)
    with (
        pytest.raises(BudgetUsedUp, match="administrator can raise the limit"),
        counted_call(contract, MATCH, about="", requested_by=""),
    ):
        pytest.fail("made beyond the budget")


@pytest.mark.django_db
def test_a_limit_of_none_is_the_default_and_0_allows_nothing() -> None:
    contract = a_contract()
    assert calls_left(contract, MATCH) == DEFAULT_CALLS_PER_MONTH[MATCH]
    a_budget(contract, MATCH, None)
    assert calls_left(contract, MATCH) == DEFAULT_CALLS_PER_MONTH[MATCH]
    a_budget(contract, MATCH, 0)
    assert not call(contract)


@pytest.mark.django_db
def test_every_kind_has_a_default() -> None:
    assert set(DEFAULT_CALLS_PER_MONTH) == set(CallKind)


@pytest.mark.django_db
def test_kinds_contracts_and_months_have_budgets_of_their_own() -> None:
    contract, other = a_contract(), a_contract(name="other")
    for each in (contract, other):
        a_budget(each, MATCH, 1)
    with time_machine.travel(datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), tick=False):
        assert call(contract)
        assert not call(contract)
        assert call(other)
        assert call(contract, CallKind.TYPEAHEAD)
    with time_machine.travel(datetime(2026, 2, 1, tzinfo=UTC), tick=False):
        assert call(contract)
        assert not call(contract)
    assert CallMonth.objects.filter(contract=contract, kind=MATCH).count() == 2


@pytest.mark.django_db
def test_a_limit_that_is_lowered_below_what_was_used_leaves_none() -> None:
    contract = a_contract()
    assert call(contract)
    assert call(contract)
    a_budget(contract, MATCH, 1)
    assert calls_left(contract, MATCH) == 0
    assert not call(contract)


@pytest.mark.django_db
def test_an_act_of_several_calls_is_refused_before_the_first() -> None:
    contract = a_contract()
    a_budget(contract, MATCH, 3)
    assert call(contract)
    require_calls(contract, {MATCH: 2, CallKind.DATA_BLOCKS: 1})
    with pytest.raises(BudgetUsedUp) as refused:
        require_calls(contract, {CallKind.DATA_BLOCKS: 1, MATCH: 3})
    assert (refused.value.kind, refused.value.left, refused.value.needed) == (MATCH, 2, 3)
    assert calls_used(contract, MATCH) == 1


def test_only_the_number_that_was_shown_is_confirmed() -> None:
    confirm_calls({MATCH: 12, CallKind.DATA_BLOCKS: 0}, {MATCH: 12})
    for shown in ({}, {MATCH: 11}, {MATCH: 12, CallKind.DATA_BLOCKS: 1}, {CallKind.DATA_BLOCKS: 12}):
        with pytest.raises(CallsChanged, match="Match 12"):
            confirm_calls({MATCH: 12}, shown)


@pytest.mark.django_db
def test_a_failure_of_our_own_is_written_down_and_raised() -> None:
    with pytest.raises(ZeroDivisionError), counted_call(a_contract(), MATCH, about="Acme", requested_by="ann"):
        raise ZeroDivisionError
    row = DnbCall.objects.get()
    assert (row.outcome, row.code) == (CallOutcome.FAILED, "ZeroDivisionError")
    assert calls_used(a_contract(), MATCH) == 1


@pytest.mark.django_db
def test_what_no_engine_can_hold_is_cut_from_the_subject() -> None:
    call(a_contract(), about="Ac\0me" + "x" * 300)
    assert DnbCall.objects.get().about == "Ac\ufffdme" + "x" * 195


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fault", "outcome", "code", "sent"),
    [
        (None, CallOutcome.ANSWERED, "", 1),
        ({"status": 404, "code": "10001"}, CallOutcome.ANSWERED, "10001", 1),
        ({"status": 410, "code": "40002"}, CallOutcome.ANSWERED, "40002", 1),
        ({"status": 404, "code": "00038"}, CallOutcome.REFUSED, "00038", 1),
        ({"status": 400, "code": "10002"}, CallOutcome.REFUSED, "10002", 1),
        ({"status": 429, "code": "00050"}, CallOutcome.REFUSED, "00050", 1),
        # It may have been billed: sent once only.
        ({"status": 503, "code": "00034"}, CallOutcome.FAILED, "00034", 1),
    ],
)
def test_the_ledger_tells_what_d_and_b_answered(
    contract: Contract,
    control: SandboxControl,
    fault: dict[str, object] | None,
    outcome: CallOutcome,
    code: str,
    sent: int,
) -> None:
    client: DirectPlus = client_for(contract)
    client.entitlements()
    if fault:
        control.set_fault("http_error", on="data", times=9, **fault)
    try:
        with counted_call(contract, CallKind.DATA_BLOCKS, about="804735132", requested_by="ann"):
            if error := error_of(client.data_blocks("804735132", block_ids=["companyinfo_L2_v1"])):
                raise error
    except DirectPlusError:
        assert fault
    row = DnbCall.objects.get()
    assert (row.outcome, row.code) == (outcome, code)
    assert len([one for one in control.calls() if one["kind"] == "data"]) == sent


@pytest.mark.django_db(transaction=True)
def test_four_at_once_never_make_more_calls_than_the_budget() -> None:
    contract = a_contract()
    a_budget(contract, MATCH, 10)
    made: list[bool] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            made.extend(call(contract) for _ in range(5))
        except Exception as error:  # noqa: BLE001
            # An error ends only its thread: kept here, it fails the test.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(made) == DnbCall.objects.count() == calls_used(contract, MATCH) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", list(orders_with_one_stop(6)))
def test_two_that_take_the_last_call_in_every_order_of_their_steps(
    monkeypatch: pytest.MonkeyPatch, order: list[int]
) -> None:
    contract = a_contract()
    a_budget(contract, MATCH, 1)
    made: list[bool] = []
    cut_after(monkeypatch, (calls, "limit_of"), (calls, "this_month"))
    cut_before(monkeypatch, (calls, "insert_new"), (DnbCall.objects, "create"), (calls, "_end"))
    interleave(order, *[lambda: made.append(call(contract))] * 2)
    assert sorted(made) == [False, True]
    assert DnbCall.objects.count() == calls_used(contract, MATCH) == 1
