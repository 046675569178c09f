"""Members of a tree go to monitoring by an import: it shows what is new and billable, and is confirmed there."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext

from core.actors import Actor
from monitoring.models import FamilyTree, FamilyTreeMember
from portfolio.imports.row_files import TEMPLATE, csv_line
from portfolio.imports.states import Refused
from portfolio.imports.upload import create_import
from portfolio.models import ImportMode, Registration, SubjectImport


def add_members(tree: FamilyTree, numbers: Collection[str], registration: Registration, *, by: Actor) -> SubjectImport:
    rows = FamilyTreeMember.objects.filter(tree=tree, duns__in=sorted(numbers)).order_by("name", "duns")
    names = {row.duns: row.name for row in rows}
    if not names:
        raise Refused(gettext("Select the companies to monitor."))
    return create_import(
        registration=registration,
        content=csv_line(TEMPLATE[:2]) + b"".join(csv_line([duns, name]) for duns, name in names.items()),
        file_name=str(tree),
        mode=ImportMode.ADD,
        source="tree",
        requested_by=by,
    )
