"""The trees that are kept: the last by a day, and whether it is outdated."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitoring.family_tree.ownership import ownership_of
from monitoring.family_tree.snapshots import changed_since, latest_tree, outdated_chains
from monitoring.models import Change, TreeKind, TreeState
from portfolio.models import Contract
from tests.builders.contracts import a_contract
from tests.builders.deliveries import delivered
from tests.builders.family_trees import FAMILY, FIRST, SECOND, THIRD, TOP, a_tree
from tests.builders.notifications import a_seed, news
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
CHAIN = {THIRD: FIRST, FIRST: TOP, TOP: ""}
PARENT, COUNT = (f"organization.corporateLinkage.{name}" for name in ("parent", "globalUltimateFamilyTreeMembersCount"))
NOW = timezone.now()
EARLIER, LATER = NOW - timedelta(days=60), NOW - timedelta(days=20)


@pytest.fixture
def contract(db: None) -> Contract:
    return a_contract()


def test_the_tree_as_of_a_day_is_the_last_that_was_fetched_by_then(contract: Contract) -> None:
    earlier = a_tree(contract, at=EARLIER)
    later = a_tree(contract, {**FAMILY, SECOND: FIRST}, at=LATER)
    for duns in (TOP, THIRD):
        assert latest_tree(duns, TreeKind.FULL) == later
        assert latest_tree(duns, TreeKind.FULL, LATER - timedelta(days=1)) == earlier
        assert latest_tree(duns, TreeKind.FULL, EARLIER - timedelta(days=1)) is None
    assert latest_tree("123456789", TreeKind.FULL) is None


def test_a_complete_tree_is_shown_rather_than_a_later_part(contract: Contract) -> None:
    part: dict[str, Any] = {"state": TreeState.STOPPED, "page_count": 2}
    only = a_tree(contract, {TOP: "", FIRST: TOP}, at=LATER, **part)
    assert latest_tree(FIRST, TreeKind.FULL) == only
    whole = a_tree(contract, at=EARLIER)
    assert latest_tree(FIRST, TreeKind.FULL) == whole


def test_a_complete_tree_is_found_behind_many_parts(contract: Contract) -> None:
    whole = a_tree(contract, at=EARLIER)
    for hours in range(21):
        a_tree(contract, {TOP: ""}, state=TreeState.STOPPED, at=LATER + timedelta(hours=hours))
    assert latest_tree(TOP, TreeKind.FULL) == whole


def test_a_chain_is_of_its_company_alone(contract: Contract) -> None:
    chain = a_tree(contract, CHAIN, kind=TreeKind.UPWARD, duns=THIRD)
    assert latest_tree(THIRD, TreeKind.UPWARD) == chain
    assert latest_tree(FIRST, TreeKind.UPWARD) is None and latest_tree(THIRD, TreeKind.FULL) is None


def test_another_owner_reported_later_makes_a_chain_outdated(contract: Contract) -> None:
    a_subject(THIRD)
    chain = a_tree(contract, CHAIN, kind=TreeKind.UPWARD, duns=THIRD, at=EARLIER)
    delivered(a_seed(THIRD), news(PARENT, {"duns": FIRST}, {"duns": SECOND}, duns=THIRD))
    Change.objects.filter(element=PARENT).update(changed_at=LATER)
    assert changed_since(chain, [THIRD]) == {THIRD}
    assert ownership_of(THIRD).is_outdated and outdated_chains(10) == [THIRD]
    assert not ownership_of(THIRD, LATER - timedelta(days=1)).is_outdated
    newer = a_tree(contract, CHAIN, kind=TreeKind.UPWARD, duns=THIRD, at=NOW)
    assert not changed_since(newer, [THIRD]) and outdated_chains(10) == []


def test_the_size_of_the_family_makes_no_chain_outdated(contract: Contract) -> None:
    a_subject(THIRD)
    chain = a_tree(contract, CHAIN, kind=TreeKind.UPWARD, duns=THIRD, at=EARLIER)
    delivered(a_seed(THIRD), news(COUNT, 5, 6, duns=THIRD))
    assert not changed_since(chain, [THIRD])


def test_owners_are_named_from_the_top_down(contract: Contract) -> None:
    a_subject(FIRST)
    a_tree(contract, CHAIN, kind=TreeKind.UPWARD, duns=THIRD)
    owners = ownership_of(THIRD).owners
    assert [(one.member.name, one.is_monitored) for one in owners] == [
        ("Top AG", False),
        ("First GmbH", True),
        ("Third SAS", False),
    ]


def test_owners_that_own_each_other_are_named_once(contract: Contract) -> None:
    a_tree(contract, {THIRD: FIRST, FIRST: THIRD, TOP: ""}, kind=TreeKind.UPWARD, duns=THIRD)
    assert [one.member.duns for one in ownership_of(THIRD).owners] == [TOP, FIRST, THIRD]
