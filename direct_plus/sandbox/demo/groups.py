"""Corporate groups: who owns whom, and what a parent's consolidated figures owe to its subsidiaries."""

from collections.abc import Iterator, Mapping, Sequence

from direct_plus.sandbox.demo.tables import COUNTRIES, HOLDINGS, PARENTS
from direct_plus.sandbox.state.companies import Document


def join_groups(documents: Mapping[str, Document], numbers: Iterator[str]) -> None:
    """Give each company its parent and ultimates; `documents` by the name in the tables."""
    known = {**documents, **{name: _holding(name, next(numbers)) for name in HOLDINGS}}
    for name in _from_below(list(PARENTS)):
        _consolidate(known[PARENTS[name]], known[name])
    for name in PARENTS:
        _link(known[name], [known[owner] for owner in owners(name)])
    _count_families(list(known.values()))


def owners(name: str) -> list[str]:
    """From the parent to the top of the group; none of an independent company."""
    found = []
    while parent := PARENTS.get(name):
        found.append(parent)
        name = parent
    return found


def _from_below(names: Sequence[str]) -> list[str]:
    """Subsidiaries before their parents, which may be subsidiaries themselves."""
    return sorted(names, key=lambda name: -len(owners(name)))


def _holding(name: str, duns: str) -> Document:
    return {
        "duns": duns,
        "primaryName": name,
        "countryISOAlpha2Code": HOLDINGS[name].country,
        "corporateLinkage": {"globalUltimate": {"duns": duns}, "branchesCount": 0},
    }


def _consolidate(parent: Document, company: Document) -> None:
    """Employees and revenue of a parent include those of its subsidiaries; those of a holding are not known."""
    if "numberOfEmployees" not in parent:
        return
    parent["numberOfEmployees"][0]["value"] += company["numberOfEmployees"][0]["value"]
    own, its = (one["financials"][0]["yearlyRevenue"][0] for one in (parent, company))
    own["value"] = round(own["value"] + its["value"] / _rate(company) * _rate(parent), 2)


def _rate(document: Document) -> int:
    return COUNTRIES[document["countryISOAlpha2Code"]].rate


def _link(company: Document, above: Sequence[Document]) -> None:
    """The domestic ultimate is the highest in the company's own country."""
    country = company["countryISOAlpha2Code"]
    home = [one for one in above if one["countryISOAlpha2Code"] == country]
    company["corporateLinkage"] |= {
        "parent": named(above[0]),
        "domesticUltimate": named(home[-1] if home else company),
        "globalUltimate": named(above[-1]),
    }


def _count_families(documents: Sequence[Document]) -> None:
    """The members of a family share one number: all of them, with their branches."""
    sizes: dict[str, int] = {}
    for linkage in (document["corporateLinkage"] for document in documents):
        ultimate = linkage["globalUltimate"]["duns"]
        sizes[ultimate] = sizes.get(ultimate, 0) + 1 + linkage["branchesCount"]
    for linkage in (document["corporateLinkage"] for document in documents):
        linkage["globalUltimateFamilyTreeMembersCount"] = sizes[linkage["globalUltimate"]["duns"]]


def named(document: Document) -> Document:
    return {"duns": document["duns"], "primaryName": document["primaryName"]}
