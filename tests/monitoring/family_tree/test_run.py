"""Fetching trees: what is called, what becomes of each answer, and what stops a tree or survives a kill."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.blobs import load_bytes, store_bytes
from core.ids import time_first_id
from core.models import AuditEntry
from direct_plus.sandbox.control.client import SandboxControl
from monitoring.family_tree import request as requests
from monitoring.family_tree import run as running
from monitoring.family_tree.plan import CannotFetchTree, calls_to_resume, plan_trees
from monitoring.family_tree.request import (
    discard_tree,
    may_resume,
    request_trees,
    resume_tree,
    stop_all_trees,
    stop_tree,
)
from monitoring.family_tree.run import Ran, run_tree
from monitoring.family_tree.snapshots import latest_tree
from monitoring.family_tree.work import run_trees
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from monitoring.retention.family_trees import drop_pages
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, calls_used
from portfolio.models import CallKind, CallOutcome, Company, DnbCall, Registration
from tests.builders.calls import a_budget
from tests.builders.companies import duns_numbers
from tests.builders.data_fetches import monitored
from tests.builders.deliveries import delivered
from tests.builders.family_trees import (
    FAMILY,
    FIRST,
    FOURTH,
    ONE_CALL,
    SECOND,
    THIRD,
    TOP,
    a_family,
    fetched_tree,
    members_of,
    requested_tree,
    run,
)
from tests.builders.notifications import a_seed
from tests.builders.people import an_actor
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
TREE = CallKind.FAMILY_TREE


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.fixture(autouse=True)
def family(registration: Registration, control: SandboxControl) -> None:
    a_family(control)
    monitored(registration, THIRD)


def test_an_upward_chain_takes_one_call_and_is_stored_byte_for_byte(control: SandboxControl) -> None:
    tree = fetched_tree(THIRD, TreeKind.UPWARD)
    assert (tree.state, tree.top, tree.calls) == (TreeState.DONE, TOP, 1)
    assert members_of(tree) == {THIRD: FIRST, FIRST: TOP, TOP: ""}
    assert load_bytes(tree.page_key(1)).startswith(b"{")
    assert [(call["path"], call["status"]) for call in calls_of(control, "tree")] == [
        (f"/v1/familyTreeUpward/{THIRD}", 200)
    ]
    assert [(call.kind, call.outcome, call.about) for call in DnbCall.objects.all()] == [
        (TREE, CallOutcome.ANSWERED, THIRD)
    ]


def test_a_full_tree_of_one_page_takes_one_call(control: SandboxControl) -> None:
    tree = fetched_tree(THIRD)
    assert members_of(tree) == FAMILY
    assert (tree.state, tree.top, tree.member_count, tree.pages_read) == (TreeState.DONE, TOP, 5, 1)
    assert len(calls_of(control, "tree")) == 1 == calls_used(tree.contract, TREE)


def test_nothing_is_fetched_before_the_number_of_calls_is_confirmed(
    registration: Registration, control: SandboxControl
) -> None:
    plan = plan_trees(TreeKind.FULL, [THIRD])
    for confirmed in ({}, {TREE: 2}, {TREE: 1, CallKind.MATCH: 1}):
        with pytest.raises(CallsChanged):
            request_trees(plan, confirmed, by=an_actor("ann"))
    a_budget(registration.contract, TREE, 0)
    with pytest.raises(BudgetUsedUp):
        request_trees(plan, plan.calls, by=an_actor("ann"))
    assert not FamilyTree.objects.exists() and not calls_of(control, "tree")


def test_the_same_request_again_is_the_same_tree() -> None:
    plan, key = plan_trees(TreeKind.FULL, [THIRD]), time_first_id()
    first, second = (request_trees(plan, plan.calls, by=an_actor(name), key=key) for name in ("ann", "bob"))
    assert first == second == [FamilyTree.objects.get()]
    assert AuditEntry.objects.filter(action="family_tree.request").count() == 1


def test_chains_of_several_companies_take_one_call_each(registration: Registration, control: SandboxControl) -> None:
    monitored(registration, FOURTH)
    other = duns_numbers(1)[0]
    plan = plan_trees(TreeKind.UPWARD, [THIRD, FOURTH, other])
    assert (plan.calls, plan.left_out) == ({TREE: 2}, [other])
    request_trees(plan, plan.calls, by=an_actor("ann"))
    run_trees()
    assert {tree.duns: tree.state for tree in FamilyTree.objects.all()} == dict.fromkeys(
        (THIRD, FOURTH), TreeState.DONE
    )
    assert len(calls_of(control, "tree")) == 2


def test_what_no_registration_monitors_is_not_fetched() -> None:
    with pytest.raises(CannotFetchTree, match="None of the companies is monitored"):
        plan_trees(TreeKind.FULL, [SECOND])


def test_a_full_tree_is_of_one_company(registration: Registration) -> None:
    monitored(registration, FOURTH)
    with pytest.raises(CannotFetchTree, match="Select one company"):
        plan_trees(TreeKind.FULL, [THIRD, FOURTH])


def test_a_tree_that_is_not_finished_is_not_requested_again() -> None:
    tree = requested_tree(THIRD)
    with pytest.raises(CannotFetchTree, match="not complete yet") as refused:
        plan_trees(TreeKind.FULL, [THIRD])
    assert refused.value.tree == tree


@pytest.mark.parametrize("top", [TOP, ""])
def test_a_family_is_not_requested_by_another_member_before_it_is_finished(
    top: str, registration: Registration, control: SandboxControl
) -> None:
    """By the global ultimate that D&B has reported; where it has not, by the members that were read."""
    control.switch("family_tree_page", 4)
    monitored(registration, FOURTH)
    Company.objects.update(global_ultimate=top)
    tree = requested_tree(THIRD)
    if not top:
        tree = run(tree)
        assert FOURTH in members_of(tree) and tree.state == TreeState.STOPPED
    with pytest.raises(CannotFetchTree, match="not complete yet") as refused:
        plan_trees(TreeKind.FULL, [FOURTH])
    assert refused.value.tree == tree


def test_a_family_that_nobody_knows_yet_is_requested_once(registration: Registration) -> None:
    monitored(registration, FOURTH)
    Company.objects.update(global_ultimate="")
    plans = [plan_trees(TreeKind.FULL, [duns]) for duns in (THIRD, FOURTH)]
    (tree,) = request_trees(plans[0], ONE_CALL, by=an_actor("ann"))
    with pytest.raises(CannotFetchTree, match="may be of the same family"):
        request_trees(plans[1], ONE_CALL, by=an_actor("bob"))
    with pytest.raises(CannotFetchTree, match="may be of the same family"):
        plan_trees(TreeKind.FULL, [FOURTH])
    assert FamilyTree.objects.get() == tree
    run(tree)
    assert plan_trees(TreeKind.FULL, [FOURTH]).top == TOP


def test_chains_that_are_not_finished_are_left_out(registration: Registration) -> None:
    monitored(registration, FOURTH)
    chain = requested_tree(THIRD, TreeKind.UPWARD)
    plan = plan_trees(TreeKind.UPWARD, [THIRD, FOURTH])
    assert (plan.companies, plan.not_finished, plan.calls) == ([FOURTH], [THIRD], ONE_CALL)
    with pytest.raises(CannotFetchTree, match="An upward chain that ann requested") as refused:
        plan_trees(TreeKind.UPWARD, [THIRD])
    assert refused.value.tree == chain


@pytest.mark.parametrize("kind", TreeKind)
def test_of_two_who_request_the_same_at_the_same_time_not_both_pay(kind: TreeKind, control: SandboxControl) -> None:
    plans = [plan_trees(kind, [THIRD]) for _ in range(2)]
    first = request_trees(plans[0], ONE_CALL, by=an_actor("ann"))[0]
    with pytest.raises(CannotFetchTree, match="not complete yet") as refused:
        request_trees(plans[1], ONE_CALL, by=an_actor("bob"))
    assert refused.value.tree == first == FamilyTree.objects.get()
    run_trees()
    assert len(calls_of(control, "tree")) == 1


def test_of_chains_requested_at_the_same_time_the_others_begin(registration: Registration) -> None:
    monitored(registration, FOURTH)
    plan = plan_trees(TreeKind.UPWARD, [THIRD, FOURTH])
    chain = requested_tree(THIRD, TreeKind.UPWARD)
    (other,) = request_trees(plan, plan.calls, by=an_actor("bob"))
    assert (other.duns, other.state) == (FOURTH, TreeState.RUNNING)
    assert set(FamilyTree.objects.all()) == {chain, other}
    entry = AuditEntry.objects.get(action="family_tree.request", key=str(other.pk))
    assert json.loads(entry.after) == {"calls": {"family_tree": 1}, "companies": [FOURTH]}


def test_no_call_is_made_before_the_request_is_in_the_audit_trail(
    control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(requests, "record", killed)
        with pytest.raises(Killed):
            requested_tree(THIRD)
    run_trees()
    tree = FamilyTree.objects.get()
    assert (tree.state, calls_of(control, "tree")) == (TreeState.STOPPED, [])
    resume_tree(tree, ONE_CALL, by=an_actor("bob"))
    assert run(tree).state == TreeState.DONE
    assert AuditEntry.objects.filter(action="family_tree.resume", key=str(tree.pk)).count() == 1


def test_as_many_calls_are_planned_as_the_reported_members_need() -> None:
    linkage = {"globalUltimate": {"duns": TOP}, "globalUltimateFamilyTreeMembersCount": 2_001}
    delivered(a_seed(THIRD, corporateLinkage=linkage))
    assert plan_trees(TreeKind.FULL, [THIRD]).calls == {TREE: 3}


def test_as_many_calls_are_planned_as_pages_were_fetched_before(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    in_pages(3)
    assert plan_trees(TreeKind.FULL, [THIRD]).calls == {TREE: 3}


def in_pages(count: int) -> FamilyTree:
    """A tree that stops when its first confirmed call is used, and is continued."""
    tree = fetched_tree_stopped()
    assert calls_to_resume(tree) == {TREE: count - 1}
    resume_tree(tree, {TREE: count - 1}, by=an_actor("bob"))
    return run(tree)


def fetched_tree_stopped() -> FamilyTree:
    return run(requested_tree(THIRD))


def test_a_tree_whose_confirmed_calls_are_used_up_stops_no_other(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, FOURTH)
    control.switch("family_tree_page", 2)
    tree, chain = requested_tree(THIRD), requested_tree(FOURTH, TreeKind.UPWARD)
    run_trees()
    for row, state in ((tree, TreeState.STOPPED), (chain, TreeState.DONE)):
        row.refresh_from_db()
        assert row.state == state


def test_a_tree_with_more_pages_than_confirmed_stops_and_is_continued(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    assert (tree.state, tree.pages_read, tree.page_count) == (TreeState.STOPPED, 1, 3)
    assert "confirmed number of calls is used up" in tree.reason and len(members_of(tree)) == 2
    with pytest.raises(CallsChanged):
        resume_tree(tree, ONE_CALL, by=an_actor("bob"))
    resume_tree(tree, {TREE: 2}, by=an_actor("bob"))
    tree = run(tree)
    assert (tree.state, tree.pages_read, members_of(tree)) == (TreeState.DONE, 3, FAMILY)
    assert [call["params"]["page[number]"] for call in calls_of(control, "tree")] == ["1", "2", "3"]


def test_a_tree_goes_on_when_the_bytes_of_its_pages_are_gone(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    assert drop_pages(tree.contract_id, timezone.now()) == 1
    resume_tree(tree, {TREE: 2}, by=an_actor("bob"))
    tree = run(tree)
    assert (tree.state, tree.calls, members_of(tree)) == (TreeState.DONE, 3, FAMILY)
    assert tree.keeps_bytes and drop_pages(tree.contract_id, timezone.now()) == 1
    assert not any(load_bytes(key) for key in tree.page_keys())


@pytest.mark.parametrize("switch", [("family_tree_links", "absent"), ("family_tree_members", "organization")])
def test_pages_are_followed_in_every_layout(control: SandboxControl, switch: tuple[str, str]) -> None:
    control.switch("family_tree_page", 2)
    control.switch(*switch)
    assert members_of(in_pages(3)) == FAMILY


def test_pages_that_repeat_end_the_tree(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    control.switch("family_tree_odd", "repeated_page")
    tree = in_pages(3)
    assert (tree.state, tree.pages_read, len(members_of(tree))) == (TreeState.DONE, 2, 2)


@pytest.mark.parametrize("odd", ["cycle", "missing_parent", "twice"])
def test_odd_trees_are_kept(control: SandboxControl, odd: str) -> None:
    control.switch("family_tree_odd", odd)
    tree = fetched_tree(THIRD)
    assert tree.state == TreeState.DONE and set(members_of(tree)) == set(FAMILY)
    rows = FamilyTreeMember.objects.filter(tree=tree).count()
    assert rows == (6 if odd == "twice" else 5)


def test_that_there_is_no_tree_is_an_answer(registration: Registration, control: SandboxControl) -> None:
    alone = "777777777"
    monitored(registration, alone)
    tree = fetched_tree(alone)
    assert (tree.state, tree.calls, may_resume(tree)) == (TreeState.NONE, 1, False)
    assert tree.reason == "D&B has no family tree for this company."
    assert DnbCall.objects.get().outcome == CallOutcome.ANSWERED
    control.switch("family_tree_alone", "itself")
    tree = fetched_tree(alone)
    assert (tree.state, tree.top, members_of(tree)) == (TreeState.DONE, alone, {alone: ""})


@pytest.mark.parametrize(("kind", "words"), [("transferred", "transferred"), ("deleted", "")])
def test_a_company_that_is_no_more_has_none(control: SandboxControl, kind: str, words: str) -> None:
    control.mark([THIRD], kind, TOP if kind == "transferred" else "")
    tree = fetched_tree(THIRD)
    assert tree.state == TreeState.NONE and words in tree.reason.lower() and tree.reason


@pytest.mark.parametrize("kind", ["transferred", "deleted"])
def test_a_company_that_is_no_more_leaves_the_pages_that_were_read(control: SandboxControl, kind: str) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    control.mark([THIRD], kind, TOP if kind == "transferred" else "")
    resume_tree(tree, {TREE: 2}, by=an_actor("bob"))
    tree = run(tree)
    assert (tree.state, tree.pages_read) == (TreeState.STOPPED, 1) and tree.reason
    assert latest_tree(THIRD, TreeKind.FULL) == tree


@pytest.mark.parametrize("stated", [True, False])
def test_a_page_that_is_not_there_ends_a_tree_only_where_d_and_b_has_stated_none(
    stated: bool, control: SandboxControl
) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    resume_tree(tree, {TREE: 2}, by=an_actor("bob"))
    if not stated:
        FamilyTree.objects.update(page_count=None)
    control.set_fault("http_error", on="tree", times=1, status=404, code="20505")
    tree = run(tree)
    assert (tree.state, tree.pages_read) == (TreeState.STOPPED if stated else TreeState.DONE, 1)
    if stated:
        assert "stated 3 pages, but returned no page 2" in tree.reason
        resume_tree(tree, calls_to_resume(tree), by=an_actor("bob"))
        assert members_of(run(tree)) == FAMILY


FAULTS: dict[str, dict[str, Any]] = {
    "server_error": {},
    "gateway_html": {},
    "http_error": {"status": 404, "code": None, "shape": "html"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_fails_is_not_repeated_before_that_is_confirmed(control: SandboxControl, fault: str) -> None:
    control.set_fault(fault, on="tree", times=1, **FAULTS[fault])
    tree = requested_tree(THIRD)
    run_tree(tree, until=timezone.now() + timedelta(minutes=1))
    tree.refresh_from_db()
    assert (tree.state, tree.calling, len(calls_of(control, "tree"))) == (TreeState.STOPPED, 0, 1)
    run_trees()
    assert len(calls_of(control, "tree")) == 1
    resume_tree(tree, calls_to_resume(tree), by=an_actor("bob"))
    assert run(tree).state == TreeState.DONE
    assert len(calls_of(control, "tree")) == 2 == calls_used(tree.contract, TREE)


BAD = {"not JSON": b"{", "a list": b"[]", "no members": b'{"familyTreeMembers": [{"duns": "x"}]}'}


@pytest.mark.parametrize("body", BAD.values(), ids=list(BAD))
def test_an_invalid_answer_stops_the_tree(
    control: SandboxControl, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(running, "store_bytes", lambda key, _: store_bytes(key, body))
        tree = run(requested_tree(THIRD), Ran.FAILED)
    assert tree.state == TreeState.STOPPED and "invalid" in tree.reason and not members_of(tree)
    assert load_bytes(tree.page_key(1)) == body
    resume_tree(tree, ONE_CALL, by=an_actor("bob"))
    assert members_of(run(tree)) == FAMILY


def _nothing(key: Any, body: bytes) -> None: ...


KILLS: dict[str, Callable[[Any, bytes], None]] = {"before it is stored": _nothing, "after it is stored": store_bytes}


@pytest.mark.parametrize("kill", KILLS)
def test_whoever_is_killed_no_page_is_called_twice(
    kill: str, control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    resume_tree(tree, {TREE: 2}, by=an_actor("bob"))

    def killed(key: Any, body: bytes) -> None:
        KILLS[kill](key, body)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "store_bytes", killed)
        with pytest.raises(Killed):
            run_tree(tree, until=timezone.now() + timedelta(minutes=1))
    FamilyTree.objects.update(lease_until=None, lease_owner=None)
    run_trees()
    tree.refresh_from_db()
    if kill == "before it is stored":
        assert (tree.state, tree.pages_read, len(calls_of(control, "tree"))) == (TreeState.STOPPED, 1, 2)
        assert "not known whether D&B answered" in tree.reason
        resume_tree(tree, calls_to_resume(tree), by=an_actor("bob"))
        run(tree)
    assert (tree.state, members_of(tree)) == (TreeState.DONE, FAMILY)
    assert len(calls_of(control, "tree")) == 3 + (kill == "before it is stored") == calls_used(tree.contract, TREE)


def test_killed_after_the_members_are_there_the_next_page_follows(
    control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.switch("family_tree_page", 2)
    tree = requested_tree(THIRD)
    FamilyTree.objects.update(confirmed_calls=3)

    def killed(*_: Any) -> int:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(running, "_page_count", killed)
        with pytest.raises(Killed):
            run_tree(tree, until=timezone.now() + timedelta(minutes=1))
    assert len(members_of(tree)) == 2
    FamilyTree.objects.update(lease_until=None, lease_owner=None)
    assert members_of(run(tree)) == FAMILY
    assert len(calls_of(control, "tree")) == 3


def test_a_stop_holds_before_the_next_page(control: SandboxControl, monkeypatch: pytest.MonkeyPatch) -> None:
    control.switch("family_tree_page", 2)
    tree = requested_tree(THIRD)
    FamilyTree.objects.update(confirmed_calls=3)

    def stored(key: Any, body: bytes) -> None:
        store_bytes(key, body)
        stop_tree(tree, by=an_actor("bob"))

    monkeypatch.setattr(running, "store_bytes", stored)
    tree = run(tree)
    assert (tree.state, tree.reason, tree.pages_read) == (TreeState.STOPPED, "Stopped by bob.", 1)
    assert len(calls_of(control, "tree")) == 1 and not stop_tree(tree, by=an_actor("bob"))


def test_the_budget_ends_a_tree_between_pages(registration: Registration, control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    tree = requested_tree(THIRD)
    FamilyTree.objects.update(confirmed_calls=3)
    a_budget(registration.contract, TREE, 2)
    tree = run(tree, Ran.REFUSED)
    assert (tree.state, tree.pages_read, tree.calls) == (TreeState.STOPPED, 2, 2)
    assert "budget of Family Tree calls" in tree.reason
    a_budget(registration.contract, TREE, 9)
    resume_tree(tree, ONE_CALL, by=an_actor("bob"))
    assert members_of(run(tree)) == FAMILY


def test_what_d_and_b_refuses_stops_all_trees_of_the_contract(
    registration: Registration, control: SandboxControl
) -> None:
    monitored(registration, FOURTH)
    control.switch("family_tree", False)
    plan = plan_trees(TreeKind.UPWARD, [THIRD, FOURTH])
    request_trees(plan, plan.calls, by=an_actor("ann"))
    run_trees()
    assert len(calls_of(control, "tree")) == 1
    assert set(FamilyTree.objects.values_list("state", flat=True)) == {TreeState.STOPPED}


def test_failures_in_a_row_stop_all_trees_of_the_contract(registration: Registration, control: SandboxControl) -> None:
    numbers = [str(100_000_001 + number) for number in range(5)]
    monitored(registration, *numbers)
    control.set_fault("server_error", on="tree")
    plan = plan_trees(TreeKind.UPWARD, numbers)
    request_trees(plan, plan.calls, by=an_actor("ann"))
    run_trees()
    assert len(calls_of(control, "tree")) == 3
    assert set(FamilyTree.objects.values_list("state", flat=True)) == {TreeState.STOPPED}


def test_two_that_confirm_the_same_calls_make_them_once(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()
    other = FamilyTree.objects.get()
    for row, name in ((tree, "ann"), (other, "bob")):
        resume_tree(row, {TREE: 2}, by=an_actor(name))
    tree.refresh_from_db()
    assert tree.confirmed_calls == 3
    assert AuditEntry.objects.filter(action="family_tree.resume").count() == 1


def test_a_tree_that_stopped_can_be_discarded(control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    tree = requested_tree(THIRD)
    assert not discard_tree(tree, by=an_actor("ann")), "it runs"
    tree = run(tree)
    key = tree.page_key(1)
    assert discard_tree(tree, by=an_actor("ann"))
    assert not FamilyTree.objects.exists() and not FamilyTreeMember.objects.exists() and not load_bytes(key)
    assert plan_trees(TreeKind.FULL, [THIRD]).calls == ONE_CALL


def test_a_tree_that_is_being_discarded_is_not_continued(
    control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.switch("family_tree_page", 2)
    tree = fetched_tree_stopped()

    def killed(_: FamilyTree) -> None:
        resume_tree(tree, {TREE: 2}, by=an_actor("bob"))
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(requests, "remove_tree", killed)
        with pytest.raises(Killed):
            discard_tree(tree, by=an_actor("ann"))
    run_trees()
    assert len(calls_of(control, "tree")) == 1
    tree.refresh_from_db()
    assert tree.state == TreeState.STOPPED and discard_tree(tree, by=an_actor("ann"))


def test_a_tree_that_somebody_works_on_is_not_discarded(control: SandboxControl) -> None:
    tree = requested_tree(THIRD)
    stop_tree(tree, by=an_actor("bob"))
    FamilyTree.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert not discard_tree(tree, by=an_actor("ann")) and FamilyTree.objects.exists()


def test_after_a_restore_no_tree_goes_on_before_it_is_confirmed(control: SandboxControl) -> None:
    tree = requested_tree(THIRD)
    assert stop_all_trees("A backup was restored.") == 1
    run_trees()
    tree.refresh_from_db()
    assert (tree.state, may_resume(tree), calls_of(control, "tree")) == (TreeState.STOPPED, True, [])
