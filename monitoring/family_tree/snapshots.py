"""The trees that are kept of a company: the last one by a day, and whether D&B has reported other owners since."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Case, IntegerField, Q, QuerySet, When
from django.utils import timezone

from core.db import in_batches
from monitoring.company_page.summary import LINKAGE
from monitoring.data_fetch.plan import registrations_of
from monitoring.models import Change, FamilyTree, FamilyTreeMember, Kind, Severity, TreeKind, TreeState
from portfolio.models import Contract


def latest_tree(duns: str, kind: TreeKind, until: datetime | None = None) -> FamilyTree | None:
    """The last that was complete by then; where none was, the last of which any page was read."""
    rows = _trees_of(duns, kind).exclude(pages_read=0)
    if until:
        rows = rows.filter(fetched_at__lte=until)
    is_part = Case(When(state=TreeState.DONE, then=0), default=1, output_field=IntegerField())
    return rows.annotate(is_part=is_part).order_by("is_part", "-fetched_at", "-id").first()


def none_at_dnb(duns: str, kind: TreeKind, until: datetime | None = None) -> datetime | None:
    """When D&B last answered that it has none for the company."""
    rows = FamilyTree.objects.filter(duns=duns, kind=kind, state=TreeState.NONE)
    if until:
        rows = rows.filter(moved_at__lte=until)
    return rows.order_by("-moved_at").values_list("moved_at", flat=True).first()


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


def outdated_chains(most: int, contract: Contract | None = None) -> list[str]:
    """Monitored companies of whose upward chain D&B has reported other owners or another place since; those that one
    contract pays for now, without those that are requested again."""
    changed = _changed_chains()
    payers = {duns: registration.contract_id for duns, registration in registrations_of(changed).items()}
    payer = contract.pk if contract else payers[min(payers)] if payers else None
    return sorted(duns for duns, paying in payers.items() if paying == payer)[:most]


def _changed_chains() -> list[str]:
    rows = FamilyTree.objects.filter(kind=TreeKind.UPWARD).order_by("requested_at")
    latest = {duns: (state, moment) for duns, state, moment in rows.values_list("duns", "state", "fetched_at")}
    fetched = {duns: moment for duns, (state, moment) in latest.items() if moment and state == TreeState.DONE}
    found: set[str] = set()
    for batch in in_batches(sorted(fetched)):
        changes = _linkage_changes(min(fetched[duns] for duns in batch)).filter(company__in=batch)
        rows_of = changes.values_list("company_id", "changed_at")
        found |= {duns for duns, moment in rows_of if moment > fetched[duns]}
    return sorted(found)


def _linkage_changes(since: datetime) -> QuerySet[Change]:
    return Change.objects.filter(
        kind=Kind.ELEMENT,
        changed_at__gt=since,
        changed_at__lte=timezone.now(),
        element__startswith=LINKAGE,
        severity__gt=Severity.NOISE,
        superseded=False,
    ).order_by()
