"""The ready pack: there at first start, as the contract has it, changed and reset by people."""

import pytest

from monitoring.alerts.default_rules import (
    DEFAULT_RULES,
    INSTALLED,
    install_default_rules,
    is_changed,
    reset,
    restore_default_rules,
)
from monitoring.alerts.rules import compile_rule, mistakes_in
from monitoring.elements.severity import PREFIX
from monitoring.models import AlertRule, ConsumerOffset, Severity
from tests.builders.changes import a_change
from tests.builders.elements import ACTIVE, BANKRUPTCY, OUT, PERCENTILE, STATUS

pytestmark = pytest.mark.django_db


def names_taking(*changes: object) -> set[str]:
    rules = [compile_rule(row) for row in AlertRule.objects.all()]
    return {rule.row.default_key for rule in rules for change in changes if rule.reason(change)}  # type: ignore[arg-type]


def test_its_ids_never_change() -> None:
    """Otherwise a restored backup would have each rule beside the one that the program makes."""
    rule = AlertRule.objects.get(default_key="gone")
    assert str(rule.pk) == "96fd9b64-779c-559c-8b41-4308e74e6ea5"


def test_it_is_there_at_the_first_start_and_switched_on() -> None:
    assert set(AlertRule.objects.filter(active=True).values_list("default_key", flat=True)) == set(DEFAULT_RULES)


def test_its_ids_are_those_of_every_version_before() -> None:
    """Else a database that comes from one would get each rule a second time."""
    rule = AlertRule.objects.get(default_key="insolvency")
    assert str(rule.pk) == "1d8fcb30-1076-5626-a478-8c00e049857d"


def test_none_of_it_has_a_mistake() -> None:
    assert [mistakes_in(row) for row in AlertRule.objects.all()] == [{}] * len(DEFAULT_RULES)


@pytest.mark.parametrize(
    ("element", "previous", "current", "default_key"),
    [
        (STATUS, ACTIVE, OUT, "out-of-business"),
        (STATUS, OUT, ACTIVE, None),
        (BANKRUPTCY, False, True, "insolvency"),
        (BANKRUPTCY, True, False, None),
        ("organization.legalEvents", {"hasOpenSuits": False}, {"hasOpenSuits": True}, "open-legal-events"),
        ("organization.exclusions.hasActiveExclusions", None, True, "exclusions"),
        ("organization.isHighRiskBusiness", False, True, "high-risk"),
        ("organization.significantEvents.hasFire", False, True, "significant-events"),
        (PERCENTILE, 60, 40, "score-worse"),
        (PERCENTILE, 40, 60, None),
        ("organization.dnbAssessment.failureScore.scoreDate", "2026-01-01", "2026-01-02", None),
        ("organization.corporateLinkage.parent", {"duns": "1"}, {"duns": "2"}, "ownership"),
        ("organization.corporateLinkage.globalUltimateFamilyTreeMembersCount", 1, 2, None),
        ("organization.primaryName", "A", "B", "master-data"),
        ("organization.telephone", [], [{"telephoneNumber": "1"}], None),
    ],
)
def test_it_raises_what_matters_and_nothing_else(
    element: str, previous: object, current: object, default_key: str | None
) -> None:
    found = names_taking(a_change(element, previous, current))
    assert (default_key in found) if default_key else not found


@pytest.mark.parametrize(
    ("kind", "default_key"),
    [("deleted", "gone"), ("transferred", "gone"), ("under_review", "silent"), ("left", "silent"), ("reviewed", None)],
)
def test_it_takes_notices_by_their_kind(kind: str, default_key: str | None) -> None:
    found = names_taking(a_change("", kind=kind)) - {"group"}
    assert found == ({default_key} if default_key else set())


def test_the_pack_weighs_as_the_contract_does() -> None:
    severities = {row.default_key: row.severity for row in AlertRule.objects.all()}
    assert severities["out-of-business"] == severities["gone"] == Severity.CRITICAL
    assert severities["score-worse"] == severities["silent"] == Severity.HIGH
    assert severities["master-data"] == Severity.MEDIUM
    lines = [line for rule in DEFAULT_RULES.values() for line in rule.get("elements", "").splitlines()]
    assert all(line.lstrip("!").startswith(PREFIX) for line in lines)


def test_what_people_deleted_stays_deleted_until_they_want_it_back() -> None:
    AlertRule.objects.filter(default_key="gone").delete()
    install_default_rules()
    assert not AlertRule.objects.filter(default_key="gone").exists()
    assert restore_default_rules() == 1
    assert restore_default_rules() == 0


def test_a_first_start_that_was_interrupted_is_finished_by_the_next() -> None:
    AlertRule.objects.filter(default_key__in=list(DEFAULT_RULES)[3:]).delete()
    ConsumerOffset.objects.filter(consumer=INSTALLED).delete()
    install_default_rules()
    assert AlertRule.objects.count() == len(DEFAULT_RULES)


def test_a_changed_rule_can_be_reset() -> None:
    rule = AlertRule.objects.get(default_key="score-worse")
    assert not is_changed(rule)
    AlertRule.objects.filter(pk=rule.pk).update(name="Mine", conditions="drops by 20", countries="DE", active=False)
    rule.refresh_from_db()
    assert is_changed(rule)
    assert reset(rule)
    rule.refresh_from_db()
    assert (rule.name, rule.conditions, rule.countries, rule.active) == (
        DEFAULT_RULES["score-worse"]["name"],
        "gets worse",
        "",
        True,
    )


def test_a_rule_of_ones_own_has_nothing_to_be_reset_to() -> None:
    rule = AlertRule.objects.create(name="Mine")
    assert not reset(rule)
    assert not is_changed(rule)
