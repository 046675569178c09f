"""What fetching family trees would do, before anybody confirms it: for which companies, and how many calls."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext

from direct_plus.client import LARGEST_TREE_PAGE
from monitoring.company_page.summary import LINKAGE
from monitoring.data_fetch.plan import registrations_of
from monitoring.family_tree.snapshots import latest_tree
from monitoring.history.state import apply_events, events_of
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.models import CallKind, Contract

OPEN = (TreeState.RUNNING, TreeState.STOPPED)


class CannotFetchTree(Exception):
    """Why not; the message says what to do."""

    def __init__(self, message: str, tree: FamilyTree | None = None) -> None:
        self.tree = tree
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class TreePlan:
    """The trees of these companies, and the calls of each."""

    contract: Contract
    kind: TreeKind
    companies: Sequence[str]
    calls_each: int
    left_out: Sequence[str] = field(default_factory=list)

    @property
    def calls(self) -> Mapping[CallKind, int]:
        return {CallKind.FAMILY_TREE: self.calls_each * len(self.companies)}


def plan_trees(kind: TreeKind, numbers: Collection[str]) -> TreePlan:
    """Of companies that a registration monitors: its contract pays."""
    found = registrations_of(numbers)
    contracts = {registration.contract for registration in found.values()}
    if not found:
        raise CannotFetchTree(
            gettext("None of the companies is monitored in a registration. Add them to a registration first.")
        )
    if len(contracts) > 1:
        raise CannotFetchTree(gettext("The companies belong to several contracts. Select companies of one contract."))
    if kind == TreeKind.FULL and len(found) > 1:
        raise CannotFetchTree(gettext("Select one company of the group. Its tree contains the others."))
    for duns in found if kind == TreeKind.FULL else ():
        _demand_none_open(duns)
    each = _pages_of(min(found)) if kind == TreeKind.FULL else 1
    return TreePlan(contracts.pop(), kind, sorted(found), each, sorted(set(numbers) - found.keys()))


def calls_to_resume(tree: FamilyTree) -> Mapping[CallKind, int]:
    """What is left of it, a call without an answer included."""
    return {CallKind.FAMILY_TREE: tree.pages_left}


def _demand_none_open(duns: str) -> None:
    """Who requests the same tree beside one that is not finished would pay its pages twice."""
    tree = FamilyTree.objects.filter(duns=duns, kind=TreeKind.FULL, state__in=OPEN).order_by("-requested_at").first()
    if tree is not None:
        words = gettext("A family tree that %(user)s requested is not complete yet. Continue or discard it.")
        raise CannotFetchTree(words % {"user": tree.requested_by}, tree)


def _pages_of(duns: str) -> int:
    """As many as the members that D&B has reported need; branches are counted, but not fetched, so it may be fewer."""
    known = latest_tree(duns, TreeKind.FULL)
    if known and known.page_count:
        return known.page_count
    events = events_of([duns], paths=[LINKAGE])[duns]
    count = apply_events(events).value(f"{LINKAGE}.globalUltimateFamilyTreeMembersCount")
    return max(math.ceil(count / LARGEST_TREE_PAGE), 1) if isinstance(count, int) else 1
