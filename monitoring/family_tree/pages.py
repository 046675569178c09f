"""A stored page of a tree becomes its members; again, it changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from core.blobs import load_bytes
from core.db import clean_text, insert_new
from direct_plus.exact_json import parse_json
from direct_plus.family_tree import TreeMember, TreePage, read_tree_page
from monitoring.models import FamilyTree, FamilyTreeMember


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page, and whether it is the one before once more."""

    page: TreePage
    repeats: bool


def read_page(tree: FamilyTree, number: int) -> ReadPage:
    """Raises ValueError where nothing readable is stored."""
    page = _page_in(load_bytes(tree.page_key(number)))
    # Nothing is stored of it after the retention period, or after a company was erased.
    before = load_bytes(tree.page_key(number - 1)) if number > 1 and page.members else b""
    repeats = bool(before) and _page_in(before).members == page.members
    insert_new(FamilyTreeMember, [_row(tree, one) for one in page.members])
    return ReadPage(page, repeats)


def _page_in(stored: bytes) -> TreePage:
    document = parse_json(stored)
    if not isinstance(document, dict):
        raise ValueError("it is JSON, but not an object")
    return read_tree_page(document)


def _row(tree: FamilyTree, member: TreeMember) -> FamilyTreeMember:
    return FamilyTreeMember(
        id=FamilyTreeMember.key(tree.pk, member.duns, member.parent),
        tree=tree,
        duns=member.duns,
        parent=member.parent,
        name=clean_text(member.name, 300),
        country=clean_text(member.country, 2),
        city=clean_text(member.city, 200),
        roles=clean_text(", ".join(member.roles), 300),
        status=clean_text(member.status, 100),
        employees=member.employees,
    )
