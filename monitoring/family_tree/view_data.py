"""What the page of a family tree shows: members in their places, what of them is monitored where, and their figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from core.bulk import among
from monitoring.corporate_groups.tree import Node
from monitoring.corporate_groups.view_data import Row
from monitoring.family_tree.shape import Branch, Shape, Why, branches_of, path_to, shape_of
from monitoring.family_tree.snapshots import changed_since
from monitoring.figures.reading import figures_of
from monitoring.history.state import apply_events, events_of
from monitoring.models import FamilyTree, FamilyTreeMember
from portfolio.billing.contract_year import LISTED
from portfolio.models import Company, Subject

MOST = 200
MANY = 30_000
LINK = ("duns", "parent", "name")


@dataclass(frozen=True, slots=True)
class Here:
    """The rows of the portfolio that the reader may see."""

    companies: QuerySet[Company]
    subjects: QuerySet[Subject]


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A line of the page. `closes` is how many lists end with it."""

    row: Row
    branch: Branch
    member: FamilyTreeMember
    monitored_in: Sequence[str]
    why: Why
    closes: range


@dataclass(frozen=True, slots=True)
class TreeView:
    """A tree, or what of it is below one member."""

    tree: FamilyTree
    rows: Sequence[TreeRow]
    path: Sequence[tuple[str, str]]
    total: int
    monitored: int
    changed: Collection[str]
    page: int
    has_more: bool

    @property
    def name(self) -> str:
        return self.path[0][1] if self.path else self.rows[0].row.name if self.rows else self.tree.top


def tree_view(
    tree: FamilyTree, here: Here, *, below: str = "", page: int = 0, until: datetime | None = None
) -> TreeView:
    links = list(FamilyTreeMember.objects.filter(tree=tree).values_list(*LINK))
    names = {duns: name for duns, _, name in links}
    shape = shape_of(links, tree.top)
    first = [below] if below in names else list(shape.heads)
    shown, has_more = _page_of(shape, first, page)
    monitored = monitored_in(names, here.subjects)
    return TreeView(
        tree=tree,
        rows=_rows(tree, shape, shown, here.companies, monitored, until),
        path=[(duns, names[duns] or duns) for duns in path_to(shape, below)] if below in names else [],
        total=len(names),
        monitored=len(monitored),
        changed=changed_since(tree, monitored, until),
        page=page,
        has_more=has_more,
    )


def _page_of(shape: Shape, first: Sequence[str], page: int) -> tuple[list[Branch], bool]:
    """Of several at the top, some of them; of one, some of those directly below it."""
    if len(first) != 1:
        end = (page + 1) * MOST
        return branches_of(shape, first[page * MOST : end], most=MOST), len(first) > end
    room = MOST - 1
    found = branches_of(shape, first, most=MOST, start=page * room)
    return found, len(shape.below.get(first[0], ())) > (page + 1) * room


def monitored_in(numbers: Collection[str], subjects: QuerySet[Subject]) -> dict[str, list[str]]:
    """The registrations of each that is monitored, or requested."""
    found: dict[str, list[str]] = defaultdict(list)
    listed = subjects.filter(Q(state__in=LISTED) | Q(requested=True)).order_by("registration__reference")
    waiting = sorted(numbers)
    for start in range(0, len(waiting), MANY):
        rows = listed.filter(among("company", waiting[start : start + MANY]))
        for duns, reference in rows.values_list("company_id", "registration__reference"):
            found[duns].append(reference)
    return dict(found)


def _rows(
    tree: FamilyTree,
    shape: Shape,
    branches: Sequence[Branch],
    companies: QuerySet[Company],
    monitored: Mapping[str, list[str]],
    until: datetime | None,
) -> list[TreeRow]:
    listed = list(_listed(branches))
    members = _members(tree, {branch.duns for branch, _ in listed})
    known = companies.in_bulk(sorted({branch.duns for branch, _ in listed}))
    if until:
        known = _as_of(known, until)
    return [
        TreeRow(
            Row(
                Node(branch.duns, branch.depth, known.get(branch.duns)),
                _name(known.get(branch.duns), members, branch.duns),
                branch.duns in monitored,
            ),
            branch,
            members[branch.duns],
            monitored.get(branch.duns, ()),
            shape.heads.get(branch.duns, Why.TOP) if not branch.depth else Why.TOP,
            range(closes),
        )
        for branch, closes in listed
    ]


def _listed(branches: Sequence[Branch]) -> Iterator[tuple[Branch, int]]:
    """Each before what is below it, with the number of lists that end behind it."""
    waiting = [(branch, 0) for branch in reversed(branches)]
    while waiting:
        branch, closes = waiting.pop()
        yield branch, 0 if branch.below else closes
        below = [(one, 0) for one in branch.below]
        if below:
            below[-1] = (below[-1][0], closes + 1)
        waiting += reversed(below)


def _members(tree: FamilyTree, numbers: Collection[str]) -> dict[str, FamilyTreeMember]:
    return {row.duns: row for row in FamilyTreeMember.objects.filter(tree=tree, duns__in=sorted(numbers))}


def _name(company: Company | None, members: Mapping[str, FamilyTreeMember], duns: str) -> str:
    return (company.name if company else "") or members[duns].name or duns


def _as_of(companies: Mapping[str, Company], until: datetime) -> dict[str, Company]:
    """With the figures of that day; what your own money was then is another list's."""
    events = events_of(sorted(companies), until=until) if companies else {}
    return {
        duns: Company(duns=duns, name=row.name, **figures_of(apply_events(events.get(duns, ())))._asdict())
        for duns, row in companies.items()
    }
