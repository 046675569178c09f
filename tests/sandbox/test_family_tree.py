"""Family trees in the sandbox: the way up, pages, and what trees of the real world may have."""

from typing import Any

import pytest

from direct_plus.family_tree import read_tree_page
from direct_plus.sandbox.control.client import SandboxControl
from tests.builders.family_trees import FAMILY, FIRST, FOURTH, SECOND, THIRD, TOP, a_family
from tests.servers.sandbox_client import Client, code


@pytest.fixture(autouse=True)
def family(control: SandboxControl) -> None:
    a_family(control)


def tree(client: Client, duns: str = THIRD, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/familyTree/{duns}", **params).json()
    return found


def parents(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(member.duns, member.parent) for member in read_tree_page(document).members]


def test_any_member_leads_to_the_whole_family(client: Client) -> None:
    for duns in (TOP, FOURTH):
        found = tree(client, duns)
        assert dict(parents(found)) == FAMILY
        assert (found["globalUltimateDuns"], found["globalUltimateFamilyTreeMembersCount"]) == (TOP, 5)
    levels = {one["duns"]: one["corporateLinkage"]["hierarchyLevel"] for one in tree(client)["familyTreeMembers"]}
    assert levels == {TOP: 1, FIRST: 2, SECOND: 2, THIRD: 3, FOURTH: 3}


def test_it_comes_in_pages(client: Client, control: SandboxControl) -> None:
    control.switch("family_tree_page", 2)
    asked: list[dict[str, Any]] = [{"page[number]": number, "page[size]": 1000} for number in (1, 2, 3, 4)]
    pages = [tree(client, **one) for one in asked]
    assert [len(page["familyTreeMembers"]) for page in pages] == [2, 2, 1, 0]
    assert ["next" in page["links"] for page in pages] == [True, True, False, False]
    assert code(client.get(f"/v1/familyTree/{TOP}", **{"page[number]": 0})) == "10002"
    control.switch("family_tree_links", "absent")
    assert "links" not in tree(client)


def test_the_way_up_ends_at_the_global_ultimate(client: Client) -> None:
    assert parents(client.get(f"/v1/familyTreeUpward/{THIRD}").json()) == [(THIRD, FIRST), (FIRST, TOP), (TOP, "")]


def test_branches_are_left_out_if_that_is_asked_for(client: Client, control: SandboxControl) -> None:
    document = control.company(SECOND)
    document["corporateLinkage"]["branchesCount"] = 2
    control.add_companies("ACME_LOD_01", [document])
    assert len(parents(tree(client))) == 7
    without = tree(client, exclusionCriteria="Branches")
    assert dict(parents(without)) == FAMILY
    assert (without["globalUltimateFamilyTreeMembersCount"], without["branchesExcludedMembersCount"]) == (7, 5)


def test_an_owner_without_a_document_is_a_member_too(client: Client, control: SandboxControl) -> None:
    control.reset()
    a_family_without_top = {duns: parent for duns, parent in FAMILY.items() if duns != TOP}
    control.add_registration("ACME_LOD_01")
    a_family(control, a_family_without_top)
    assert dict(parents(tree(client))) == FAMILY


def test_a_company_without_a_family_has_no_tree_or_is_alone(client: Client, control: SandboxControl) -> None:
    assert code(client.get("/v1/familyTree/012345678")) == "40105"
    control.switch("family_tree_alone", "itself")
    assert parents(tree(client, "012345678")) == [("012345678", "")]


def test_numbers_that_d_and_b_does_not_take_are_refused(client: Client, control: SandboxControl) -> None:
    control.mark([FIRST], "transferred", TOP)
    control.mark([SECOND], "deleted")
    answers = [client.get(f"/v1/familyTree/{duns}") for duns in (FIRST, SECOND, "12345678")]
    assert [(answer.status_code, code(answer)) for answer in answers] == [
        (301, "40003"), (410, "40002"), (400, "10003"),
    ]  # fmt: skip
    control.switch("family_tree", False)
    assert client.get(f"/v1/familyTree/{TOP}").status_code == 401


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ("cycle", (FIRST, THIRD)),
        ("missing_parent", None),
        ("twice", None),
    ],
)
def test_trees_may_be_odd(client: Client, control: SandboxControl, odd: str, expected: tuple[str, str] | None) -> None:
    control.switch("family_tree_odd", odd)
    found = parents(tree(client))
    assert found != list(FAMILY.items())
    numbers = [duns for duns, _ in found]
    if odd == "cycle":
        assert dict(found)[THIRD] == FIRST and dict(found)[FIRST] in numbers
    elif odd == "missing_parent":
        assert any(parent and parent not in numbers for _, parent in found)
    else:
        assert len(numbers) == len(set(numbers)) + 1


def test_members_may_be_listed_elsewhere_and_spelled_differently(client: Client, control: SandboxControl) -> None:
    control.switch("family_tree_members", "organization")
    found = tree(client)
    assert "familyTreeMembers" not in found and dict(parents(found)) == FAMILY
