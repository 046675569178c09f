"""Outdated upward chains are fetched again automatically, as many a month as an administrator has permitted."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, time

from django.utils import timezone

from core.actors import Actor
from monitoring.family_tree.plan import NotFinished, plan_trees
from monitoring.family_tree.request import request_trees
from monitoring.family_tree.snapshots import outdated_chains
from monitoring.models import FamilyTree, TreeKind
from portfolio.call_budgets.calls import calls_left, this_month
from portfolio.models import CallKind, Contract

AUTOMATIC = Actor("chain refresh", uuid.UUID("b7e1c0de-6a4f-5b0b-9a52-0c1d7f3e8a46"))
AT_ONCE = 500


def refresh_chains() -> int:
    """What the nightly job does for every contract; returns how many chains were requested."""
    return sum(_refresh(contract) for contract in Contract.objects.exclude(chain_refreshes=None).order_by("name"))


def _refresh(contract: Contract) -> int:
    most = min(_permitted(contract), calls_left(contract, CallKind.FAMILY_TREE))
    numbers = outdated_chains(min(most, AT_ONCE), contract) if most > 0 else []
    if not numbers:
        return 0
    # Two runs on one day are one request.
    key = uuid.uuid5(AUTOMATIC.id, f"{contract.pk} {timezone.now():%Y-%m-%d}")
    try:
        plan = plan_trees(TreeKind.UPWARD, numbers)
        return len(request_trees(plan, plan.calls, by=AUTOMATIC, key=key))
    except NotFinished:
        # A user has requested them meanwhile.
        return 0


def _permitted(contract: Contract) -> int:
    """The rest of this month, in UTC like the call budget."""
    since = datetime.combine(this_month(), time.min, UTC)
    made = FamilyTree.objects.filter(contract=contract, requested_by=AUTOMATIC, requested_at__gte=since)
    return (contract.chain_refreshes or 0) - made.count()


def forbid_refreshes() -> None:
    """After a backup was put back: how many were made since is not known."""
    Contract.objects.update(chain_refreshes=None)
