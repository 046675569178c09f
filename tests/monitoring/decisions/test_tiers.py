"""Tiers: what users set stays, rules set the rest, and what a rule would change is what it changes."""

import json
from datetime import timedelta
from typing import Any

import pytest

from core.models import AuditEntry
from monitoring.decisions import rules as module
from monitoring.decisions import tiers as tiers_module
from monitoring.decisions.reviews import mark_reviewed
from monitoring.decisions.rules import apply_rules, conditions_text, summary_of, switch_rule, would_change
from monitoring.decisions.tiers import release_tier, set_tier, tier_of, write_tiers
from monitoring.models import TierRule
from portfolio.exposure.days import today
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier
from tests.builders.companies import DUNS, OTHER, a_company
from tests.builders.decisions import a_tier_rule, a_tiered_company, days_ago
from tests.builders.people import an_actor
from tests.builders.registrations import a_registration
from tests.builders.subjects import a_subject

pytestmark = pytest.mark.django_db
MIA = an_actor("mia")


def tiers() -> dict[str, str]:
    return dict(Company.objects.values_list("duns", "tier"))


def test_a_tier_that_a_user_sets_plans_the_review_and_is_recorded() -> None:
    company = a_company()
    assert set_tier([company], tier=Tier.IMPORTANT, by=MIA) == 1
    stored = Company.objects.get()
    assert (stored.tier, stored.tier_set_by, stored.tier_set_on) == (Tier.IMPORTANT, "mia", today())
    assert stored.next_review_on == today() + timedelta(days=180)
    entry = AuditEntry.objects.get(action="tier.set")
    assert (entry.key, entry.actor) == (DUNS, "mia")
    assert entry.summary == f"Acme Ltd ({DUNS}): tier “Important”, before “None”"
    assert set_tier([stored], tier=Tier.IMPORTANT, by=MIA) == 0
    assert AuditEntry.objects.count() == 1


def test_the_same_tier_again_keeps_its_day() -> None:
    a_tiered_company(set_days_ago=100)
    write_tiers([DUNS], tier=Tier.NORMAL, by="zoe")
    stored = Company.objects.get()
    assert (stored.tier_set_on, stored.tier_set_by) == (days_ago(100), "zoe")


def test_another_tier_moves_no_open_review_later() -> None:
    """By hand, by a rule, and without a tier in between; a review completes what was open."""
    a_tiered_company(set_days_ago=400)
    due = days_ago(35)
    for tier in (Tier.CRITICAL, "", Tier.NORMAL):
        set_tier([Company.objects.get()], tier=tier, by=MIA)
        assert Company.objects.get().next_review_on == due, tier
    release_tier(Company.objects.get(), by=MIA)
    a_tier_rule(is_enabled=True)
    assert (apply_rules(), Company.objects.get().next_review_on) == (1, due)
    mark_reviewed(Company.objects.get(), seen=None, note="", by=MIA)
    assert Company.objects.get().next_review_on == today() + timedelta(days=90)
    set_tier([Company.objects.get()], tier=Tier.NORMAL, by=MIA)
    assert Company.objects.get().next_review_on == today() + timedelta(days=90)


def test_a_tier_that_rules_no_longer_change_is_recorded_though_it_is_the_same() -> None:
    company = a_company(tier=Tier.NORMAL)
    assert set_tier([company], tier=Tier.NORMAL, by=MIA) == 0
    entry = AuditEntry.objects.get(action="tier.set")
    assert (json.loads(entry.before)["set_by"], json.loads(entry.after)["set_by"]) == ("", "mia")


def test_no_tier_is_without_an_entry_though_a_process_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    company = a_company()

    def dies(entries: Any) -> None:
        raise SystemExit

    monkeypatch.setattr(tiers_module, "record_all", dies)
    with pytest.raises(SystemExit):
        set_tier([company], tier=Tier.CRITICAL, by=MIA)
    assert Company.objects.get().tier == ""


def test_a_word_that_is_no_tier_is_refused() -> None:
    assert [tier_of(word) for word in ("critical", "none")] == ["critical", ""]
    with pytest.raises(Refused, match="Choose a tier"):
        tier_of("vital")


def test_a_tier_that_is_taken_away_ends_the_reviews() -> None:
    company = a_tiered_company()
    set_tier([company], tier="", by=MIA)
    stored = Company.objects.get()
    assert (stored.tier, stored.next_review_on, stored.tier_set_by) == ("", None, "mia")


# Rules


def a_world() -> None:
    registration = a_registration()
    a_company("100000001", exposure=5_000_000, failure_class=2, country="DE")
    a_company("100000002", exposure=4_999_999, failure_class=5, country="DE")
    a_company("100000003", exposure=None, failure_class=5, country="FR")
    a_company("100000004", exposure=9_000_000, failure_class=None, country="FR")
    a_subject("100000003", registration, tags="sole source, steel")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"exposure_from": 50_000}, ["100000001", "100000004"]),
        ({"failure_class_from": 4}, ["100000002", "100000003"]),
        ({"country": "DE", "failure_class_from": 4}, ["100000002"]),
        ({"tag": "steel"}, ["100000003"]),
        ({"exposure_from": 50_000, "failure_class_from": 3}, []),
    ],
)
def test_a_company_gets_the_tier_of_a_rule_whose_conditions_it_meets(
    conditions: dict[str, Any], expected: list[str]
) -> None:
    a_world()
    a_tier_rule(is_enabled=True, **conditions)
    assert apply_rules() == len(expected)
    assert sorted(duns for duns, tier in tiers().items() if tier) == expected
    assert set(Company.objects.exclude(tier="").values_list("tier_set_by", flat=True)) <= {""}
    assert apply_rules() == 0


def test_tiers_by_rules_are_recorded_for_each_company() -> None:
    a_company(exposure=100, tier=Tier.NORMAL)
    a_company(OTHER, exposure=100, tier=Tier.CRITICAL)
    a_tier_rule(is_enabled=True, exposure_from=1)
    apply_rules()
    apply_rules()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.key) == ("tier.ruled", "tier rules", DUNS)
    assert f"({DUNS}): tier “Critical” by rules, before “Normal”" in entry.summary
    assert (json.loads(entry.before), json.loads(entry.after)) == ({"tier": "normal"}, {"tier": "critical"})


# MongoDB's driver counts each row of a bulk write.
@pytest.mark.one_engine
def test_many_tiers_by_rules_are_recorded_in_batches(django_assert_max_num_queries: Any) -> None:
    Company.objects.bulk_create([Company(duns=f"{100_000_000 + number}") for number in range(600)])
    a_tier_rule(is_enabled=True)
    with django_assert_max_num_queries(60):
        assert apply_rules() == 600
    assert AuditEntry.objects.filter(action="tier.ruled").count() == 600


def test_the_most_critical_tier_counts() -> None:
    a_world()
    a_tier_rule("All", Tier.NORMAL, is_enabled=True)
    a_tier_rule("Large", Tier.CRITICAL, is_enabled=True, exposure_from=50_000)
    a_tier_rule("Risky", Tier.IMPORTANT, is_enabled=True, failure_class_from=2)
    apply_rules()
    assert [tier for _, tier in sorted(tiers().items())] == ["critical", "important", "important", "critical"]


def test_a_tier_that_a_user_set_is_never_overwritten() -> None:
    a_world()
    set_tier([Company.objects.get(pk="100000001")], tier="", by=MIA)
    set_tier([Company.objects.get(pk="100000004")], tier=Tier.NORMAL, by=MIA)
    a_tier_rule(is_enabled=True)
    apply_rules()
    assert tiers() == {"100000001": "", "100000002": "critical", "100000003": "critical", "100000004": "normal"}


def test_a_user_who_sets_a_tier_while_rules_are_applied_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    a_company()
    a_company(OTHER)
    a_tier_rule(is_enabled=True)
    usual = module.changes

    def with_a_user_meanwhile(rules: Any) -> Any:
        found = usual(rules)
        write_tiers([DUNS], tier=Tier.NORMAL, by="mia")
        return found

    monkeypatch.setattr(module, "changes", with_a_user_meanwhile)
    assert apply_rules() == 1
    assert tiers() == {DUNS: Tier.NORMAL, OTHER: Tier.CRITICAL}
    assert list(AuditEntry.objects.filter(action="tier.ruled").values_list("key", flat=True)) == [OTHER]


def test_a_company_that_no_longer_meets_a_rule_loses_its_tier() -> None:
    a_company(exposure=100)
    a_tier_rule(is_enabled=True, exposure_from=1)
    apply_rules()
    Company.objects.update(exposure=99)
    apply_rules()
    stored = Company.objects.get()
    assert (stored.tier, stored.next_review_on) == ("", None)


def test_what_a_rule_would_change_is_what_it_changes() -> None:
    a_world()
    a_tier_rule("Risky", Tier.IMPORTANT, is_enabled=True, failure_class_from=5)
    apply_rules()
    rule = a_tier_rule("Large", Tier.CRITICAL, exposure_from=49_000)
    found = would_change(rule, enabled=True)
    assert tiers()["100000001"] == ""
    assert summary_of(found) == [("None", "Critical", 2), ("Important", "Critical", 1)]
    assert switch_rule(rule, enabled=True, confirmed=3, by=MIA) == 3
    assert [tiers()[one.duns] for one in found] == [one.after for one in found]
    assert AuditEntry.objects.get(action="tier_rule.enabled").key == str(rule.pk)


def test_another_number_changes_nothing() -> None:
    a_world()
    rule = a_tier_rule()
    with pytest.raises(Refused, match="now affects the tiers of 4 companies"):
        switch_rule(rule, enabled=True, confirmed=3, by=MIA)
    assert not TierRule.objects.filter(is_enabled=True).exists() and set(tiers().values()) == {""}


def test_a_rule_that_was_changed_meanwhile_is_not_enabled() -> None:
    """As many companies as were confirmed, by other conditions."""
    a_world()
    rule = a_tier_rule(country="DE")
    TierRule.objects.filter(pk=rule.pk).update(country="FR")
    with pytest.raises(Refused, match="another user has changed this rule"):
        switch_rule(rule, enabled=True, confirmed=2, by=MIA)
    assert not TierRule.objects.get().is_enabled and set(tiers().values()) == {""}


def test_a_rule_that_is_disabled_leaves_what_others_give() -> None:
    a_world()
    a_tier_rule("All", Tier.NORMAL, is_enabled=True)
    rule = a_tier_rule("Large", is_enabled=True, exposure_from=50_000)
    apply_rules()
    assert switch_rule(rule, enabled=False, confirmed=2, by=MIA) == 2
    assert set(tiers().values()) == {Tier.NORMAL}
    with pytest.raises(Refused, match="another user has changed this rule"):
        switch_rule(rule, enabled=False, confirmed=0, by=MIA)


def test_a_tier_is_left_to_rules_again() -> None:
    company = a_tiered_company()
    a_tier_rule(is_enabled=True)
    assert apply_rules() == 0
    release_tier(company, by=MIA)
    assert apply_rules() == 1
    assert tiers() == {DUNS: Tier.CRITICAL}


def test_conditions_in_words() -> None:
    rule = TierRule(exposure_from=50_000, failure_class_from=4, country="DE", tag="steel")
    assert conditions_text(rule) == "exposure from EUR 50,000, failure score class from 4, Germany, tag “steel”"
    assert conditions_text(TierRule()) == "All companies"
