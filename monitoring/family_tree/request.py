"""A tree is requested, stops and continues: each time after somebody has confirmed the calls that are made now."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text, insert_new
from core.ids import time_first_id
from core.jobs import ask_worker
from core.leases import is_held
from monitoring.family_tree.plan import TreePlan, calls_to_resume
from monitoring.models import FamilyTree, TreeState
from monitoring.retention.family_trees import remove_tree
from portfolio.call_budgets.calls import confirm_calls, require_calls
from portfolio.models import CallKind

RUN = "monitoring.family_tree.work.run_trees"


def known_trees(key: uuid.UUID | None, numbers: Sequence[str]) -> list[FamilyTree]:
    """What the same request has become before."""
    return list(FamilyTree.objects.filter(pk__in=[_key(key, duns) for duns in numbers])) if key else []


def request_trees(
    plan: TreePlan, confirmed: Mapping[CallKind, int], *, by: Actor, key: uuid.UUID | None = None
) -> list[FamilyTree]:
    """Raises CallsChanged or BudgetUsedUp; then nothing is fetched. The same `key` again is the same trees, and makes
    no further calls."""
    key = key or time_first_id()
    if known := known_trees(key, plan.companies):
        return known
    confirm_calls(plan.calls, confirmed)
    require_calls(plan.contract, plan.calls)
    trees = [_tree_of(plan, duns, by, _key(key, duns)) for duns in plan.companies]
    if insert_new(FamilyTree, trees):
        summary = gettext("%(kind)s requested: %(companies)s") % {
            "kind": plan.kind.label,
            "companies": plurals.companies(len(trees)),
        }
        after = {"calls": plan.calls, "companies": list(plan.companies)[:100]}
        record(actor=by, action="family_tree.request", thing=trees[0], summary=summary, after=after)
        ask_worker(RUN, task_name="Family trees")
    return list(FamilyTree.objects.filter(pk__in=[tree.pk for tree in trees]))


def _key(key: uuid.UUID, duns: str) -> uuid.UUID:
    return uuid.uuid5(key, duns)


def _tree_of(plan: TreePlan, duns: str, by: Actor, key: uuid.UUID) -> FamilyTree:
    now = timezone.now()
    return FamilyTree(
        id=key,
        contract=plan.contract,
        kind=plan.kind,
        duns=duns,
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
    """Go on with the page that is next; one without an answer is called again, which is why it is confirmed again."""
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
    fresh = FamilyTree.objects.filter(pk=tree.pk, state=TreeState.STOPPED).first()
    if fresh is None or is_held(fresh):
        return False
    _record(fresh, "discard", gettext("%(name)s discarded"), by, {"pages": fresh.pages_read})
    remove_tree(fresh)
    return True


def _record(tree: FamilyTree, act: str, words: str, by: Actor, after: Mapping[str, object] | None = None) -> None:
    record(actor=by, action=f"family_tree.{act}", thing=tree, summary=words % {"name": tree}, after=after)
