"""Two requests of one family, which nobody knew before their first pages: each further page is paid once."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.family_tree import request as requests
from monitoring.family_tree import run as running
from monitoring.family_tree.plan import CannotFetchTree, calls_to_resume
from monitoring.family_tree.request import discard_tree, resume_tree, stop_tree
from monitoring.family_tree.rivals import rival_of
from monitoring.models import FamilyTree, TreeState
from portfolio.models import CallKind, Company, Registration
from tests.builders.calls import a_budget
from tests.builders.data_fetches import monitored
from tests.builders.family_trees import FOURTH, THIRD, TOP, a_family, members_of, requested_tree, run
from tests.builders.people import an_actor
from tests.interleaving import cut_before, interleave, orders_with_two_switches, some_of
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two(registration: Registration, control: SandboxControl) -> tuple[FamilyTree, FamilyTree]:
    """Both stopped after their first page: the first one's call was in doubt while the second one was requested."""
    a_family(control)
    control.switch("family_tree_page", 2)
    for duns in (THIRD, FOURTH):
        monitored(registration, duns)
    Company.objects.update(global_ultimate="")
    first = requested_tree(THIRD)
    FamilyTree.objects.filter(pk=first.pk).update(state=TreeState.STOPPED, calls=1)
    second = run(requested_tree(FOURTH))
    assert (second.state, second.pages_read, second.top) == (TreeState.STOPPED, 1, TOP)
    FamilyTree.objects.filter(pk=first.pk).update(state=TreeState.RUNNING, confirmed_calls=2)
    return run(first), second


def go_on(tree: FamilyTree, by: str = "bob") -> None:
    resume_tree(tree, calls_to_resume(tree), by=an_actor(by))


def paid(control: SandboxControl) -> Counter[str]:
    return Counter(call["params"]["page[number]"] for call in calls_of(control, "tree"))


def test_of_two_that_stopped_only_the_first_is_continued(
    two: tuple[FamilyTree, FamilyTree], control: SandboxControl
) -> None:
    first, second = two
    with pytest.raises(CannotFetchTree, match="ann requested the same family, too") as refused:
        go_on(second)
    assert refused.value.tree == first and rival_of(first) is None
    go_on(first)
    assert (run(first).state, paid(control)) == (TreeState.DONE, {"1": 2, "2": 1, "3": 1})


def test_what_another_request_has_fetched_since_is_not_fetched_again(
    two: tuple[FamilyTree, FamilyTree], control: SandboxControl
) -> None:
    first, second = two
    go_on(first)
    run(first)
    with pytest.raises(CannotFetchTree, match="ann has fetched the same family since"):
        go_on(second)
    FamilyTree.objects.filter(pk=second.pk).update(state=TreeState.RUNNING, confirmed_calls=9)
    assert run(second).state == TreeState.STOPPED and "has fetched the same family since" in second.reason
    assert paid(control) == {"1": 2, "2": 1, "3": 1} and members_of(first)


def test_the_other_one_is_continued_when_the_first_is_discarded(two: tuple[FamilyTree, FamilyTree]) -> None:
    first, second = two
    assert discard_tree(first, by=an_actor("ann"))
    go_on(second)
    assert run(second).state == TreeState.DONE


def test_one_that_may_be_of_the_family_is_waited_for(two: tuple[FamilyTree, FamilyTree]) -> None:
    first, second = two
    FamilyTree.objects.filter(pk=second.pk).update(state=TreeState.RUNNING, pages_read=0, top="")
    with pytest.raises(CannotFetchTree, match="may be of the same family"):
        go_on(first)


@pytest.mark.every_engine
@pytest.mark.parametrize("asks", [True, False], ids=["continued by people", "without their check"])
def test_two_workers_pay_no_page_twice(
    asks: bool, two: tuple[FamilyTree, FamilyTree], control: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they take turns, and also where a person stops the other one between its look for others and its call;
    what the look before each call is for shows where both were continued at once."""
    a_budget(two[0].contract, CallKind.FAMILY_TREE, 10_000)
    cut_before(monkeypatch, (requests, "confirm_calls"), (running, "demand_no_rival"), (running, "_fetch"))
    before = {tree.pk: FamilyTree.objects.filter(pk=tree.pk).values().get() for tree in two}
    first, second = two
    for order in some_of(orders_with_two_switches(6, 6), share=14):
        for key, columns in before.items():
            FamilyTree.objects.filter(pk=key).update(**columns)
        seen = paid(control)
        interleave(order, _continued(first, second, asks=asks), _continued(second, first, asks=asks))
        assert set((paid(control) - seen).values()) <= {1}, f"paid twice in the order {order}"


def _continued(tree: FamilyTree, other: FamilyTree, *, asks: bool) -> Callable[[], None]:
    def work() -> None:
        tree.refresh_from_db()
        if asks:
            stop_tree(other, by=an_actor("eve"))
            with suppress(CannotFetchTree):
                go_on(tree)
        else:
            FamilyTree.objects.filter(pk=tree.pk).update(state=TreeState.RUNNING, confirmed_calls=9)
        running.run_tree(tree, until=timezone.now() + timedelta(minutes=1))

    return work
