"""The content of a company's page of its family: the way up to the global ultimate, and the tree that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.visibility import EVERYTHING, Scope, visible_to
from monitoring.company_page.group import monitored_among
from monitoring.family_tree.snapshots import changed_since, latest_tree
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind, TreeState
from portfolio.models import Company


@dataclass(frozen=True, slots=True)
class Owner:
    """A company of the chain; `is_known` if it has a page here."""

    member: FamilyTreeMember
    is_known: bool
    is_monitored: bool


@dataclass(frozen=True, slots=True)
class Ownership:
    """From the global ultimate down to the company. `last` is the last request of the chain, whatever became of it."""

    chain: FamilyTree | None
    owners: Sequence[Owner]
    is_outdated: bool
    last: FamilyTree | None
    full: FamilyTree | None

    @property
    def is_without(self) -> bool:
        """D&B has stated that there is no chain, and none is known from before."""
        return self.chain is None and self.last is not None and self.last.state == TreeState.NONE


def ownership_of(duns: str, until: datetime | None = None, scope: Scope = EVERYTHING) -> Ownership:
    """What D&B stated of the family, and of that what the scope monitors."""
    chain = latest_tree(duns, TreeKind.UPWARD, until)
    last = FamilyTree.objects.filter(duns=duns, kind=TreeKind.UPWARD).order_by("-requested_at").first()
    return Ownership(
        chain=chain,
        owners=_owners(chain, scope) if chain else [],
        is_outdated=bool(chain and changed_since(chain, [duns], until)),
        last=None if until else last,
        full=latest_tree(duns, TreeKind.FULL, until),
    )


def _owners(chain: FamilyTree, scope: Scope) -> list[Owner]:
    members = _way_up(chain)
    numbers = [member.duns for member in members]
    known = set(visible_to(scope, Company.objects.filter(pk__in=numbers)).values_list("pk", flat=True))
    monitored = monitored_among(numbers, scope)
    return [Owner(member, member.duns in known, member.duns in monitored) for member in members]


def _way_up(chain: FamilyTree) -> list[FamilyTreeMember]:
    """The top first; what D&B lists beside the way comes before it."""
    members = {row.duns: row for row in FamilyTreeMember.objects.filter(tree=chain).order_by("duns")}
    way: dict[str, FamilyTreeMember] = {}
    duns = chain.duns
    while duns in members and duns not in way:
        way[duns] = members[duns]
        duns = members[duns].parent
    beside = [row for number, row in members.items() if number not in way]
    return [*beside, *reversed(way.values())]
