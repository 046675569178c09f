"""Several requests of one family: it is paid once, whoever is continued and by whichever worker.

Who calls announces it first and looks for others then, each time: of two that do so at once, one sees the other at
least. Where each sees the other, both wait for a person, who continues the one that has more.
"""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from monitoring.family_tree.plan import CannotFetchTree, FamilyUnknown, unknown_families
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState


class PaidElsewhere(CannotFetchTree):
    """Its calls would fetch what another request fetches, or has fetched since."""


def demand_no_rival(tree: FamilyTree) -> None:
    """Raises CannotFetchTree where another request has the same family, or the same company's owners."""
    if tree.kind == TreeKind.FULL and (tree.state == TreeState.STOPPED or not tree.pages_read):
        _demand_known(tree)
    others = _of_the_same(tree)
    if other := others.filter(state=TreeState.DONE, fetched_at__gt=tree.requested_at).first():
        raise PaidElsewhere(_fetched_since(tree) % {"user": other.requested_by}, other)
    if other := others.filter(_has_begun() | _is_ahead(tree)).order_by("requested_at", "id").first():
        raise PaidElsewhere(_not_complete(tree) % {"user": other.requested_by}, other)


def rival_of(tree: FamilyTree) -> CannotFetchTree | None:
    """Why it cannot be continued, with the other request."""
    try:
        demand_no_rival(tree)
    except CannotFetchTree as error:
        return error
    return None


def _demand_known(tree: FamilyTree) -> None:
    rows = unknown_families(tree.top).exclude(pk=tree.pk).exclude(state=TreeState.STOPPED)
    if other := rows.first():
        raise FamilyUnknown(other)


def _of_the_same(tree: FamilyTree) -> QuerySet[FamilyTree]:
    rows = FamilyTree.objects.filter(kind=tree.kind).exclude(pk=tree.pk)
    if tree.kind == TreeKind.UPWARD:
        return rows.filter(duns=tree.duns)
    keys = set(FamilyTreeMember.objects.filter(duns=tree.duns).values_list("tree_id", flat=True))
    is_same = Q(pk__in=keys) | Q(duns__in={tree.duns, tree.top})
    return rows.filter(is_same | Q(top=tree.top) if tree.top else is_same)


def _has_begun() -> Q:
    """A call that is announced may be made, also where somebody has stopped the request since."""
    return Q(state=TreeState.RUNNING) | Q(calling__gt=0)


def _is_ahead(tree: FamilyTree) -> Q:
    """Of those that wait, the one with most pages, then the first requested, is the one to continue."""
    has_more = Q(pages_read__gt=tree.pages_read)
    is_earlier = Q(requested_at__lt=tree.requested_at) | Q(requested_at=tree.requested_at, pk__lt=tree.pk)
    has_as_many = Q(pages_read=tree.pages_read, pages_read__gt=0) & is_earlier
    return Q(state=TreeState.STOPPED) & (has_more | has_as_many)


def _fetched_since(tree: FamilyTree) -> str:
    if tree.kind == TreeKind.UPWARD:
        return gettext("%(user)s has fetched the same upward chain since. Discard this request.")
    return gettext("%(user)s has fetched the same family since. Discard this request.")


def _not_complete(tree: FamilyTree) -> str:
    if tree.kind == TreeKind.UPWARD:
        return gettext("%(user)s requested the same upward chain, too. Discard this request, or discard the other one.")
    return gettext("%(user)s requested the same family, too. Discard this request, or discard the other one.")
