"""The trees that are kept of a company: the last one by a day, and whether D&B has reported other owners since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.db import in_batches
from monitoring.company_page.group import monitored_among
from monitoring.company_page.summary import LINKAGE
from monitoring.models import Change, FamilyTree, FamilyTreeMember, Kind, Severity, TreeKind


def latest_tree(duns: str, kind: TreeKind, until: datetime | None = None) -> FamilyTree | None:
    """The last that was complete by then; where none was, the last of which any page was read."""
    rows = _trees_of(duns, kind).exclude(pages_read=0).order_by("-fetched_at", "-id")
    if until:
        rows = rows.filter(fetched_at__lte=until)
    found = list(rows[:20])
    return next((tree for tree in found if tree.is_complete), found[0] if found else None)


def _trees_of(duns: str, kind: TreeKind) -> QuerySet[FamilyTree]:
    """An upward chain is of one company; a full tree is of all its members, and of the one that it was requested for:
    the page with that one may not be read yet."""
    if kind == TreeKind.UPWARD:
        return FamilyTree.objects.filter(duns=duns, kind=kind)
    keys = set(FamilyTreeMember.objects.filter(duns=duns).values_list("tree_id", flat=True))
    return FamilyTree.objects.filter(Q(pk__in=keys) | Q(duns=duns), kind=kind)


def changed_since(tree: FamilyTree, numbers: Collection[str], until: datetime | None = None) -> set[str]:
    """Those of these companies for which D&B has reported other owners or another place since."""
    if tree.fetched_at is None:
        return set()
    rows = _linkage_changes(tree.fetched_at)
    if until:
        rows = rows.filter(changed_at__lte=until)
    found: set[str] = set()
    for batch in in_batches(sorted(numbers)):
        found.update(rows.filter(company__in=batch).values_list("company_id", flat=True))
    return found


def outdated_chains(most: int, **which: object) -> list[FamilyTree]:
    """Upward chains of monitored companies whose owners or place D&B has reported to be others since; those of one
    contract, without those that are requested again."""
    rows = FamilyTree.objects.filter(kind=TreeKind.UPWARD, **which).order_by("requested_at")
    latest = {tree.duns: tree for tree in {tree.duns: tree for tree in rows}.values() if tree.is_complete}
    found: list[FamilyTree] = []
    for batch in in_batches(sorted(latest)):
        fetched = {duns: moment for duns in batch if (moment := latest[duns].fetched_at)}
        changes = _linkage_changes(min(fetched.values())).filter(company__in=batch)
        changed = {duns for duns, moment in changes.values_list("company_id", "changed_at") if moment > fetched[duns]}
        found += [latest[duns] for duns in sorted(monitored_among(changed))]
    return [tree for tree in found if tree.contract_id == found[0].contract_id][:most]


def _linkage_changes(since: datetime) -> QuerySet[Change]:
    return Change.objects.filter(
        kind=Kind.ELEMENT,
        changed_at__gt=since,
        changed_at__lte=timezone.now(),
        element__startswith=LINKAGE,
        severity__gt=Severity.NOISE,
        superseded=False,
    ).order_by()
