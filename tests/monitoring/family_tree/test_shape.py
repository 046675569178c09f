"""Members as a tree, whatever D&B lists."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.family_tree.shape import Branch, Why, branches_of, path_to, shape_of

Links = list[tuple[str, str, str]]


def links(*pairs: str) -> Links:
    """Each written as the number and its parent, such as "BA"."""
    return [(pair[0], pair[1:], f"name {pair[0]}") for pair in pairs]


def drawn(pairs: Links, *, most: int = 100, top: str = "A") -> list[str]:
    shape = shape_of(pairs, top)
    found: list[str] = []

    def draw(branch: Branch) -> None:
        found.append("." * branch.depth + branch.duns + "*" * branch.is_repeated)
        for one in branch.below:
            draw(one)

    for branch in branches_of(shape, list(shape.heads), most=most):
        draw(branch)
    return found


def test_each_is_below_its_parent_by_name() -> None:
    assert drawn(links("A", "CA", "BA", "DB")) == ["A", ".B", "..D", ".C"]


def test_who_has_no_parent_in_the_tree_is_beside_the_top() -> None:
    pairs = links("A", "BA", "CX", "DC", "E")
    assert drawn(pairs) == ["A", ".B", "C", ".D", "E"]
    assert shape_of(pairs, "A").heads == {"A": Why.TOP, "C": Why.MISSING, "E": Why.MISSING}


def test_a_circle_is_shown_once() -> None:
    pairs = links("A", "BC", "CB")
    assert drawn(pairs) == ["A", "B", ".C", "..B*"]
    assert shape_of(pairs, "A").heads["B"] is Why.CIRCLE


def test_who_is_listed_twice_is_shown_at_both_places_and_opened_at_one() -> None:
    assert drawn(links("A", "BA", "CA", "DB", "DC", "ED")) == ["A", ".B", "..D", "...E", ".C", "..D*"]


def test_a_top_that_is_not_listed_leaves_all_others() -> None:
    assert drawn(links("BA", "CB")) == ["B", ".C"]


def test_a_top_with_a_parent_stays_at_the_top() -> None:
    assert drawn(links("AB", "BA")) == ["A", ".B"]


def test_levels_are_shown_as_far_as_there_is_room() -> None:
    pairs = links("A", "BA", "CA", "DB", "EB", "FC")
    assert drawn(pairs, most=4) == ["A", ".B", ".C", "..F"]
    (top,) = branches_of(shape_of(pairs, "A"), ["A"], most=4)
    assert [(one.duns, one.left_out) for one in top.below] == [("B", 2), ("C", 0)]


def test_below_one_with_very_many_the_next_ones_follow_on_the_next_page() -> None:
    pairs = links("A", *(f"{letter}A" for letter in "BCDEFG"))
    shape = shape_of(pairs, "A")
    pages = [branches_of(shape, ["A"], most=4, start=start)[0].below for start in (0, 3)]
    assert [[one.duns for one in page] for page in pages] == [["B", "C", "D"], ["E", "F", "G"]]


def test_the_path_leads_from_the_top() -> None:
    shape = shape_of(links("A", "BA", "CB", "DX", "ED"), "A")
    assert [path_to(shape, duns) for duns in "ABCDE"] == [[], ["A"], ["A", "B"], [], ["D"]]


def test_a_chain_of_ten_thousand_is_a_tree() -> None:
    pairs = [(str(number), str(number - 1) if number else "", "") for number in range(10_000)]
    shape = shape_of(pairs, "0")
    assert len(path_to(shape, "9999")) == 9_999


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABCDEF"), st.sampled_from(["", *"ABCDEFXY"])), unique=True))
def test_whatever_is_listed_each_member_is_opened_once(pairs: list[tuple[str, str]]) -> None:
    found = [one.strip(".") for one in drawn([(duns, parent, "") for duns, parent in pairs])]
    opened = [one for one in found if not one.endswith("*")]
    assert sorted(opened) == sorted({duns for duns, _ in pairs})


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_are_shown_than_there_is_room_for(most: int) -> None:
    assert len(drawn(links("A", "BA", "CA", "DB"), most=most)) <= most
