"""What goes: an erased company, and what retention lets go."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from core.blobs import load_bytes, store_bytes
from core.db import database_now
from dnbmon_site.operations.erase import registration as registrations
from dnbmon_site.operations.erase.company import CannotForget, forget, plan
from monitoring.family_tree.removal import forget_member
from monitoring.family_tree.snapshots import latest_tree
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from monitoring.retention.family_trees import drop_pages, drop_trees
from portfolio.models import Company, Contract, RegistrationState
from tests.builders.companies import a_company
from tests.builders.contracts import a_contract
from tests.builders.family_trees import FAMILY, FIRST, FOURTH, SECOND, THIRD, TOP, a_tree, members_of
from tests.builders.registrations import REFERENCE, a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def contract(db: None) -> Contract:
    return a_contract()


def with_bytes(tree: FamilyTree) -> FamilyTree:
    store_bytes(tree.page_key(1), b'{"primaryName": "First GmbH"}')
    return tree


def test_an_erased_member_leaves_nothing_and_the_others_stay(contract: Contract) -> None:
    tree = with_bytes(a_tree(contract, duns=FIRST))
    assert forget_member(FIRST) == 1
    assert members_of(tree) == {TOP: "", SECOND: TOP, THIRD: "", FOURTH: ""}
    tree.refresh_from_db()
    assert (tree.duns, load_bytes(tree.page_key(1))) == (TOP, b"")


def test_trees_that_are_about_an_erased_company_go(contract: Contract) -> None:
    trees = [with_bytes(a_tree(contract)), with_bytes(a_tree(contract, kind=TreeKind.UPWARD, duns=THIRD))]
    forget_member(TOP)
    assert not FamilyTree.objects.exists() and not FamilyTreeMember.objects.exists()
    assert [load_bytes(tree.page_key(1)) for tree in trees] == [b"", b""]
    a_tree(contract, {THIRD: TOP, TOP: ""}, kind=TreeKind.UPWARD, duns=THIRD)
    forget_member(THIRD)
    assert not FamilyTree.objects.exists()


def test_erasing_a_company_takes_it_out_of_trees(contract: Contract) -> None:
    tree = with_bytes(a_tree(contract))
    a_company(FIRST, "First GmbH")
    expected = {"family tree members": 1, "family trees": 1}
    for removal in (plan(FIRST), forget(FIRST, by="ann", now=True)):
        assert {name: removal.counts[name] for name in expected} == expected
    assert FIRST not in {*members_of(tree), *members_of(tree).values()} and not load_bytes(tree.page_key(1))


def test_who_is_in_no_tree_changes_none(contract: Contract) -> None:
    tree = with_bytes(a_tree(contract))
    assert forget_member("123456789") == 0 and load_bytes(tree.page_key(1))


def test_bytes_go_after_their_time_and_trees_stay(contract: Contract) -> None:
    old, new = (with_bytes(a_tree(contract, at=NOW - timedelta(days=days))) for days in (90, 10))
    assert [drop_pages(contract.pk, NOW - timedelta(days=30)) for _ in range(2)] == [1, 0]
    assert (load_bytes(old.page_key(1)), bool(load_bytes(new.page_key(1)))) == (b"", True)
    assert len(members_of(old)) == 5


def test_trees_go_that_another_one_before_the_cut_replaces(contract: Contract) -> None:
    first, second, third = (a_tree(contract, at=NOW - timedelta(days=days)) for days in (90, 60, 10))
    chain = a_tree(contract, kind=TreeKind.UPWARD, duns=THIRD, at=NOW - timedelta(days=95))
    assert drop_trees(contract.pk, NOW - timedelta(days=30)) == 1
    assert set(FamilyTree.objects.all()) == {second, third, chain}
    assert latest_tree(FIRST, TreeKind.FULL, NOW - timedelta(days=30)) == second
    assert not FamilyTreeMember.objects.filter(tree_id=first.pk).exists()


def test_a_company_of_a_tree_that_is_being_fetched_is_not_erased_meanwhile(contract: Contract) -> None:
    tree = with_bytes(a_tree(contract, state=TreeState.RUNNING))
    a_company(FIRST, "First GmbH")
    later = database_now() + timedelta(minutes=1)
    for columns in ({"state": TreeState.RUNNING}, {"state": TreeState.STOPPED, "lease_until": later}):
        FamilyTree.objects.update(**columns)
        with pytest.raises(CannotForget, match="is being fetched"):
            forget(FIRST, by="ann", now=True)
        assert members_of(tree) == FAMILY and load_bytes(tree.page_key(1))
    FamilyTree.objects.update(lease_until=None)
    forget(FIRST, by="ann", now=True)
    assert FIRST not in members_of(tree)


def test_an_erased_registration_leaves_trees_as_they_are(contract: Contract) -> None:
    registration = a_registration(REFERENCE, contract=contract, state=RegistrationState.PAUSED)
    a_subject(FIRST, registration)
    tree = with_bytes(a_tree(contract))
    registrations.forget(registration, by="ann")
    assert not Company.objects.filter(pk=FIRST).exists()
    assert members_of(tree) == FAMILY and load_bytes(tree.page_key(1))


def test_bytes_of_an_invalid_page_go_after_their_time(contract: Contract) -> None:
    tree = a_tree(contract, {}, state=TreeState.STOPPED, pages_read=0, at=NOW - timedelta(days=90))
    FamilyTree.objects.update(fetched_at=None)
    store_bytes(tree.page_key(1), b"{")
    assert drop_pages(contract.pk, NOW - timedelta(days=30)) == 1
    assert not load_bytes(tree.page_key(1))


def test_bytes_of_a_tree_that_is_worked_on_stay(contract: Contract) -> None:
    tree = with_bytes(a_tree(contract, state=TreeState.STOPPED, at=NOW - timedelta(days=90)))
    cut = NOW - timedelta(days=30)
    FamilyTree.objects.update(lease_until=database_now() + timedelta(minutes=1))
    assert drop_pages(contract.pk, cut) == 0 and load_bytes(tree.page_key(1))
    FamilyTree.objects.update(lease_until=None)
    assert drop_pages(contract.pk, cut) == 1 and not load_bytes(tree.page_key(1))
    tree.refresh_from_db()
    assert tree.lease_until is None


def test_a_tree_without_a_top_is_replaced_by_one_of_its_company_alone(contract: Contract) -> None:
    old, new, cut = NOW - timedelta(days=90), NOW - timedelta(days=60), NOW - timedelta(days=30)
    tree = a_tree(contract, duns=FIRST, top="", at=old)
    a_tree(contract, duns=SECOND, top="", at=new)
    assert drop_trees(contract.pk, cut) == 0
    a_tree(contract, duns=FIRST, at=new)
    assert drop_trees(contract.pk, cut) == 1 and not FamilyTree.objects.filter(pk=tree.pk).exists()


def test_replaced_trees_are_found_by_two_queries(
    contract: Contract, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(60, 65):
        a_tree(contract, duns=FIRST, top=str(days), at=NOW - timedelta(days=days))
    with django_assert_num_queries(2):
        assert drop_trees(contract.pk, NOW - timedelta(days=30)) == 0
