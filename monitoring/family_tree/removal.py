"""What an erased company leaves in family trees: nothing."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from core.leases import is_held
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from monitoring.retention.family_trees import remove_pages, remove_tree


def trees_naming(duns: str) -> QuerySet[FamilyTree]:
    rows = FamilyTreeMember.objects.filter(Q(duns=duns) | Q(parent=duns))
    keys = set(rows.values_list("tree_id", flat=True))
    return FamilyTree.objects.filter(Q(pk__in=keys) | Q(duns=duns) | Q(top=duns))


def is_being_fetched(duns: str) -> bool:
    """Whether a tree that names it may lose a page that has been paid and not read yet."""
    return any(tree.state == TreeState.RUNNING or is_held(tree) for tree in trees_naming(duns))


def forget_member(duns: str) -> int:
    """Remove a company from all trees, and the pages that name it; returns how many trees named it."""
    trees = list(trees_naming(duns))
    for tree in trees:
        if tree.top in ("", duns) or (tree.kind == TreeKind.UPWARD and tree.duns == duns):
            remove_tree(tree)
        else:
            remove_pages(tree)
            FamilyTree.objects.filter(pk=tree.pk, duns=duns).update(duns=tree.top)
    FamilyTreeMember.objects.filter(duns=duns).delete()
    FamilyTreeMember.objects.filter(parent=duns).update(parent="")
    return len(trees)
