"""What runs in the background for family trees; the job works a minute and may run twice."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.utils import timezone

from core.db import clean_text
from core.jobs import ask_worker, run_step
from monitoring.family_tree.request import RUN, stop_all_trees
from monitoring.family_tree.run import Ran, run_tree
from monitoring.models import FamilyTree, TreeState

WORKING_TIME = timedelta(seconds=50)
AT_ONCE = 500
# In a row: all further calls of the contract would fare alike.
MOST_FAILURES = 3


def run_trees() -> int:
    """Fetch what is requested, and what a process that died has left; returns how many trees were worked on."""
    until, failures = timezone.now() + WORKING_TIME, Counter[str]()
    running = FamilyTree.objects.filter(state=TreeState.RUNNING).select_related("contract")
    worked_on = 0
    for tree in list(running.order_by("moved_at")[:AT_ONCE]):
        if failures[tree.contract_id] >= MOST_FAILURES:
            continue
        if timezone.now() >= until:
            ask_worker(RUN, task_name="Family trees")
            break
        worked_on += 1
        ran = _run(tree, until)
        failures[tree.contract_id] = _failures(ran, failures[tree.contract_id])
        if failures[tree.contract_id] >= MOST_FAILURES:
            _stop_others(tree)
    return worked_on


def _run(tree: FamilyTree, until: datetime) -> Ran:
    ends: list[Ran] = []

    def note(trouble: str) -> None:
        """Tried again after a while; the page shows why."""
        FamilyTree.objects.filter(pk=tree.pk).update(reason=clean_text(trouble), moved_at=timezone.now())

    run_step(lambda: ends.append(run_tree(tree, until=until)), note=note)
    return ends[0] if ends else Ran.FAILED


def _failures(ran: Ran, before: int) -> int:
    return MOST_FAILURES if ran is Ran.REFUSED else before + 1 if ran is Ran.FAILED else 0


def _stop_others(tree: FamilyTree) -> None:
    """With the reason of this one: their calls would be taken from the budget, and fail too."""
    tree.refresh_from_db(fields=["reason"])
    stop_all_trees(tree.reason, contract=tree.contract_id)
