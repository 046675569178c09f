"""A company's family as D&B lists it, in every layout."""

from typing import Any

import pytest

from direct_plus.family_tree import TreeMember, read_tree_page

TOP, CHILD = "804735132", "069032677"


def a_member(duns: str = TOP, **members: Any) -> dict[str, Any]:
    return {"duns": duns, "primaryName": f"Company {duns}", **members}


def a_page(*members: Any, **more: Any) -> dict[str, Any]:
    return {"familyTreeMembers": list(members), **more}


def test_a_member_is_read_with_its_parent_place_and_size() -> None:
    page = read_tree_page(
        a_page(
            a_member(
                CHILD,
                primaryAddress={"addressCountry": {"isoAlpha2Code": "DE"}, "addressLocality": {"name": "Bonn"}},
                numberOfEmployees=[{"value": 12}],
                corporateLinkage={
                    "familytreeRolesPlayed": [{"description": "Subsidiary", "dnbCode": 9159}],
                    "parent": {"duns": TOP},
                },
                dunsControlStatus={"operatingStatus": {"description": "Active"}},
            )
        )
    )
    name = f"Company {CHILD}"
    assert page.members == (TreeMember(CHILD, name, TOP, "DE", "Bonn", ("Subsidiary",), 12, "Active"),)


def test_members_are_found_wherever_they_are_and_however_roles_are_spelled() -> None:
    linkage = {"familyTreeRolesPlayed": ["Global Ultimate"]}
    page = read_tree_page({"organization": a_page(a_member(corporateLinkage=linkage))})
    assert (page.top, page.members[0].roles) == (TOP, ("Global Ultimate",))


def test_a_branch_is_below_its_headquarters_and_no_company_is_below_itself() -> None:
    page = read_tree_page(
        a_page(
            a_member(CHILD, corporateLinkage={"headQuarter": {"duns": "80-473-5132"}}),
            a_member(TOP, corporateLinkage={"parent": {"duns": TOP}}),
        )
    )
    assert [member.parent for member in page.members] == [TOP, ""]


@pytest.mark.parametrize(
    ("document", "pages"),
    [
        (a_page(a_member(), branchesExcludedMembersCount=5, globalUltimateFamilyTreeMembersCount=9), 5),
        (a_page(a_member(), a_member(CHILD), globalUltimateFamilyTreeMembersCount=5), 3),
        (a_page(a_member(), globalUltimateFamilyTreeMembersCount=5, links={"self": "x"}), 1),
        (a_page(a_member(), globalUltimateFamilyTreeMembersCount=1, links={"next": "x"}), 2),
        (a_page(a_member(), {"duns": None}, globalUltimateFamilyTreeMembersCount=4), 2),
        (a_page(), 1),
        (a_page(a_member()), None),
    ],
)
def test_the_number_of_pages_is_what_counts_and_links_state(document: Any, pages: int | None) -> None:
    assert read_tree_page(document).pages(1) == pages


def test_the_last_page_is_the_one_without_a_next() -> None:
    assert read_tree_page(a_page(a_member(), links={})).pages(7) == 7
    assert read_tree_page(a_page(a_member(), links={"next": "x"})).pages(7) is None


@pytest.mark.parametrize(
    "document",
    [{}, {"familyTreeMembers": "none"}, a_page({"primaryName": "Without number"}), a_page("804735132"), a_page(None)],
)
def test_what_lists_no_member_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="contains no"):
        read_tree_page(document)


@pytest.mark.parametrize("odd", [None, 5, "x", [], {"value": True}, [{"value": 1e9}], [{"value": 2**70}]])
def test_odd_values_leave_the_rest_readable(odd: Any) -> None:
    page = read_tree_page(a_page(a_member(numberOfEmployees=odd, primaryAddress=odd, corporateLinkage=odd)))
    (member,) = page.members
    assert (member.duns, member.employees, member.country, member.parent) == (TOP, None, "", "")
