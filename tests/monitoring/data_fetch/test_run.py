"""Fetching companies: what is called, what becomes of each answer, and what stops a fetch or survives a kill."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.blobs import load_bytes, store_bytes
from core.db import insert_new
from core.ids import time_first_id
from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.data_fetch import documents
from monitoring.data_fetch import request as requesting
from monitoring.data_fetch import run as running
from monitoring.data_fetch.blocks import NoBlocks
from monitoring.data_fetch.finish import finish
from monitoring.data_fetch.plan import CannotFetch, GapInWork, calls_to_resume, plan_companies, plan_gap
from monitoring.data_fetch.request import may_resume, request_fetch, resume_fetch, stop_fetch
from monitoring.data_fetch.run import run_fetch
from monitoring.data_fetch.work import continue_fetches, run_one
from monitoring.models import (
    DataFetch,
    Delivery,
    DeliveryState,
    FetchedCompany,
    FetchedState,
    FetchState,
    Notification,
    Source,
)
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, calls_used
from portfolio.models import CallKind, CallOutcome, DnbCall, Proposal, ProposalKind, Registration, SubjectState
from tests.builders.calls import a_budget
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.data_fetches import a_fetch, a_gap_fetch, item, monitored, run, with_gap
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
A, B, C, D = duns_numbers(4)
BLOCKS, CHECK = CallKind.DATA_BLOCKS, CallKind.REFRESH_CHECK


class Killed(BaseException):
    """As if the process had ended here."""


def test_the_answer_is_stored_byte_for_byte_and_waits_for_a_decision(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    fetch = run(a_fetch(A))
    row = item(fetch, A)
    delivery = Delivery.objects.get(pk=row.delivery_key)
    assert (row.state, fetch.state) == (FetchedState.READY, FetchState.OPEN)
    assert (delivery.source, delivery.state, delivery.http_status) == (Source.FETCH, DeliveryState.HELD, 200)
    assert load_bytes(delivery.pk).startswith(b"{") and delivery.byte_count == len(load_bytes(delivery.pk))
    assert delivery.turn == delivery.stands_for == 1
    assert not Notification.objects.exists(), "nothing is read before it is accepted"
    assert row.differences and row.differences > 3
    assert [(call.kind, call.outcome, call.about) for call in DnbCall.objects.all()] == [
        (BLOCKS, CallOutcome.ANSWERED, A)
    ]


def test_nothing_is_fetched_before_the_number_of_calls_is_confirmed(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    plan = plan_companies([A, B])
    assert plan.calls == {BLOCKS: 2}
    for confirmed in ({}, {BLOCKS: 1}, {BLOCKS: 2, CHECK: 1}):
        with pytest.raises(CallsChanged):
            request_fetch(plan, confirmed, by=an_actor("ann"))
    a_budget(registration.contract, BLOCKS, 1)
    with pytest.raises(BudgetUsedUp):
        request_fetch(plan, plan.calls, by=an_actor("ann"))
    assert not DataFetch.objects.exists() and not calls_of(control, "data", "refresh")


def test_the_same_request_again_is_the_same_fetch(registration: Registration) -> None:
    monitored(registration, A)
    plan, key = plan_companies([A]), time_first_id()
    first, second = (request_fetch(plan, plan.calls, by=an_actor(name), key=key) for name in ("ann", "bob"))
    assert first == second == DataFetch.objects.get()
    assert AuditEntry.objects.filter(action="data_fetch.request").count() == 1


def test_a_gap_is_closed_by_one_fetch_at_a_time(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    with_gap(registration)
    plan, fetch = plan_gap(registration), a_gap_fetch(registration)
    for _ in ("running", "stopped"):
        with pytest.raises(GapInWork) as refused:
            plan_gap(registration)
        assert refused.value.fetch == fetch
        stop_fetch(fetch, by=an_actor("ann"))
    with pytest.raises(GapInWork):
        request_fetch(plan, plan.calls, by=an_actor("bob"))
    assert DataFetch.objects.get() == fetch, "who looked before it was there is refused after"
    Registration.objects.update(gap_until=timezone.now())
    registration.refresh_from_db()
    assert plan_gap(registration).gap == registration, "a gap that has grown is another one"


def test_a_fetch_whose_companies_were_not_all_noted_closes_no_gap(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A, B)
    with_gap(registration)

    def killed(model: Any, rows: Any) -> list[Any]:
        if model is DataFetch:
            return insert_new(model, rows)
        insert_new(model, list(rows)[:1])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(requesting, "insert_new", killed)
        with pytest.raises(Killed):
            a_gap_fetch(registration)
    fetch = DataFetch.objects.get()
    assert not may_resume(fetch) and "interrupted" in fetch.reason
    FetchedCompany.objects.update(state=FetchedState.CURRENT)
    finish(fetch)
    continue_fetches()
    fetch.refresh_from_db()
    registration.refresh_from_db()
    assert (fetch.state, bool(registration.gap_from)) == (FetchState.STOPPED, True)
    assert len(plan_gap(registration).companies) == 2, "it is requested again"


def test_companies_to_be_removed_belong_to_a_gap_until_d_and_b_removed_them(registration: Registration) -> None:
    monitored(registration, A)
    with_gap(registration)
    a_subject(B, registration, state=SubjectState.PENDING_REMOVE)
    assert set(plan_gap(registration).companies) == {A, B}


def test_who_requests_it_is_in_the_audit_log(registration: Registration) -> None:
    monitored(registration, A)
    a_fetch(A)
    entry = AuditEntry.objects.get(action="data_fetch.request")
    assert entry.actor == "ann" and '"data_blocks": 1' in entry.after


def test_companies_that_no_registration_monitors_are_left_out(registration: Registration) -> None:
    monitored(registration, A)
    assert plan_companies([A, B]).left_out == [B]
    with pytest.raises(CannotFetch, match="monitored in a registration"):
        plan_companies([B])


def test_companies_of_two_contracts_are_two_fetches(registration: Registration) -> None:
    other = a_registration("OTHER", contract=a_contract(name="other"))
    monitored(registration, A)
    a_subject(B, other)
    with pytest.raises(CannotFetch, match="several contracts"):
        plan_companies([A, B])


def test_without_entitlements_no_block_is_known(registration: Registration) -> None:
    a_subject(A, registration)
    with pytest.raises(NoBlocks, match="Entitlements"):
        plan_companies([A])


def test_a_merged_and_a_deleted_company_become_proposals(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B, C)
    control.mark(A, "transferred", retained=D)
    control.mark(B, "deleted")
    control.mark(C, "unknown")
    fetch = run(a_fetch(A, B, C))
    assert [item(fetch, duns).state for duns in (A, B, C)] == [
        FetchedState.TRANSFERRED, FetchedState.DELETED, FetchedState.UNKNOWN,
    ]  # fmt: skip
    assert fetch.state == FetchState.DONE and not Delivery.objects.exists()
    found = Proposal.objects.order_by("company").values_list("company", "kind", "replacement")
    assert list(found) == [(A, ProposalKind.TRANSFER, D), (B, ProposalKind.DELETE, "")]


@pytest.mark.parametrize("reading", ["path", "url", "details"])
def test_a_merger_is_understood_however_d_and_b_names_the_other(
    reading: str, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A)
    control.switch("transferred_data", reading)
    control.mark(A, "transferred", retained=D)
    assert item(run(a_fetch(A)), A).replacement == D


def test_of_a_gap_only_companies_with_changes_are_fetched(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B, C)
    with_gap(registration)
    control.add_companies(registration.reference, [{"duns": B, "primaryName": "Changed Ltd"}])
    fetch = run(a_gap_fetch(registration))
    assert [item(fetch, duns).state for duns in (A, B, C)] == [
        FetchedState.CURRENT, FetchedState.READY, FetchedState.CURRENT,
    ]  # fmt: skip
    assert len(calls_of(control, "refresh")) == 3 and len(calls_of(control, "data")) == 1
    assert registration.gap_from and fetch.check_since == registration.gap_from.date()


def test_a_gap_is_checked_and_fetched_in_other_layouts(registration: Registration, control: SandboxControl) -> None:
    control.switch("refresh_check_answer", "organization")
    control.switch("block_members", "all")
    monitored(registration, A, B)
    with_gap(registration)
    control.add_companies(registration.reference, [{"duns": B, "primaryName": "Changed Ltd"}])
    fetch = run(a_gap_fetch(registration))
    assert [item(fetch, duns).state for duns in (A, B)] == [FetchedState.CURRENT, FetchedState.READY]


@pytest.mark.parametrize("reading", ["refuse", "omit"])
def test_blocks_that_the_contract_lacks(reading: str, registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    DataFetch.objects.update(block_ids="companyinfo_L2_v1,other_L1_v1")
    fetch.refresh_from_db()
    control.switch("unentitled_blocks", reading)
    fetch = run(fetch)
    if reading == "omit":
        assert "other_L1_v1: not entitled" in item(fetch, A).message
        return
    assert (fetch.state, item(fetch, A).state) == (FetchState.STOPPED, FetchedState.WAITING)
    assert "00004" in fetch.reason


def test_a_fetch_stops_at_the_limit_of_the_budget_and_continues(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    fetch = a_fetch(A, B)
    a_budget(registration.contract, BLOCKS, 1)
    fetch = run(fetch)
    assert fetch.state == FetchState.STOPPED and "administrator can raise the limit" in fetch.reason
    assert len(calls_of(control, "data")) == 1
    a_budget(registration.contract, BLOCKS, 5)
    assert calls_to_resume(fetch) == {CHECK: 0, BLOCKS: 1}
    with pytest.raises(CallsChanged):
        resume_fetch(fetch, {BLOCKS: 2}, by=an_actor("ann"))
    resume_fetch(fetch, {BLOCKS: 1}, by=an_actor("ann"))
    assert run(fetch).state == FetchState.OPEN
    assert sorted(call["path"].split("/")[4] for call in calls_of(control, "data")) == [A, B]


def test_a_gap_is_checked_as_far_as_calls_were_confirmed(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B)
    with_gap(registration)
    control.add_companies(registration.reference, [{"duns": duns, "primaryName": "New"} for duns in (A, B)])
    a_budget(registration.contract, BLOCKS, 1)
    assert plan_gap(registration).calls == {CHECK: 2, BLOCKS: 1}
    fetch = a_gap_fetch(registration)
    a_budget(registration.contract, BLOCKS, 10)
    fetch = run(fetch)
    assert fetch.state == FetchState.STOPPED and "confirmed number" in fetch.reason
    assert calls_to_resume(fetch) == {CHECK: 0, BLOCKS: 1}
    resume_fetch(fetch, {BLOCKS: 1}, by=an_actor("ann"))
    run(fetch)
    assert len(calls_of(control, "data")) == len(calls_of(control, "refresh")) == 2


def test_a_call_without_an_answer_is_not_repeated_before_that_is_confirmed(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    control.set_fault("server_error", on="data", times=1)
    fetch = run(a_fetch(A, B))
    failed = [row for row in FetchedCompany.objects.filter(fetch=fetch) if row.state == FetchedState.FAILED]
    assert len(failed) == 1 and fetch.state == FetchState.OPEN
    assert run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    assert len(calls_of(control, "data")) == 2
    resume_fetch(fetch, calls_to_resume(fetch), by=an_actor("ann"))
    run(fetch)
    assert len(calls_of(control, "data")) == 3
    assert item(fetch, failed[0].company_id).state == FetchedState.READY


def test_a_fetch_stops_when_d_and_b_is_down(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A, B, C, D)
    control.set_fault("server_error", on="data")
    fetch = run(a_fetch(A, B, C, D))
    assert fetch.state == FetchState.STOPPED and len(calls_of(control, "data")) == 3


@pytest.mark.parametrize("shape", ["html", "empty", "fault"])
@pytest.mark.parametrize("status", [404, 410])
def test_a_gateway_says_nothing_about_a_company(
    status: int, shape: str, registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    with_gap(registration)
    control.set_fault("http_error", on="any", status=status, code=None, shape=shape)
    fetch = run(a_gap_fetch(registration))
    registration.refresh_from_db()
    assert (fetch.state, bool(registration.gap_from)) == (FetchState.STOPPED, True)
    assert {item(fetch, duns).state for duns in (A, B)} == {FetchedState.WAITING}


@pytest.mark.parametrize(
    "fault", [{"name": "gateway_html"}, {"name": "http_error", "status": 200, "code": None, "shape": "empty"}]
)
def test_three_responses_that_cannot_be_read_stop_a_fetch(
    fault: dict[str, Any], registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B, C, D)
    control.set_fault(**fault, on="data")
    fetch = run(a_fetch(A, B, C, D))
    assert fetch.state == FetchState.STOPPED and len(calls_of(control, "data")) == 3
    states = sorted(FetchedCompany.objects.filter(fetch=fetch).values_list("state", flat=True))
    assert states == [FetchedState.FAILED] * 3 + [FetchedState.WAITING]
    assert not Delivery.objects.filter(state=DeliveryState.HELD).exists()


def test_one_company_that_d_and_b_refuses_holds_up_no_other(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, A, B)
    control.mark(A, "invalid")
    fetch = run(a_fetch(A, B))
    assert (item(fetch, A).state, item(fetch, B).state) == (FetchedState.FAILED, FetchedState.READY)
    assert "10003" in item(fetch, A).message and fetch.state == FetchState.OPEN


def test_a_key_that_is_refused_uses_no_call_of_the_budget(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    control.set_fault("not_authorised", on="token")
    fetch = run(a_fetch(A))
    assert (fetch.state, item(fetch, A).state) == (FetchState.STOPPED, FetchedState.WAITING)
    assert calls_used(registration.contract, BLOCKS) == 0 and not DnbCall.objects.exists()


def test_the_lease_holds_for_the_call_after_a_refresh_check(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    with_gap(registration)
    control.add_companies(registration.reference, [{"duns": A, "primaryName": "Changed Ltd"}])
    fetch, check = a_gap_fetch(registration), running._has_changes

    def lasting(*about: Any) -> bool:
        found = check(*about)
        DataFetch.objects.update(lease_owner=time_first_id(), fence=99)
        return found

    monkeypatch.setattr(running, "_has_changes", lasting)
    assert run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    assert calls_of(control, "data") == [], "another process has it"


def test_a_person_stops_it_between_two_calls(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A, B)
    fetch, look_at = a_fetch(A, B), running.look_at

    def and_stop(*about: Any) -> bool:
        done = look_at(*about)
        assert stop_fetch(fetch, by=an_actor("bob"))
        return done

    monkeypatch.setattr(running, "look_at", and_stop)
    fetch = run(fetch)
    assert (fetch.state, len(calls_of(control, "data"))) == (FetchState.STOPPED, 1)
    assert "bob" in fetch.reason


KILLS: dict[str, Callable[..., Any]] = {
    "before anything is stored": lambda key, body: None,
    "before its delivery is there": store_bytes,
}


@pytest.mark.parametrize("kill", KILLS)
def test_whoever_is_killed_no_call_is_made_twice(
    kill: str, registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A, B)
    fetch = a_fetch(A, B)

    def killed(key: Any, body: bytes) -> None:
        KILLS[kill](key, body)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "store_bytes", killed)
        with pytest.raises(Killed):
            run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    DataFetch.objects.update(lease_until=None, lease_owner=None)
    run(fetch)
    assert len(calls_of(control, "data")) == 2 == calls_used(registration.contract, BLOCKS)
    states = sorted(FetchedCompany.objects.filter(fetch=fetch).values_list("state", flat=True))
    is_stored = kill == "before its delivery is there"
    assert states == ([FetchedState.READY] * 2 if is_stored else [FetchedState.FAILED, FetchedState.READY])


def test_killed_before_the_answer_is_read_it_is_read_from_what_is_stored(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)

    def killed(row: FetchedCompany) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "read_kept", killed)
        with pytest.raises(Killed):
            run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    DataFetch.objects.update(lease_until=None, lease_owner=None)
    assert item(run(fetch), A).state == FetchedState.READY
    assert len(calls_of(control, "data")) == Delivery.objects.count() == 1


def test_a_call_that_was_left_is_looked_up_without_another(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    stop_fetch(fetch, by=an_actor("ann"))
    FetchedCompany.objects.update(state=FetchedState.CALLED)
    fetch.refresh_from_db()
    assert may_resume(fetch) and not any(calls_to_resume(fetch).values())
    resume_fetch(fetch, {}, by=an_actor("ann"))
    assert (run(fetch).state, item(fetch, A).state) == (FetchState.OPEN, FetchedState.FAILED)
    assert calls_of(control, "data") == []


def test_two_processes_do_not_fetch_the_same(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    DataFetch.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
    assert run_fetch(fetch, until=timezone.now() + timedelta(minutes=1))
    assert calls_of(control, "data") == []


def test_an_answer_about_another_company_is_kept_and_not_offered(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    with monkeypatch.context() as patch:
        patch.setattr(running, "store_bytes", lambda key, body: store_bytes(key, body.replace(A.encode(), B.encode())))
        run(fetch)
    row = item(fetch, A)
    assert row.state == FetchedState.FAILED and B in row.message
    assert Delivery.objects.get().state == DeliveryState.DISCARDED


def test_a_document_without_an_effect_has_failed(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    monkeypatch.setattr(documents, "effect_of", lambda delivery, body: None)
    fetch = run(a_fetch(A))
    assert (fetch.state, item(fetch, A).state) == (FetchState.OPEN, FetchedState.FAILED)


def test_the_worker_continues_what_stood_still(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    assert continue_fetches() == 0
    DataFetch.objects.update(moved_at=timezone.now() - timedelta(minutes=5))
    assert continue_fetches() == 1
    fetch.refresh_from_db()
    assert fetch.state == FetchState.OPEN
    assert run_one(str(fetch.pk)) == FetchState.OPEN


def test_a_fetch_goes_on_after_its_time_is_over(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    assert not run_fetch(fetch, until=timezone.now() - timedelta(seconds=1))
    assert run(fetch).state == FetchState.OPEN


def test_a_gap_without_a_known_product_cannot_be_checked(registration: Registration) -> None:
    monitored(registration, A)
    with_gap(registration)
    registration.detail = "{}"
    with pytest.raises(CannotFetch, match="product"):
        plan_gap(registration)
    registration.gap_from = None
    with pytest.raises(CannotFetch, match="no data gap"):
        plan_gap(registration)


def test_a_missing_key_stops_it(
    registration: Registration, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitored(registration, A)
    fetch = a_fetch(A)
    monkeypatch.setenv("DNB_API_KEY", "")
    assert "DNB_API_KEY" in run(fetch).reason
