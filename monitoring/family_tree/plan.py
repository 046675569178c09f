"""What fetching family trees would do, before anybody confirms it: for which companies, and how many calls."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from direct_plus.client import LARGEST_TREE_PAGE
from monitoring.company_page.summary import LINKAGE
from monitoring.data_fetch.plan import registrations_of
from monitoring.family_tree.snapshots import latest_tree
from monitoring.history.state import apply_events, events_of
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from portfolio.models import CallKind, Company, Contract

OPEN = (TreeState.RUNNING, TreeState.STOPPED)


class CannotFetchTree(Exception):
    """Why not; the message says what to do."""

    def __init__(self, message: str, tree: FamilyTree | None = None) -> None:
        self.tree = tree
        super().__init__(message)


class NotFinished(CannotFetchTree):
    """Who requests the same tree beside one that is not finished would pay its pages twice."""

    def __init__(self, tree: FamilyTree) -> None:
        words = (
            gettext("An upward chain that %(user)s requested is not complete yet. Continue or discard it.")
            if tree.kind == TreeKind.UPWARD
            else gettext("A family tree that %(user)s requested is not complete yet. Continue or discard it.")
        )
        super().__init__(words % {"user": tree.requested_by}, tree)


class FamilyUnknown(CannotFetchTree):
    """It may be the one that is being fetched: D&B has not reported the global ultimate, and no page shows it yet."""

    def __init__(self, tree: FamilyTree) -> None:
        words = gettext(
            "A family tree that %(user)s requested may be of the same family. Try again when its first page has "
            "arrived, or discard it."
        )
        super().__init__(words % {"user": tree.requested_by}, tree)


@dataclass(frozen=True, slots=True)
class TreePlan:
    """The trees of these companies, and the calls of each; `top` is the global ultimate of a full one, where known."""

    contract: Contract
    kind: TreeKind
    companies: Sequence[str]
    calls_each: int
    left_out: Sequence[str] = field(default_factory=list)
    not_finished: Sequence[str] = field(default_factory=list)
    top: str = ""

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
    contract, left_out = contracts.pop(), sorted(set(numbers) - found.keys())
    if kind == TreeKind.FULL:
        return _plan_full(contract, min(found), left_out)
    beside = {tree.duns: tree for tree in unfinished_trees(kind, found)}
    if companies := sorted(found.keys() - beside.keys()):
        return TreePlan(contract, kind, companies, 1, left_out, sorted(beside))
    raise NotFinished(beside[min(beside)])


def _plan_full(contract: Contract, duns: str, left_out: Sequence[str]) -> TreePlan:
    known = latest_tree(duns, TreeKind.FULL)
    reported = Company.objects.filter(pk=duns).values_list("global_ultimate", flat=True).first()
    top = reported or (known.top if known else "")
    if beside := unfinished_trees(TreeKind.FULL, [duns], top).order_by("-requested_at").first():
        raise NotFinished(beside)
    if beside := unknown_families(top).order_by("-requested_at").first():
        raise FamilyUnknown(beside)
    return TreePlan(contract, TreeKind.FULL, [duns], _pages_of(duns, known), left_out, top=top)


def calls_to_resume(tree: FamilyTree) -> Mapping[CallKind, int]:
    """What is left of it, a call without an answer included."""
    return {CallKind.FAMILY_TREE: tree.pages_left}


def unfinished_trees(kind: TreeKind, numbers: Collection[str], top: str = "") -> QuerySet[FamilyTree]:
    """Those of the same companies or, of full trees, of the same family."""
    rows = FamilyTree.objects.filter(kind=kind, state__in=OPEN)
    if kind == TreeKind.UPWARD:
        return rows.filter(duns__in=list(numbers))
    keys = set(FamilyTreeMember.objects.filter(duns__in=list(numbers)).values_list("tree_id", flat=True))
    is_same = Q(pk__in=keys) | Q(duns__in=[*numbers, top])
    return rows.filter(is_same | Q(top=top) if top else is_same)


def unknown_families(top: str) -> QuerySet[FamilyTree]:
    """Full trees before their first answer that may be of the family of this global ultimate, or of an unknown one."""
    is_before = Q(state=TreeState.RUNNING) | Q(state=TreeState.STOPPED, calls=0)
    rows = FamilyTree.objects.filter(is_before, kind=TreeKind.FULL, pages_read=0)
    return rows.filter(top="") if top else rows


def _pages_of(duns: str, known: FamilyTree | None) -> int:
    """As many as the members that D&B has reported need; branches are counted, but not fetched, so it may be fewer."""
    if known and known.page_count:
        return known.page_count
    events = events_of([duns], paths=[LINKAGE])[duns]
    count = apply_events(events).value(f"{LINKAGE}.globalUltimateFamilyTreeMembersCount")
    return max(math.ceil(count / LARGEST_TREE_PAGE), 1) if isinstance(count, int) else 1
