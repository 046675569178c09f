"""Outdated chains are fetched again automatically, within what an administrator has permitted."""

from datetime import timedelta

import pytest
from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.family_tree import refresh
from monitoring.family_tree.refresh import AUTOMATIC, forbid_refreshes, refresh_chains
from monitoring.family_tree.snapshots import outdated_chains
from monitoring.family_tree.work import run_trees
from monitoring.models import Change, FamilyTree, TreeKind, TreeState
from portfolio.models import CallKind, Contract, Registration, Subject
from tests.builders.calls import a_budget
from tests.builders.companies import duns_numbers
from tests.builders.contracts import a_contract
from tests.builders.data_fetches import monitored
from tests.builders.deliveries import delivered
from tests.builders.family_trees import FIRST, SECOND, a_tree
from tests.builders.notifications import a_seed, news
from tests.builders.registrations import a_registration
from tests.servers.sandbox import calls_of

pytestmark = pytest.mark.django_db
NUMBERS = duns_numbers(3)
PARENT = "organization.corporateLinkage.parent"


@pytest.fixture(autouse=True)
def outdated(registration: Registration) -> None:
    monitored(registration, *NUMBERS)
    for duns in NUMBERS:
        delivered(a_seed(duns), news(PARENT, {"duns": FIRST}, {"duns": SECOND}, duns=duns), registration=registration)
        a_tree(
            registration.contract, {duns: ""}, kind=TreeKind.UPWARD, duns=duns, at=timezone.now() - timedelta(days=60)
        )
    Change.objects.filter(element=PARENT).update(changed_at=timezone.now() - timedelta(days=1))


def permit(count: int | None) -> None:
    Contract.objects.update(chain_refreshes=count)


def requested() -> int:
    return FamilyTree.objects.filter(requested_by=AUTOMATIC).count()


def test_without_permission_no_chain_is_requested(control: SandboxControl) -> None:
    for count in (None, 0):
        permit(count)
        assert refresh_chains() == 0
    assert not calls_of(control, "tree")


def test_outdated_chains_are_requested_and_fetched_once(control: SandboxControl) -> None:
    permit(10)
    assert [refresh_chains() for _ in range(2)] == [3, 0]
    run_trees()
    assert refresh_chains() == 0
    assert len(calls_of(control, "tree")) == 3


def test_no_more_chains_a_month_than_are_permitted() -> None:
    permit(2)
    assert [refresh_chains() for _ in range(2)] == [2, 0] and requested() == 2
    FamilyTree.objects.filter(requested_by=AUTOMATIC).update(requested_at=timezone.now() - timedelta(days=40))
    FamilyTree.objects.filter(requested_by=AUTOMATIC).update(state=TreeState.DONE, fetched_at=timezone.now())
    assert refresh_chains() == 1, "the next month has its own"


def test_no_more_chains_than_the_budget_has_left(registration: Registration) -> None:
    permit(10)
    a_budget(registration.contract, CallKind.FAMILY_TREE, 1)
    assert refresh_chains() == 1


def test_whoever_pays_for_a_company_now_refreshes_its_chain(registration: Registration) -> None:
    payer = registration.contract
    FamilyTree.objects.update(contract=a_contract(name="Before"))
    Contract.objects.update(chain_refreshes=10)
    assert outdated_chains(1, payer) == [min(NUMBERS)]
    assert refresh_chains() == 3
    assert set(FamilyTree.objects.filter(requested_by=AUTOMATIC).values_list("contract", flat=True)) == {payer.pk}


def test_companies_of_others_take_no_place_of_a_contract(
    registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chains that a contract fetched, and that another one pays for now, come first by their numbers."""
    first, *others = sorted(NUMBERS)
    other = a_registration("OTHER", contract=a_contract(name="Other"))
    Subject.objects.filter(company=first).delete()
    monitored(other, first)
    permit(10)
    monkeypatch.setattr(refresh, "AT_ONCE", 1)
    refresh_chains()
    assert set(FamilyTree.objects.filter(requested_by=AUTOMATIC).values_list("duns", "contract")) == {
        (first, other.contract_id),
        (others[0], registration.contract_id),
    }


def test_what_stopped_is_not_requested_again() -> None:
    permit(10)
    refresh_chains()
    FamilyTree.objects.filter(requested_by=AUTOMATIC).update(state=TreeState.STOPPED)
    assert refresh_chains() == 0


def test_a_restored_backup_takes_the_permission_back() -> None:
    permit(10)
    forbid_refreshes()
    assert refresh_chains() == 0
