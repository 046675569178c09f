"""Companies of a group as a tree."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.corporate_groups.tree import tree_of
from portfolio.models import Company

TOP = "900000000"


def a_row(duns: str, parent: str = "", domestic: str = "", name: str = "") -> Company:
    return Company(duns=duns, parent=parent, domestic_ultimate=domestic, global_ultimate=TOP, search_name=name)


def drawn(*rows: Company) -> list[tuple[str, int]]:
    return [(node.duns, node.depth) for node in tree_of({row.duns: row for row in rows}, TOP)]


def test_each_company_stands_below_its_parent_by_name() -> None:
    rows = [a_row(TOP), a_row("1", TOP, name="zinc"), a_row("2", TOP, name="alum"), a_row("3", "1"), a_row("4", "3")]
    assert drawn(*rows) == [(TOP, 0), ("2", 1), ("1", 1), ("3", 2), ("4", 3)]


def test_without_a_parent_a_company_stands_below_its_domestic_ultimate_else_below_the_top() -> None:
    rows = [a_row("1", TOP, domestic="1"), a_row("2", domestic="1"), a_row("3", domestic="3")]
    assert drawn(*rows) == [(TOP, 0), ("1", 1), ("2", 2), ("3", 1)]


def test_an_owner_that_is_not_here_stands_below_the_top() -> None:
    (top, owner, company) = tree_of({"1": a_row("1", "5")}, TOP)
    assert (top.company, owner.duns, owner.depth, owner.company) == (None, "5", 1, None)
    assert (company.duns, company.depth) == ("1", 2)


def test_companies_that_own_each_other_are_shown_once() -> None:
    assert drawn(a_row("1", "2"), a_row("2", "1"), a_row("3", "3")) == [(TOP, 0), ("3", 1), ("1", 1), ("2", 2)]


def test_a_very_deep_group_is_a_tree_too() -> None:
    rows = [a_row(f"{number}", f"{number - 1}" if number else TOP) for number in range(3_000)]
    assert max(depth for _, depth in drawn(*rows)) == 3_000


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from("ABCDEFGH"), st.sampled_from(["", *"ABCDEFGHXY"]), min_size=1))
def test_whatever_is_reported_each_company_is_shown_once(parents: dict[str, str]) -> None:
    rows = [a_row(duns, parent) for duns, parent in parents.items()]
    shown = [duns for duns, _ in drawn(*rows)]
    assert len(shown) == len(set(shown))
    assert {TOP, *parents} <= set(shown) <= {TOP, *parents, *parents.values()}
    assert shown[0] == TOP
