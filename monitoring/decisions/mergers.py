"""A company that D&B merged leaves its tier to the company that remains, so that this one goes on being reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext

from core.audit import record
from core.db import in_batches
from core.models import AuditEntry
from monitoring.decisions.reviews import KEPT, READ, day_of, kept_review, last_reviews, refresh_reviews
from monitoring.decisions.tiers import NONE, tier_text
from portfolio.models import MERGED, Company

# In the audit log, and as who set the tier: rules leave it, users may release it.
MERGER = "company merger"
CARRIED = "tier.carried"


def carry_tiers() -> int:
    """To companies that have none, and whose tier no user has set. Returns how many got one."""
    total = 0
    # Again, because the company that remains may have been merged itself.
    while carried := sum(_carry(batch) for batch in in_batches(_merged())):
        total += carried
    return total


def _merged() -> list[str]:
    rows = Company.objects.filter(MERGED).exclude(tier="")
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _carry(batch: Sequence[str]) -> int:
    merged = Company.objects.filter(pk__in=batch).only(*READ).order_by("pk")
    pairs = [(row, row.merged_into) for row in merged]
    remaining = Company.objects.in_bulk(sorted({duns for _, duns in pairs}))
    noted, reviewed = _noted(list(remaining)), last_reviews(batch)
    carried = [
        duns
        for row, duns in pairs
        if duns in remaining and duns not in noted and _carry_one(row, remaining[duns], reviewed.get(row.duns))
    ]
    refresh_reviews(carried)
    return len(set(carried))


def _noted(duns: Sequence[str]) -> set[str]:
    """Once for each company: who releases its tier later has decided."""
    rows = AuditEntry.objects.filter(what="company", key__in=duns, action=CARRIED)
    return set(rows.order_by().values_list("key", flat=True))


def _carry_one(merged: Company, remaining: Company, reviewed_at: datetime | None) -> bool:
    """The interval goes on from the last review of the merged company, and what was open there stays open. After a
    process that died behind the tier, only the entry is missing."""
    reviewed = day_of(reviewed_at) if reviewed_at else None
    start = max((day for day in (reviewed, merged.tier_set_on) if day), default=None)
    free = Company.objects.filter(pk=remaining.pk, tier="", tier_set_by="")
    kept = {name: getattr(merged, name) for name in KEPT} if kept_review(merged, reviewed_at) else {}
    is_new = bool(free.update(tier=merged.tier, tier_set_by=MERGER, tier_set_on=start, **kept))
    if is_new or (remaining.tier_set_by == MERGER and remaining.tier == merged.tier):
        _note(merged, remaining)
    return is_new


def _note(merged: Company, remaining: Company) -> None:
    told = {"company": remaining, "tier": tier_text(merged.tier), "merged": merged.duns}
    record(
        actor=MERGER,
        action=CARRIED,
        thing=remaining,
        summary=gettext("%(company)s: tier “%(tier)s” of the merged company %(merged)s") % told,
        before={"tier": NONE},
        after={"tier": merged.tier, "set_by": MERGER},
    )
