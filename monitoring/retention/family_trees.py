"""Family trees that retention lets go: their bytes, and trees that a later one replaces."""

from __future__ import annotations

from datetime import datetime

from core.blobs import delete_bytes
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState

AT_ONCE = 200


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
    rows = FamilyTree.objects.filter(contract=contract, fetched_at__lt=cut, keeps_bytes=True)
    found = list(rows.exclude(state=TreeState.RUNNING).order_by("fetched_at")[:AT_ONCE])
    for tree in found:
        remove_pages(tree)
    return len(found)


def drop_trees(contract: str, cut: datetime) -> int:
    """Trees that another one from before the cut replaces: the tree as of any later day stays."""
    rows = FamilyTree.objects.filter(contract=contract, fetched_at__lt=cut).exclude(state=TreeState.RUNNING)
    replaced = [tree for tree in rows.order_by("fetched_at") if _is_replaced(tree, cut)][:AT_ONCE]
    for tree in replaced:
        remove_tree(tree)
    return len(replaced)


def _is_replaced(tree: FamilyTree, cut: datetime) -> bool:
    same = {"top": tree.top} if tree.kind == TreeKind.FULL else {"duns": tree.duns}
    later = FamilyTree.objects.filter(kind=tree.kind, state=TreeState.DONE, fetched_at__gt=tree.fetched_at, **same)
    return later.filter(fetched_at__lt=cut).exists()
