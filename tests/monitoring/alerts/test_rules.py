"""Rules: paths with wildcards in both directions, conditions on values, scope, and mistakes with their places."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from monitoring.alerts.conditions import parse_condition
from monitoring.alerts.rules import Scope, compile_rule, mistakes_in, rule_text, scope_text
from monitoring.elements.paths import Facet, Mistake, facets, parse_line, parse_path
from monitoring.models import AlertRule, Change, Combination, Kind
from portfolio.models import Company, Subject
from tests.builders.changes import a_change
from tests.builders.companies import DUNS, OTHER
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, PERCENTILE, STATUS
from tests.builders.registrations import a_registration

pytestmark = pytest.mark.django_db


def reason(change: Change, **fields: Any) -> str:
    return compile_rule(AlertRule(name="A rule", **fields)).reason(change)


def found(path: str, element: str, previous: Any, current: Any) -> list[str]:
    return [facet.path.removeprefix("organization.") for facet in facets(parse_path(path), element, previous, current)]


# Paths


@pytest.mark.parametrize(
    ("path", "element"),
    [
        (STATUS, STATUS),
        ("dunsControlStatus.operatingStatus", STATUS),
        ("organization.dunsControlStatus", STATUS),
        ("organization", STATUS),
        ("legalEvents.hasOpen*", BANKRUPTCY),
        ("*.*.nationalPercentile", PERCENTILE),
        ("**.nationalPercentile", PERCENTILE),
        ("dnbAssessment.**", PERCENTILE),
    ],
)
def test_a_path_takes_a_change_at_or_below_it(path: str, element: str) -> None:
    assert reason(a_change(element, 1, 2), elements=path)


@pytest.mark.parametrize(
    ("path", "element"),
    [
        ("primaryName", STATUS),
        ("dunsControl", STATUS),
        ("legalEvents.hasOpen*", "organization.legalEvents.hasBankruptcy"),
        ("*.nationalPercentile", PERCENTILE),
        ("**.classScore", PERCENTILE),
    ],
)
def test_a_path_leaves_other_changes_alone(path: str, element: str) -> None:
    assert not reason(a_change(element, 1, 2), elements=path)


def test_a_path_below_a_changed_container_names_the_values_inside() -> None:
    before = {"hasOpenBankruptcy": False, "hasOpenSuits": True, "hasLiens": False}
    after = {"hasOpenBankruptcy": True, "hasOpenSuits": True, "hasLiens": True}
    assert found("legalEvents.hasOpen*", "organization.legalEvents", before, after) == ["legalEvents.hasOpenBankruptcy"]
    assert found("**.hasLiens", "organization", {"legalEvents": before}, {"legalEvents": after}) == [
        "legalEvents.hasLiens"
    ]


def test_what_stayed_the_same_inside_a_container_is_no_change() -> None:
    assert not found(BANKRUPTCY, "organization.legalEvents", {"hasOpenBankruptcy": True}, {"hasOpenBankruptcy": True})


def test_a_container_that_came_or_went_counts() -> None:
    assert found(BANKRUPTCY, "organization.legalEvents", None, {"hasOpenBankruptcy": True})
    assert found(BANKRUPTCY, "organization.legalEvents", {"hasOpenBankruptcy": True}, None)


def test_arrays_come_whole_and_paths_look_into_them() -> None:
    before, after = [{"yearlyRevenue": [{"value": 1}]}], [{"yearlyRevenue": [{"value": 2}]}]
    assert found("financials.yearlyRevenue.value", "organization.financials", before, after)


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("legalEvents..hasOpen*", 13),
        ("legalEvents.", 13),
        ("legal events", 6),
        ("legalEvents[0]", 12),
        ("a.x**", 4),
        ("**.**.**.a", 1),
        ("a" * 401, 401),
        (".".join(["a"] * 31), 1),
    ],
)
def test_a_mistake_in_a_path_has_its_place(path: str, at: int) -> None:
    with pytest.raises(Mistake) as mistake:
        parse_path(path)
    assert mistake.value.at == at


def test_a_path_with_a_mark_before_it_leaves_out() -> None:
    elements = "legalEvents.hasOpen*\n!legalEvents.hasOpenBankruptcy"
    assert reason(a_change("organization.legalEvents.hasOpenSuits", False, True), elements=elements)
    assert not reason(a_change(BANKRUPTCY, False, True), elements=elements)
    both = {"hasOpenBankruptcy": True, "hasOpenSuits": True}
    assert reason(a_change("organization.legalEvents", None, both), elements=elements).startswith("Open suits")
    assert not reason(a_change(STATUS, 1, 2), elements="!dunsControlStatus")
    assert reason(a_change(PERCENTILE, 1, 2), elements="!dunsControlStatus")
    with pytest.raises(Mistake) as mistake:
        parse_line("!legal events")
    assert mistake.value.at == 7


# Conditions


@pytest.mark.parametrize(
    ("condition", "previous", "current", "is_met"),
    [
        ("changes", 1, 2, True),
        ("becomes 403", ACTIVE, OUT, True),
        ("becomes out of  BUSINESS", ACTIVE, OUT, True),
        ("becomes Active", ACTIVE, OUT, False),
        ("becomes 403", OUT, {**OUT, "note": 1}, False),
        ("becomes true", False, True, True),
        ("becomes yes", None, True, True),
        ("becomes true", None, "true story", False),
        ("becomes 1,000", 1, 1000, True),
        ("becomes 1000.0", 1, 1000, True),
        ("was Active", ACTIVE, OUT, True),
        ("was Active", ACTIVE, {**ACTIVE, "note": 1}, False),
        ("contains busi", ACTIVE, OUT, True),
        ("contains busi", OUT, ACTIVE, False),
        ("contains gmbh", "Acme AG", "ACME GmbH & Co. KG", True),
        ("rises by 10", 10, 20, True),
        ("rises by 10", 10, 19, False),
        ("rises by 10", 20, 10, False),
        ("rises by 50 %", 10, 15, True),
        ("rises by 50%", 10, 14, False),
        ("rises by 10%", 0, 5, False),
        ("rises by 10%", -10, -9, True),
        ("drops by 20", 90, 70, True),
        ("drops by 20 %", 100, 81, False),
        ("drops by 20 %", 100, 80, True),
        ("drops by 0", 5, 5, False),
        ("goes above 50", 50, 51, True),
        ("goes above 50", 51, 60, False),
        ("goes below 30", 30, 29, True),
        ("goes below 30", 20, 10, False),
        ("crosses 50", 40, 60, True),
        ("crosses 50", 60, 40, True),
        ("crosses 50", 60, 55, False),
        ("crosses 50", None, 60, False),
        ("goes below 30", "31", "29.5", True),
        ("rises by 1", {"value": 1, "currency": "EUR"}, {"value": 3, "currency": "EUR"}, True),
        ("rises by 1", "one", "two", False),
        ("rises by 1", False, True, False),
        ("rises by 1", "9" * 50, "1", False),
    ],
)
def test_conditions(condition: str, previous: Any, current: Any, is_met: bool) -> None:
    assert parse_condition(condition).is_met(Facet(STATUS, previous, current)) is is_met


@pytest.mark.parametrize(
    ("element", "previous", "current", "is_worse"),
    [
        (PERCENTILE, 60, 40, True),
        (PERCENTILE, 40, 60, False),
        ("organization.dnbAssessment.failureScore.classScore", 2, 4, True),
        ("organization.dnbAssessment.failureScore.classScore", 4, 2, False),
        ("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-02-01", False),
        ("organization.dnbAssessment.standardRating.riskSegment", "1", "3", True),
        ("organization.dnbAssessment.standardRating.rating", "5A1", "5A3", True),
        ("organization.dnbAssessment.standardRating.rating", "5A 2", "3A 2", True),
        ("organization.dnbAssessment.standardRating.rating", "3A2", "5A2", False),
        ("organization.dnbAssessment.standardRating.financialStrength", "BA", "CC", True),
        ("organization.dnbAssessment.standardRating.rating", "NQ", "--", False),
        ("organization.primaryName", "A", "B", False),
    ],
)
def test_worse_is_meant_in_the_sense_of_each_score(element: str, previous: Any, current: Any, is_worse: bool) -> None:
    assert parse_condition("gets worse").is_met(Facet(element, previous, current)) is is_worse


def test_a_score_that_comes_as_a_container_is_judged_member_by_member() -> None:
    before, after = {"nationalPercentile": 40, "classScore": 3}, {"nationalPercentile": 60, "classScore": 4}
    facet = Facet("organization.dnbAssessment.failureScore", before, after)
    assert parse_condition("gets worse").is_met(facet)
    assert parse_condition("gets worse").is_met(Facet(facet.path, [before], [after]))
    assert not parse_condition("gets worse").is_met(Facet(facet.path, before, {**before, "nationalPercentile": 90}))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("sinks by 3", 1),
        ("becomes", 8),
        ("rises by much", 10),
        ("rises by -3", 10),
        ("crosses 30 %", 12),
        ("gets worse now", 12),
        ("becomes " + "x" * 301, 309),
    ],
)
def test_a_mistake_in_a_condition_has_its_place(text: str, at: int) -> None:
    with pytest.raises(Mistake) as mistake:
        parse_condition(text)
    assert mistake.value.at == at


def test_conditions_hold_alike_in_every_language() -> None:
    """Who tries a rule reads the program in a language of their own; the job that applies it does not."""
    amount = Facet("yearlyRevenue", None, {"value": Decimal("1234567.5"), "currency": "EUR"})
    for language in ("en-gb", "de"):
        with translation.override(language):
            assert parse_condition("becomes 1,234,567.5 EUR").is_met(amount)
            assert parse_condition("becomes yes").is_met(Facet("isDelisted", False, True))
            assert parse_condition("becomes nothing").is_met(Facet("telephone", "1", None))


def test_any_and_all_of_several_conditions() -> None:
    change = a_change(PERCENTILE, 60, 25)
    lines = "goes below 30\ndrops by 50"
    assert reason(change, elements=PERCENTILE, conditions=lines, combination=Combination.ANY)
    assert not reason(change, elements=PERCENTILE, conditions=lines, combination=Combination.ALL)
    both = "goes below 30\ndrops by 30"
    assert "goes below 30, drops by 30" in reason(change, conditions=both, combination=Combination.ALL)


# Rules


def test_the_reason_says_what_changed_and_which_condition_is_met() -> None:
    said = reason(a_change(STATUS, ACTIVE, OUT), elements=STATUS, conditions="becomes 403")
    assert said == "Operating status: Active → Out of business (changes to Out of business)"


SCORE = "organization.dnbAssessment.failureScore"


@pytest.mark.parametrize("rule", [{}, {"elements": "dnbAssessment.failureScore"}, {"elements": "**"}])
def test_dates_of_scores_alone_are_taken_by_no_rule(rule: dict[str, str]) -> None:
    old, new = {"classScore": 3, "scoreDate": "2026-01-01"}, {"classScore": 3, "scoreDate": "2026-02-01"}
    assert not reason(a_change(SCORE, previous=old, current=new), **rule)
    assert not reason(a_change(f"{SCORE}.scoreDate", previous="2026-01-01", current="2026-02-01"), **rule)
    assert reason(a_change(SCORE, previous=old, current={**new, "classScore": 4}), **rule)
    assert reason(a_change(SCORE, previous=old, current=new), elements="**.scoreDate"), "unless it names them"


def test_the_reason_tells_which_items_of_an_array_came_and_went() -> None:
    change = a_change("organization.tradeStyleNames", previous=["A", "B"], current=["B", "C"])
    assert reason(change, elements="tradeStyleNames") == "Trade style names: added C; removed A"


def test_a_rule_without_anything_takes_every_kind_and_one_with_paths_takes_elements() -> None:
    deleted = a_change("", kind=Kind.DELETED)
    assert reason(deleted)
    assert reason(a_change(current=1))
    assert not reason(deleted, elements=STATUS)
    assert reason(deleted, elements=STATUS, kinds="element,deleted") == "Deleted at D&B"
    assert not reason(deleted, kinds="transferred")


def test_a_limit_takes_companies_with_a_higher_exposure_only() -> None:
    registration = a_registration()
    for duns, cents in ((DUNS, 5_000_001), (OTHER, 5_000_000), ("101202303", None)):
        Company.objects.create(duns=duns, exposure=cents)
    row = AlertRule(name="A rule", min_exposure=50_000)
    rule, scope = compile_rule(row), Scope.of([DUNS, OTHER, "101202303"])
    assert [scope.has(rule, duns, registration.pk) for duns in (DUNS, OTHER, "101202303", "999999999")] == [
        *(True, False, False, False)
    ]
    assert scope_text(row) == "exposure above EUR 50,000"


def test_scope_by_company_country_tag_and_registration() -> None:
    registration = a_registration()
    Company.objects.create(duns=DUNS, country="GB")
    Company.objects.create(duns=OTHER, country="DE")
    key = Subject.key(registration.pk, DUNS)
    Subject.objects.create(id=key, registration=registration, company_id=DUNS, tags="Key supplier, EU", owner="ann")
    scope = Scope.of([DUNS, OTHER])
    assert scope.owners == {DUNS: {"ann"}}
    for fields in (
        {"countries": "gb"},
        {"companies": "80-473-5132"},
        {"tags": "KEY SUPPLIER"},
        {"registrations": registration.reference, "companies": DUNS},
    ):
        rule = compile_rule(AlertRule(name="A rule", **fields))
        assert scope.has(rule, DUNS, registration.pk), fields
        assert not scope.has(rule, OTHER, registration.pk), fields
    elsewhere = compile_rule(AlertRule(name="A rule", registrations="NOT_THERE"))
    assert not scope.has(elsewhere, DUNS, registration.pk)


def test_a_list_of_companies_may_hold_comments_and_blank_lines() -> None:
    listed = f"# key accounts\n{DUNS} # Gorman, Ltd\n\nDUNS: 15-048-3782; '{OTHER}\n"
    rule = AlertRule(name="A rule", companies=listed)
    assert mistakes_in(rule) == {}
    assert compile_rule(rule).companies == frozenset({DUNS, "150483782", OTHER})
    assert scope_text(rule) == f"company {DUNS} # Gorman, DUNS: 15-048-3782, '{OTHER}"


def test_mistakes_name_the_field_and_the_place() -> None:
    rule = AlertRule(
        name="Bad",
        kinds="element, sold",
        elements="primaryName\n\nlegal events",
        conditions="becomes 403\nsinks",
        registrations="NOT_THERE",
        companies="804735132, 12345",
        countries="GB, Germany",
        quiet_zone="Berlin",
    )
    found = mistakes_in(rule)
    assert found["elements"] == ["Line 3, character 6: “ ” is not allowed in a path. Separate names with dots."]
    assert found["conditions"][0].startswith("Line 2, character 1: A condition must start with one of")
    assert found["kinds"] == ["Entry 2, “sold”: this change type does not exist."]
    assert found["companies"][0].startswith("Entry 2, “12345”: this is not a D-U-N-S number")
    assert found["countries"] == ["Entry 2, “Germany”: use the two-letter country code, such as DE."]
    assert found.keys() >= {"registrations", "quiet_zone"}
    assert mistakes_in(AlertRule(name="Good")) == {}


def test_what_contradicts_itself_is_a_mistake_too() -> None:
    assert "elements" in mistakes_in(AlertRule(name="A", kinds="deleted", elements=STATUS))
    assert "quiet_until" in mistakes_in(AlertRule(name="A", quiet_from="22:00"))
    assert "quiet_until" in mistakes_in(AlertRule(name="A", quiet_from="22:00", quiet_until="22:00"))
    assert "elements" in mistakes_in(AlertRule(name="A", elements="\n".join(["a"] * 201)))


def test_a_rule_in_words() -> None:
    rule = AlertRule(
        name="A", elements=STATUS, conditions="becomes 403\nwas Active", countries="de", kinds="element,deleted"
    )
    assert rule_text(rule) == "operating status: changes to Out of business or was Active; deleted at D&B"
    assert scope_text(rule) == "in Germany"
    assert rule_text(AlertRule(name="A")) == "any change"
    assert scope_text(AlertRule(name="A")) == "all companies"
