"""Family trees: a family at D&B, and trees that are requested and fetched."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from direct_plus.sandbox.control.client import SandboxControl
from monitoring.family_tree.plan import plan_trees
from monitoring.family_tree.request import request_trees
from monitoring.family_tree.run import Ran, run_tree
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from portfolio.models import CallKind, Contract
from tests.builders.people import an_actor
from tests.builders.registrations import REFERENCE

# The top, two subsidiaries, and two of the first of these.
TOP, FIRST, SECOND, THIRD, FOURTH = (f"{number}00000000" for number in range(1, 6))
FAMILY: Mapping[str, str] = {TOP: "", FIRST: TOP, SECOND: TOP, THIRD: FIRST, FOURTH: FIRST}
NAMES = {TOP: "Top AG", FIRST: "First GmbH", SECOND: "Second Ltd", THIRD: "Third SAS", FOURTH: "Fourth Inc"}


def a_family(control: SandboxControl, family: Mapping[str, str] = FAMILY) -> None:
    """Known to D&B, and in no list."""
    control.add_companies(REFERENCE, [_document(duns, parent) for duns, parent in family.items()], seed=False)
    control.remove_companies(REFERENCE, list(family))


def _document(duns: str, parent: str) -> dict[str, Any]:
    top = {"duns": TOP, "primaryName": NAMES[TOP]}
    linkage = {"globalUltimate": top, "branchesCount": 0}
    if parent:
        linkage["parent"] = {"duns": parent, "primaryName": NAMES.get(parent, parent)}
    return {"duns": duns, "primaryName": NAMES.get(duns, f"Company {duns}"), "corporateLinkage": linkage}


def requested_tree(duns: str, kind: TreeKind = TreeKind.FULL) -> FamilyTree:
    plan = plan_trees(kind, [duns])
    return request_trees(plan, plan.calls, by=an_actor("ann"))[0]


def run(tree: FamilyTree, expected: Ran = Ran.ENDED) -> FamilyTree:
    assert run_tree(tree, until=timezone.now() + timedelta(minutes=1)) is expected
    tree.refresh_from_db()
    return tree


def fetched_tree(duns: str, kind: TreeKind = TreeKind.FULL) -> FamilyTree:
    return run(requested_tree(duns, kind))


def a_tree(
    contract: Contract,
    family: Mapping[str, str] = FAMILY,
    *,
    kind: TreeKind = TreeKind.FULL,
    at: datetime | None = None,
    **columns: Any,
) -> FamilyTree:
    """One that was fetched, without D&B."""
    moment = at or timezone.now()
    given = {"duns": TOP, "top": TOP, "state": TreeState.DONE, "pages_read": 1, "page_count": 1, **columns}
    tree = FamilyTree.objects.create(
        contract=contract,
        kind=kind,
        confirmed_calls=1,
        calls=1,
        requested_by="ann",
        requested_at=moment,
        moved_at=moment,
        fetched_at=moment,
        **given,
    )
    add_rows(tree, family)
    return tree


def a_tree_of_each_kind(duns: str) -> None:
    contract = Contract.objects.get()
    for kind in TreeKind:
        a_tree(contract, {duns: ""}, kind=kind, duns=duns, top=duns)


def add_rows(tree: FamilyTree, family: Mapping[str, str]) -> None:
    FamilyTreeMember.objects.bulk_create(
        FamilyTreeMember(
            id=FamilyTreeMember.key(tree.pk, duns, parent), tree=tree, duns=duns, parent=parent,
            name=NAMES.get(duns, f"Company {duns}"),
        )
        for duns, parent in family.items()
    )  # fmt: skip


def members_of(tree: FamilyTree) -> dict[str, str]:
    return dict(FamilyTreeMember.objects.filter(tree=tree).values_list("duns", "parent"))


ONE_CALL = {CallKind.FAMILY_TREE: 1}
