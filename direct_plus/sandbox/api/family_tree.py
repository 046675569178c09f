"""A company's family (contract, section 6): the way up to its global ultimate, and all members page by page."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from direct_plus.sandbox.http.request import Call
from direct_plus.sandbox.http.responses import Answer
from direct_plus.sandbox.state import companies
from direct_plus.sandbox.state.companies import Document
from direct_plus.sandbox.state.world import World

LARGEST_PAGE = 1_000
GLOBAL, DOMESTIC, PARENT = ("Global Ultimate", 12775), ("Domestic Ultimate", 12774), ("Parent/Headquarters", 9141)
SUBSIDIARY, BRANCH = ("Subsidiary", 9159), ("Branch/Division", 9140)


@dataclass(frozen=True)
class Member:
    """A company of the family; of owners without a document, the number and the name are known."""

    duns: str
    parent: str
    document: Document
    is_branch: bool = False


def full_tree(world: World, call: Call) -> Answer:
    family = _family(world, call)
    listed = [one for one in family if not (one.is_branch and _without_branches(call))]
    number, size = _page(world, call)
    shown = listed[(number - 1) * size : number * size]
    if world.switches["family_tree_odd"] == "repeated_page":
        shown = listed[:size]
    counts = {
        "globalUltimateDuns": family[0].duns,
        "globalUltimateFamilyTreeMembersCount": len(family),
        "branchesExcludedMembersCount": sum(not one.is_branch for one in family),
    }
    return _answer(world, call, family, shown, **counts, **_links(world, call, number, math.ceil(len(listed) / size)))


def upward_tree(world: World, call: Call) -> Answer:
    family = _family(world, call)
    known = {one.duns: one for one in reversed(family)}
    chain: dict[str, Member] = {}
    duns = call.duns or ""
    while duns in known and duns not in chain:
        chain[duns] = known[duns]
        duns = known[duns].parent
    return _answer(world, call, family, list(chain.values()), globalUltimateDuns=family[0].duns)


def _family(world: World, call: Call) -> list[Member]:
    """The global ultimate first, then level by level."""
    if not world.switches["family_tree"]:
        raise call.refusal(401, "00012")
    trouble = companies.trouble(world, call.duns or "")
    if trouble is not None:
        status = {"10003": 400, "40002": 410, "40003": 301}.get(trouble[0], 404)
        details = {"duns": f"was transferred to {trouble[1]}"} if trouble[1] else None
        raise call.refusal(status, trouble[0], details)
    own = companies.document(world, call.duns or "")
    members = _members(world, _top_of(own), own)
    if len(members) == 1 and world.switches["family_tree_alone"] == "404":
        raise call.refusal(404, "40105")
    return _odd(world.switches["family_tree_odd"], members)


def _top_of(document: Document) -> str:
    return str(document.get("corporateLinkage", {}).get("globalUltimate", {}).get("duns") or document["duns"])


def _members(world: World, top: str, own: Document) -> list[Member]:
    sql = (
        "SELECT duns FROM company WHERE document IS NOT NULL"
        " AND json_extract(document, '$.corporateLinkage.globalUltimate.duns') = ?"
    )
    documents = {row["duns"]: companies.document(world, row["duns"]) for row in world.store.rows(sql, top)}
    documents.setdefault(own["duns"], own)
    documents = {**_owners(documents), **documents}
    found = [Member(duns, _parent_of(one, top), one) for duns, one in documents.items()]
    levels = _levels({one.duns: one.parent for one in found})
    branches = [branch for one in found for branch in _branches(one)]
    levels |= {one.duns: levels[one.parent] + 1 for one in branches}
    return sorted(found + branches, key=lambda one: (levels[one.duns], one.document["primaryName"], one.duns))


def _owners(documents: Mapping[str, Document]) -> dict[str, Document]:
    """Those that are only named by what they own."""
    linkages = [one.get("corporateLinkage", {}) for one in documents.values()]
    named = [one[role] for one in linkages for role in ("globalUltimate", "parent") if one.get(role)]
    return {one["duns"]: {"primaryName": f"Company {one['duns']}", **one} for one in named}


def _parent_of(document: Document, top: str) -> str:
    if document["duns"] == top:
        return ""
    linkage = document.get("corporateLinkage", {})
    return str(linkage.get("parent", {}).get("duns") or top)


def _levels(parents: Mapping[str, str]) -> dict[str, int]:
    """1 is the top."""
    found: dict[str, int] = {}
    for duns in parents:
        way = [duns]
        while (parent := parents.get(way[-1], "")) and parent not in way:
            way.append(parent)
        found[duns] = len(way)
    return found


def _branches(company: Member) -> Iterator[Member]:
    number = company.duns
    for _ in range(company.document.get("corporateLinkage", {}).get("branchesCount", 0)):
        number = companies.another(number)
        document: Document = {
            name: company.document[name] for name in ("primaryName", "primaryAddress") if name in company.document
        }
        yield Member(number, company.duns, document, is_branch=True)


def _odd(reading: str, members: list[Member]) -> list[Member]:
    """What trees of the real world may have."""
    if len(members) < 3:
        return members
    *before, last = members
    if reading == "cycle":
        # The parent of the last one is owned by it.
        return [replace(one, parent=last.duns) if one.duns == last.parent else one for one in members]
    if reading == "missing_parent":
        return [*before, replace(last, parent=companies.another(last.duns))]
    if reading == "twice":
        return [*members, replace(last, parent=members[1].duns if last.parent != members[1].duns else members[0].duns)]
    return members


def _without_branches(call: Call) -> bool:
    return call.query.get("exclusionCriteria", "").casefold() == "branches"


def _page(world: World, call: Call) -> tuple[int, int]:
    number, size = (call.query.get(f"page[{name}]", default) for name, default in (("number", "1"), ("size", "1000")))
    if not (number.isdigit() and size.isdigit() and int(number) and int(size)):
        raise call.refusal(400, "10002", {"page": "must have a number and a size of 1 or more"})
    return int(number), min(int(size), LARGEST_PAGE, int(world.switches["family_tree_page"]))


def _links(world: World, call: Call, number: int, pages: int) -> dict[str, Any]:
    if world.switches["family_tree_links"] == "absent":
        return {}
    path = f"/v1/familyTree/{call.duns}?page[number]="
    links = {"self": f"{path}{number}", "first": f"{path}1", "last": f"{path}{pages}"}
    return {"links": links | ({"next": f"{path}{number + 1}"} if number < pages else {})}


def _answer(world: World, call: Call, family: list[Member], shown: list[Member], **members: Any) -> Answer:
    levels = _levels({one.duns: one.parent for one in family})
    owners = {one.parent for one in family if not one.is_branch}
    sent = [_sent(world, one, levels[one.duns], one.duns in owners) for one in shown]
    members["familyTreeMembers"] = sent
    inquiry = {"duns": call.duns, **call.query}
    if world.switches["family_tree_members"] == "organization":
        return call.answer(inquiryDetail=inquiry, organization=members)
    return call.answer(inquiryDetail=inquiry, **members)


def _sent(world: World, one: Member, level: int, owns: bool) -> Document:
    roles = [role for role, has in _roles(one, owns).items() if has]
    played = (
        "familyTreeRolesPlayed" if world.switches["family_tree_members"] == "organization" else "familytreeRolesPlayed"
    )
    linkage: Document = {
        played: [{"description": description, "dnbCode": code} for description, code in roles],
        "hierarchyLevel": level,
    }
    if one.parent:
        linkage["headQuarter" if one.is_branch else "parent"] = {"duns": one.parent}
    shown = ("primaryName", "primaryAddress", "startDate", "numberOfEmployees", "dunsControlStatus")
    return {
        "duns": one.duns,
        **{name: one.document[name] for name in shown if name in one.document},
        "corporateLinkage": linkage,
    }


def _roles(one: Member, owns: bool) -> dict[tuple[str, int], bool]:
    domestic = one.document.get("corporateLinkage", {}).get("domesticUltimate", {}).get("duns")
    return {
        GLOBAL: not one.parent,
        DOMESTIC: domestic == one.duns,
        PARENT: owns,
        SUBSIDIARY: bool(one.parent) and not one.is_branch,
        BRANCH: one.is_branch,
    }
