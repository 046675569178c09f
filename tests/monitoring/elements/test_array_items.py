"""Arrays compared item by item."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from monitoring.elements.array_items import IDENTITIES, item_changes, item_pairs
from monitoring.elements.json_paths import comparable
from monitoring.elements.paths import facets, parse_path

NUMBERS = "organization.registrationNumbers"
VAT = {"registrationNumber": "111", "typeDnBCode": 1, "typeDescription": "VAT number"}
TAX = {"registrationNumber": "222", "typeDnBCode": 2, "typeDescription": "Tax number"}


def changes(path: str, previous: Any, current: Any) -> tuple[list[Any], list[Any], list[tuple[Any, Any]]]:
    found = item_changes(path, previous, current)
    return found.added, found.removed, found.changed


def test_an_item_that_is_known_by_its_values_has_changed() -> None:
    preferred = {**VAT, "isPreferredRegistrationNumber": True}
    assert changes(NUMBERS, [VAT, TAX], [TAX, preferred]) == ([], [], [(VAT, preferred)])


def test_another_number_is_another_item() -> None:
    other = {**VAT, "registrationNumber": "333"}
    assert changes(NUMBERS, [VAT, TAX], [other, TAX]) == ([other], [VAT], [])


def test_the_same_number_of_another_type_is_another_item() -> None:
    other = {**VAT, "typeDnBCode": 3}
    assert changes(NUMBERS, [VAT, TAX], [other, TAX]) == ([other], [VAT], [])


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("organization.telephone", {"telephoneNumber": "1", "isdCode": "44"}, {"isUnreachable": True}),
        ("organization.industryCodes", {"code": "7372", "typeDnBCode": 399}, {"priority": 2}),
        ("organization.websiteAddress", {"url": "acme.com", "domainName": "acme.com"}, {"domainName": "acme.org"}),
        ("organization.currentPrincipals", {"fullName": "Ada Byron"}, {"jobTitles": [{"title": "CFO"}]}),
        ("organization.numberOfEmployees", {"informationScopeDescription": "Consolidated", "value": 1}, {"value": 2}),
        ("organization.otherAddresses", {"typeDescription": "Mail", "postalCode": "1"}, {"postalCode": "2"}),
        (
            "organization.stockExchanges",
            {"tickerName": "ACM", "exchangeName": {"description": "LSE", "dnbCode": 1}},
            {"isPrimary": True},
        ),
        ("legalEvents.suits.filings", {"filingReference": "A1", "filingDate": "2026-01-01"}, {"status": "Closed"}),
    ],
)
def test_items_are_known_by_what_identifies_them_in_their_array(
    path: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    others = [{"other": 1}, {"other": 2}]
    assert changes(path, [before, *others], [*others, before | after]) == ([], [], [(before, before | after)])


def test_arrays_that_are_not_in_the_table_are_multisets_of_whole_items() -> None:
    assert changes("organization.new", [{"a": 1}, {"a": 2}, {"a": 2}], [{"a": 2}, {"a": 3}]) == (
        [{"a": 3}],
        [{"a": 1}, {"a": 2}],
        [],
    )


def test_items_without_what_identifies_the_others_are_compared_as_a_whole() -> None:
    assert changes(NUMBERS, [{"note": 1}, VAT], [{"note": 2}, VAT]) == ([{"note": 2}], [{"note": 1}], [])


def test_the_only_item_is_the_one_that_changed_unless_another_is_named() -> None:
    assert changes("organization.new", [{"a": 1}], [{"a": 2}]) == ([], [], [({"a": 1}, {"a": 2})])
    assert changes("organization.numberOfEmployees", [{"value": 1}], [{"value": 2}])[2] == [
        ({"value": 1}, {"value": 2})
    ]
    assert changes(NUMBERS, [VAT], [TAX]) == ([TAX], [VAT], [])
    assert changes("organization.new", ["a"], ["b"]) == (["b"], ["a"], [])


def test_of_items_known_by_the_same_values_each_is_paired_once() -> None:
    first, second, third = ({**VAT, "location": place} for place in "ABC")
    assert changes(NUMBERS, [first, second], [third]) == ([], [second], [(first, third)])


@pytest.mark.parametrize("other", [None, [], [None], [{}], ""])
def test_what_is_empty_holds_no_items(other: Any) -> None:
    assert changes(NUMBERS, other, [VAT]) == ([VAT], [], [])
    assert changes(NUMBERS, [VAT], other) == ([], [VAT], [])


NAMES = ["registrationNumbers", "telephone", "new", "tradeStyleNames"]
VALUES = some.one_of(some.none(), some.sampled_from("AB"), some.integers(0, 2))
MEMBERS = some.sampled_from(["registrationNumber", "typeDnBCode", "telephoneNumber", "name", "x"])
ITEMS = some.lists(some.one_of(some.dictionaries(MEMBERS, VALUES, max_size=3), VALUES), max_size=5)


@given(some.sampled_from(NAMES), ITEMS)
def test_where_nothing_was_before_each_item_is_new(name: str, items: list[Any]) -> None:
    path = f"organization.{name}"
    assert list(item_pairs(path, None, items)) == list(item_pairs(path, [], items))


@given(some.sampled_from(NAMES), ITEMS, ITEMS)
def test_taken_away_added_and_changed_one_array_becomes_the_other(
    name: str, before: list[Any], after: list[Any]
) -> None:
    added, removed, changed = changes(f"organization.{name}", before, after)
    made = sorted(comparable(item) for item in before if comparable(item))
    for item in [*removed, *(one for one, _ in changed)]:
        made.remove(comparable(item))
    made += [comparable(item) for item in [*added, *(other for _, other in changed)]]
    assert sorted(made) == sorted(comparable(item) for item in after if comparable(item))
    assert all(comparable(one) != comparable(other) for one, other in changed)
    if name not in IDENTITIES and len(before) != 1:
        assert not changed


def test_a_rule_looks_at_items_that_changed_and_at_no_others() -> None:
    path = parse_path("currentPrincipals.fullName")
    ada, bo, cy = ({"fullName": name, "age": 40} for name in ("Ada", "Bo", "Cy"))

    def seen(before: Any, after: Any) -> list[tuple[Any, Any]]:
        return [(one.previous, one.current) for one in facets(path, "organization.currentPrincipals", before, after)]

    assert seen([ada, bo, cy], [bo, cy]) == [("Ada", None)]
    assert seen([ada, bo], [bo, ada]) == []
    assert seen([ada, bo], [bo, cy]) == [("Ada", None), (None, "Cy")]
    assert seen([ada], [bo]) == [("Ada", "Bo")]
    assert seen([ada, bo], [{**ada, "age": 41}, bo]) == []


def test_a_rule_compares_statements_with_those_of_earlier_days() -> None:
    def statement(year: int, income: int, scope: str = "Individual") -> dict[str, Any]:
        day = f"{year}-12-31"
        return {"financialStatementToDate": day, "informationScopeDescription": scope, "netIncome": income}

    before = [statement(2024, 9), statement(2023, 8), statement(2023, 70, "Consolidated")]
    after = [statement(2025, 3), statement(2024, 9), statement(2025, 80, "Consolidated")]
    found = facets(parse_path("financials.netIncome"), "organization.financials", before, after)
    assert [(one.previous, one.current) for one in found] == [(8, 3), (70, 80)]


def test_a_rule_does_not_take_a_new_event_for_an_earlier_one() -> None:
    before, after = ([{"type": 1, "eventDate": day, "status": "Open"}, {"type": 2}] for day in ("2020", "2026"))
    found = facets(parse_path("riskEvents.status"), "organization.riskEvents", before, after)
    assert [(one.previous, one.current) for one in found] == [("Open", None), (None, "Open")]


@pytest.mark.parametrize("name", ["yearlyRevenue", "new"])
def test_a_rule_does_not_compare_amounts_of_different_currencies(name: str) -> None:
    before, after = [{"value": 10, "currency": "USD"}], [{"value": 9, "currency": "EUR"}]
    found = list(facets(parse_path(f"{name}.value"), f"organization.{name}", before, after))
    assert [(one.previous, one.current) for one in found] == [(10, None), (None, 9)]
    found = list(facets(parse_path(f"{name}.value"), f"organization.{name}", before, [{"value": 9}]))
    assert (10, 9) in [(one.previous, one.current) for one in found]


def test_a_rule_compares_what_nothing_identifies_by_its_place_among_what_changed() -> None:
    before, after = [{"value": 1}, {"value": 2}], [{"value": 1}, {"value": 3}]
    found = facets(parse_path("new.value"), "organization.new", before, after)
    assert [(one.previous, one.current) for one in found] == [(2, 3)]
