"""A tree is requested, stops and continues: each time after somebody has confirmed the calls that are made now."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text, insert_new
from core.ids import time_first_id
from core.jobs import ask_worker
from core.leases import Hold, releasing
from monitoring.family_tree.plan import (
    FamilyUnknown,
    NotFinished,
    TreePlan,
    calls_to_resume,
    unfinished_trees,
    unknown_families,
)
from monitoring.family_tree.rivals import demand_no_rival
from monitoring.models import FamilyTree, TreeKind, TreeState
from monitoring.retention.family_trees import remove_tree
from portfolio.call_budgets.calls import confirm_calls, require_calls
from portfolio.dnb_client import longest_call
from portfolio.models import CallKind

RUN = "monitoring.family_tree.work.run_trees"


def known_trees(key: uuid.UUID | None, numbers: Sequence[str]) -> list[FamilyTree]:
    """What the same request has become before."""
    return list(FamilyTree.objects.filter(pk__in=[_key(key, duns) for duns in numbers])) if key else []


def request_trees(
    plan: TreePlan, confirmed: Mapping[CallKind, int], *, by: Actor, key: uuid.UUID | None = None
) -> list[FamilyTree]:
    """Raises CallsChanged, BudgetUsedUp or CannotFetchTree; then nothing is fetched. The same `key` again is the same
    trees, and makes no further calls."""
    key = key or time_first_id()
    if known := known_trees(key, plan.companies):
        return known
    confirm_calls(plan.calls, confirmed)
    require_calls(plan.contract, plan.calls)
    stored = insert_new(FamilyTree, [_tree_of(plan, duns, by, _key(key, duns)) for duns in plan.companies])
    if stored:
        _begin(_without_others(plan, stored), by)
    return known_trees(key, plan.companies)


def _without_others(plan: TreePlan, stored: Sequence[FamilyTree]) -> list[FamilyTree]:
    """Of two who request the same at the same time, not both pay: each stores its own before it looks for others, and
    begins only where there are none."""
    same = unfinished_trees(plan.kind, [tree.duns for tree in stored], plan.top)
    others = same.exclude(pk__in=[tree.pk for tree in stored])
    # A full tree is requested alone.
    beside = {tree.duns if plan.kind == TreeKind.UPWARD else stored[0].duns: tree for tree in others}
    if beside:
        _not_begun(tree for tree in stored if tree.duns in beside).delete()
    elif plan.kind == TreeKind.FULL:
        _demand_other_family(plan, stored[0])
    if trees := [tree for tree in stored if tree.duns not in beside]:
        return trees
    raise NotFinished(beside[min(beside)])


def _demand_other_family(plan: TreePlan, tree: FamilyTree) -> None:
    if other := unknown_families(plan.top).exclude(pk=tree.pk).first():
        _not_begun([tree]).delete()
        raise FamilyUnknown(other)


def _begin(trees: Sequence[FamilyTree], by: Actor) -> None:
    """No call is made before it is on record who requested it."""
    summary = gettext("%(kind)s requested: %(companies)s") % {
        "kind": TreeKind(trees[0].kind).label,
        "companies": plurals.companies(len(trees)),
    }
    after = {
        "calls": {CallKind.FAMILY_TREE: sum(tree.confirmed_calls for tree in trees)},
        "companies": [tree.duns for tree in trees][:100],
    }
    record(actor=by, action="family_tree.request", thing=trees[0], summary=summary, after=after)
    _not_begun(trees).update(state=TreeState.RUNNING, reason="")
    ask_worker(RUN, task_name="Family trees")


def _not_begun(trees: Iterable[FamilyTree]) -> QuerySet[FamilyTree]:
    return FamilyTree.objects.filter(pk__in=[tree.pk for tree in trees], state=TreeState.STOPPED, calls=0)


def _key(key: uuid.UUID, duns: str) -> uuid.UUID:
    return uuid.uuid5(key, duns)


def _tree_of(plan: TreePlan, duns: str, by: Actor, key: uuid.UUID) -> FamilyTree:
    now = timezone.now()
    return FamilyTree(
        id=key,
        contract=plan.contract,
        kind=plan.kind,
        duns=duns,
        top=plan.top,
        state=TreeState.STOPPED,
        reason=clean_text(gettext("The process ended before the first call. Continue, or discard the request.")),
        confirmed_calls=plan.calls_each,
        requested_by=clean_text(by, 200),
        requested_at=now,
        moved_at=now,
    )


def stop_tree(tree: FamilyTree, *, by: Actor) -> bool:
    """After the call that is being made; False where it did not run any more."""
    reason = clean_text(gettext("Stopped by %(user)s.") % {"user": by})
    running = FamilyTree.objects.filter(pk=tree.pk, state=TreeState.RUNNING)
    if not running.update(state=TreeState.STOPPED, reason=reason):
        return False
    _record(tree, "stop", gettext("%(name)s stopped"), by)
    return True


def stop_all_trees(reason: str, **which: object) -> int:
    """Calls that were made since are not known after a backup was put back, and would be made once more."""
    running = FamilyTree.objects.filter(state=TreeState.RUNNING, **which)
    return running.update(state=TreeState.STOPPED, reason=clean_text(reason), lease_owner=None, lease_until=None)


def may_resume(tree: FamilyTree) -> bool:
    return tree.state == TreeState.STOPPED


def resume_tree(tree: FamilyTree, confirmed: Mapping[CallKind, int], *, by: Actor) -> None:
    """Go on with the page that is next; one without an answer is called again, which is why it is confirmed again.

    Raises CallsChanged, BudgetUsedUp or CannotFetchTree; then it stays as it is.
    """
    demand_no_rival(tree)
    planned = calls_to_resume(tree)
    confirm_calls(planned, confirmed)
    require_calls(tree.contract, planned)
    resumed = {
        "state": TreeState.RUNNING,
        "reason": "",
        "confirmed_calls": tree.calls + planned[CallKind.FAMILY_TREE],
        "moved_at": timezone.now(),
    }
    # Of two who confirm the same calls, one does.
    if FamilyTree.objects.filter(pk=tree.pk, state=TreeState.STOPPED, calls=tree.calls).update(**resumed):
        _record(tree, "resume", gettext("%(name)s continued"), by, {"calls": planned})
        ask_worker(RUN, task_name="Family trees")


def discard_tree(tree: FamilyTree, *, by: Actor) -> bool:
    """Remove one that stopped, with its pages; False where it runs, or is complete."""
    rows = FamilyTree.objects.filter(pk=tree.pk)
    with releasing(Hold.take(rows.filter(state=TreeState.STOPPED), longest_call())) as hold:
        if hold is None:
            return False
        hold.row = rows
        # From here on nobody can continue it, nor is any call left should this process die.
        if not hold.held().filter(state=TreeState.STOPPED).update(state=TreeState.RUNNING, confirmed_calls=0):
            return False
        fresh = hold.held().get()
        _record(fresh, "discard", gettext("%(name)s discarded"), by, {"pages": fresh.pages_read})
        remove_tree(fresh)
        return True


def _record(tree: FamilyTree, act: str, words: str, by: Actor, after: Mapping[str, object] | None = None) -> None:
    record(actor=by, action=f"family_tree.{act}", thing=tree, summary=words % {"name": tree}, after=after)
