"""Family trees that retention lets go: their bytes, and trees that a later one replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from core.blobs import delete_bytes
from core.leases import Hold, releasing
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState

AT_ONCE = 200
LASTS = timedelta(minutes=2)


def remove_tree(tree: FamilyTree) -> None:
    """What stands on it first: who is killed on the way finds the rest again."""
    remove_pages(tree)
    FamilyTreeMember.objects.filter(tree=tree).delete()
    FamilyTree.objects.filter(pk=tree.pk).delete()


def remove_pages(tree: FamilyTree) -> None:
    """The bytes; the members stay."""
    for key in tree.page_keys():
        delete_bytes(key)
    FamilyTree.objects.filter(pk=tree.pk).update(keeps_bytes=False)


def drop_pages(contract: str, cut: datetime) -> int:
    """The bytes of trees before the cut; returns of how many."""
    found = list(_before(cut, contract).filter(keeps_bytes=True).order_by("requested_at")[:AT_ONCE])
    return sum(_while_at_rest(tree, remove_pages) for tree in found)


def drop_trees(contract: str, cut: datetime) -> int:
    """Trees that another one from before the cut replaces: the tree as of any later day stays."""
    latest = _latest(cut)
    replaced = [tree for tree in _before(cut, contract) if latest.get(_place(tree), _moment(tree)) > _moment(tree)]
    return sum(_while_at_rest(tree, remove_tree) for tree in sorted(replaced, key=_moment)[:AT_ONCE])


def _before(cut: datetime, contract: str) -> QuerySet[FamilyTree]:
    """By the request, where no page was read."""
    is_before = Q(fetched_at__lt=cut) | Q(fetched_at=None, requested_at__lt=cut)
    return FamilyTree.objects.filter(is_before, contract=contract).exclude(state=TreeState.RUNNING)


def _while_at_rest(tree: FamilyTree, remove: Callable[[FamilyTree], None]) -> bool:
    """One that stopped is held meanwhile: whoever continues it would lose the page that is being read."""
    if tree.state != TreeState.STOPPED:
        remove(tree)
        return True
    rows = FamilyTree.objects.filter(pk=tree.pk)
    with releasing(Hold.take(rows.filter(state=TreeState.STOPPED), LASTS)) as hold:
        if hold:
            hold.row = rows
            remove(hold.held().get())
    return hold is not None


def _latest(cut: datetime) -> Mapping[tuple[str, ...], datetime]:
    """When the last complete tree of each company and of each group was fetched."""
    rows = FamilyTree.objects.filter(state=TreeState.DONE, fetched_at__lt=cut).order_by("fetched_at")
    found: dict[tuple[str, ...], datetime] = {}
    for kind, duns, top, moment in rows.values_list("kind", "duns", "top", "fetched_at"):
        if moment:
            found[kind, "duns", duns] = found[kind, "top", top] = moment
    return found


def _place(tree: FamilyTree) -> tuple[str, ...]:
    """Of which company or group it is; that of a tree without a top is not known."""
    if tree.kind == TreeKind.FULL and tree.top:
        return tree.kind, "top", tree.top
    return tree.kind, "duns", tree.duns


def _moment(tree: FamilyTree) -> datetime:
    return tree.fetched_at or tree.requested_at
