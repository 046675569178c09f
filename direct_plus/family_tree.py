"""A company's family as D&B lists it: members with their parents, on pages (contract section 6).

How the answer is laid out is open, so members are looked for wherever they stand. A page without a readable member is
an error for whoever paid for it, and no page at all is made up.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from direct_plus.duns import InvalidDuns, normalise_duns
from direct_plus.results import value_at, values_everywhere

MEMBERS = "familyTreeMembers"
# Branches are not asked for.
COUNTS = ("branchesExcludedMembersCount", "familyTreeMembersCount", "globalUltimateFamilyTreeMembersCount")
ROLES = ("familytreeRolesPlayed", "familyTreeRolesPlayed")
LARGEST_NUMBER = 2**53


@dataclass(frozen=True, slots=True)
class TreeMember:
    """A company of the family; `parent` is empty at the top, and where D&B names none."""

    duns: str
    name: str
    parent: str
    country: str
    city: str
    roles: tuple[str, ...]
    employees: int | None
    status: str

    @property
    def is_branch(self) -> bool:
        return any("branch" in role.casefold() for role in self.roles)


@dataclass(frozen=True, slots=True)
class TreePage:
    """A page of the family. `count` is that of all members as D&B states it; None where it does not."""

    members: tuple[TreeMember, ...]
    top: str
    count: int | None
    has_next: bool | None
    unreadable: int = 0

    def pages(self, number: int) -> int | None:
        """How many there are in all, as far as the page with this number shows."""
        if self.has_next is False or not self.members:
            return number
        if number == 1 and self.count is not None:
            return max(math.ceil(self.count / (len(self.members) + self.unreadable)), 1 + (self.has_next is True))
        return None


def read_tree_page(document: Mapping[str, Any]) -> TreePage:
    """Raises ValueError where the document lists no members."""
    sent = next((one for one in values_everywhere(document, MEMBERS) if isinstance(one, list)), None)
    if sent is None:
        raise ValueError("it contains no list of members")
    members = tuple(_members(sent))
    if sent and not members:
        raise ValueError("it contains no member with a D-U-N-S number")
    return TreePage(members, _top(document, members), _count(document), _has_next(document), len(sent) - len(members))


def _members(sent: list[Any]) -> Iterator[TreeMember]:
    for one in sent:
        if duns := _number(value_at(one, "duns")):
            yield _member(one, duns)


def _member(sent: Any, duns: str) -> TreeMember:
    linkage, address = value_at(sent, "corporateLinkage"), value_at(sent, "primaryAddress")
    parent = next((n for role in ("parent", "headQuarter") if (n := _number(value_at(linkage, role, "duns")))), "")
    country = value_at(address, "addressCountry", "isoAlpha2Code") or value_at(sent, "countryISOAlpha2Code")
    return TreeMember(
        duns=duns,
        name=_text(value_at(sent, "primaryName")),
        parent="" if parent == duns else parent,
        country=_text(country)[:2].upper(),
        city=_text(value_at(address, "addressLocality", "name")),
        roles=tuple(_roles(linkage)),
        employees=_employees(value_at(sent, "numberOfEmployees")),
        status=_text(value_at(sent, "dunsControlStatus", "operatingStatus", "description")),
    )


def _roles(linkage: Any) -> Iterator[str]:
    listed = next((found for name in ROLES if isinstance(found := value_at(linkage, name), list)), [])
    for role in listed:
        if words := _text(role) or _text(value_at(role, "description")):
            yield words


def _employees(sent: Any) -> int | None:
    for one in sent if isinstance(sent, list) else [sent]:
        value = value_at(one, "value")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_NUMBER:
            return value
    return None


def _top(document: Mapping[str, Any], members: tuple[TreeMember, ...]) -> str:
    """As D&B states it, or the member that plays the role; empty where neither is so."""
    stated = (_number(one) for one in values_everywhere(document, "globalUltimateDuns"))
    playing = (one.duns for one in members if any("global ultimate" in role.casefold() for role in one.roles))
    return next(filter(None, stated), "") or next(playing, "")


def _count(document: Mapping[str, Any]) -> int | None:
    for name in COUNTS:
        for value in values_everywhere(document, name):
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LARGEST_NUMBER:
                return value
    return None


def _has_next(document: Mapping[str, Any]) -> bool | None:
    links = next((one for one in values_everywhere(document, "links") if isinstance(one, Mapping)), None)
    return None if links is None else bool(links.get("next"))


def _number(sent: Any) -> str:
    try:
        return normalise_duns(_text(sent))
    except InvalidDuns:
        return ""


def _text(sent: Any) -> str:
    return sent.strip() if isinstance(sent, str) else ""
