"""A stricter threshold, tried on the alerts that were closed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.alerts.actions import close
from monitoring.alerts.admin.effectiveness import proposal_text
from monitoring.alerts.effectiveness import thresholds
from monitoring.alerts.effectiveness.thresholds import propose_threshold
from monitoring.models import Alert, AlertItem, AlertRule, AlertState, Change, CloseReason, Grouping
from tests.builders.alerts import raised
from tests.builders.deliveries import delivered
from tests.builders.elements import PERCENTILE
from tests.builders.notifications import news
from tests.builders.pages import text_of
from tests.builders.rules import a_rule, rule_form

pytestmark = pytest.mark.django_db
Steps = Sequence[tuple[int | str, int | str]]
CLASS = PERCENTILE.replace("nationalPercentile", "classScore")
RATING = "organization.dnbAssessment.standardRating.rating"


def a_rule_about_falls(conditions: str = "drops by 10", **fields: Any) -> AlertRule:
    return a_rule(elements=PERCENTILE, conditions=conditions, grouping=Grouping.EACH, **fields)


def closed_as(reason: str, steps: Steps, element: str = PERCENTILE) -> None:
    """Each change of a company of its own raises an alert, which is closed for the reason."""
    known = Alert.objects.count()
    numbers = [f"{known + number:09}" for number, _ in enumerate(steps, start=1)]
    delivered(*(news(element, *step, duns=duns) for duns, step in zip(numbers, steps, strict=True)))
    raised()
    rows = Alert.objects.filter(company__in=numbers)
    assert rows.count() == len(numbers), "each is one for the rule"
    close(list(rows.values_list("pk", flat=True)), by="ann", reason=reason, text="Seen.")


def falls(*points: int) -> list[tuple[int | str, int | str]]:
    return [(90, 90 - one) for one in points]


def test_the_number_is_proposed_that_spares_most_and_loses_none_that_was_acted_on() -> None:
    rule = a_rule_about_falls()
    closed_as(CloseReason.NOISE, falls(10, 11, 12, 13, 14, 30))
    closed_as(CloseReason.ACTED, falls(20, 40))
    closed_as(CloseReason.KNOWN, falls(12, 12))
    proposal = propose_threshold(rule)
    assert proposal is not None
    assert (proposal.conditions, proposal.noise_avoided, proposal.noise) == ("drops by 15", 5, 6)
    assert (proposal.acted_lost, proposal.acted) == (0, 2)
    assert proposal_text(proposal) == (
        "With 15 instead of 10, 5 of 6 alerts closed as not relevant would not have been raised, "
        "and 0 of 2 alerts that users acted on. "
        "In all, 3 alerts instead of 10 would have been raised in 90 days."
    )


def test_how_many_alerts_are_left_counts_those_that_nobody_closed_too() -> None:
    rule = a_rule_about_falls()
    closed_as(CloseReason.NOISE, falls(10, 11, 12, 13, 14))
    closed_as(CloseReason.ACTED, falls(20))
    delivered(*(news(PERCENTILE, 90, 90 - fall, duns=f"9{fall:08}") for fall in (10, 30)))
    raised()
    proposal = propose_threshold(rule)
    assert proposal is not None and (proposal.still_raised, proposal.raised) == (2, 8)
    Alert.objects.filter(state=AlertState.NEW).update(raised_at=timezone.now() - timedelta(days=91))
    proposal = propose_threshold(rule)
    assert proposal is not None and (proposal.still_raised, proposal.raised) == (1, 6)


def test_too_many_alerts_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = a_rule_about_falls()
    closed_as(CloseReason.NOISE, falls(10, 11, 12, 13, 14))
    closed_as(CloseReason.ACTED, falls(20))
    monkeypatch.setattr(thresholds, "MOST_RAISED", 5)
    proposal = propose_threshold(rule)
    assert proposal is not None and proposal_text(proposal).endswith("and 0 of 1 alerts that users acted on.")


@pytest.mark.parametrize(
    ("conditions", "noise", "acted", "proposed"),
    [
        ("goes below 50", [(60, 40), (60, 41), (60, 42), (60, 43), (60, 44)], [(60, 20)], "goes below 40"),
        ("goes above 50", [(40, 60), (40, 61), (40, 62), (40, 63), (40, 64)], [(40, 80)], "goes above 64"),
        ("rises by 5", [(40, 46), (40, 47), (40, 47), (40, 48), (40, 48)], [(40, 60)], "rises by 9"),
        ("gets worse", [(60, 59), (60, 58), (60, 58), (60, 57), (60, 56)], [(60, 20)], "drops by 5"),
        ("drops by 10 %", [(50, 44), (50, 44), (50, 43), (50, 43), (50, 42)], [(50, 10)], "drops by 17 %"),
    ],
)
def test_each_kind_of_number(conditions: str, noise: Steps, acted: Steps, proposed: str) -> None:
    rule = a_rule_about_falls(conditions)
    closed_as(CloseReason.NOISE, noise)
    closed_as(CloseReason.ACTED, acted)
    proposal = propose_threshold(rule)
    assert proposal is not None and proposal.conditions == proposed
    assert proposal.noise_avoided == 5


def test_a_score_that_gets_worse_is_asked_to_drop_by_points() -> None:
    rule = a_rule_about_falls("gets worse")
    closed_as(CloseReason.NOISE, falls(1, 1, 2, 2, 3))
    closed_as(CloseReason.ACTED, falls(9))
    proposal = propose_threshold(rule)
    assert proposal is not None
    assert proposal_text(proposal).startswith("With “drops by 4 or more” instead of “gets worse”, 5 of 5 alerts")


def test_a_class_that_gets_worse_is_asked_to_rise() -> None:
    rule = a_rule(elements=CLASS, conditions="gets worse", grouping=Grouping.EACH)
    closed_as(CloseReason.NOISE, [(2, 3)] * 5, CLASS)
    closed_as(CloseReason.ACTED, [(2, 5)], CLASS)
    proposal = propose_threshold(rule)
    assert proposal is not None
    assert (proposal.conditions, proposal.noise_avoided) == ("rises by 2", 5)


@pytest.mark.parametrize("case", ["ratings", "both directions"])
def test_what_gets_worse_in_no_one_direction_of_numbers_is_asked_for_none(case: str) -> None:
    rule = a_rule(elements=f"{PERCENTILE}\n{CLASS}\n{RATING}", conditions="gets worse", grouping=Grouping.EACH)
    closed_as(CloseReason.NOISE, falls(1, 1, 2, 2, 9))
    if case == "ratings":
        closed_as(CloseReason.ACTED, [("5A1", "5A2")], RATING)
    else:
        closed_as(CloseReason.ACTED, [(2, 5)], CLASS)
    assert propose_threshold(rule) is None


def test_nothing_is_proposed_without_an_alert_that_was_acted_on() -> None:
    rule = a_rule_about_falls("gets worse")
    closed_as(CloseReason.NOISE, falls(1, 1, 2, 2, 3))
    closed_as(CloseReason.KNOWN, falls(9))
    assert propose_threshold(rule) is None


def test_another_condition_of_the_rule_stays_and_is_applied() -> None:
    """What also goes below 30 is raised, however few points it fell."""
    rule = a_rule_about_falls("drops by 10\ngoes below 30")
    closed_as(CloseReason.NOISE, [*falls(10, 11, 12, 13, 14), (35, 25)])
    closed_as(CloseReason.ACTED, falls(20))
    proposal = propose_threshold(rule)
    assert proposal is not None
    assert (proposal.conditions, proposal.noise_avoided) == ("drops by 15\ngoes below 30", 5)


@pytest.mark.parametrize("case", ["few", "no number", "acted on alike", "changes gone", "broken"])
def test_where_nothing_can_be_proposed(case: str) -> None:
    rule = a_rule_about_falls("changes" if case == "no number" else "drops by 10")
    closed_as(CloseReason.NOISE, falls(12, 12, 12, 12) if case == "few" else falls(12, 12, 12, 12, 12))
    closed_as(CloseReason.ACTED, falls(30))
    if case == "acted on alike":
        closed_as(CloseReason.ACTED, falls(11))
    if case == "changes gone":
        Change.objects.filter(pk__in=AlertItem.objects.values("change")).delete()
    if case == "broken":
        rule.conditions = "drops by blue"
    assert propose_threshold(rule) is None


def test_a_person_opens_the_form_or_the_test_with_it_and_nothing_changes_before_it_is_saved(ann: Client) -> None:
    rule = a_rule_about_falls()
    closed_as(CloseReason.NOISE, falls(10, 11, 12, 13, 14))
    closed_as(CloseReason.ACTED, falls(20))
    page = ann.get(f"/monitoring/alertrule/{rule.pk}/effectiveness/")
    assert "With 15 instead of 10, 5 of 5 alerts" in text_of(page)
    query = "conditions=drops+by+15"
    assert f"/monitoring/alertrule/{rule.pk}/try/?{query}" in page.text
    trial = ann.get(f"/monitoring/alertrule/{rule.pk}/try/?{query}")
    assert "not saved yet" in text_of(trial) and "1 alert in 30 days" in text_of(trial)
    form = ann.get(f"/monitoring/alertrule/{rule.pk}/change/?{query}")
    assert 'value="15"' in form.text and "Save the rule to apply it." in text_of(form)
    rule.refresh_from_db()
    assert rule.conditions == "drops by 10"
    saved = rule_form(conditions_operator=["drops by"], conditions_value=["15"])
    ann.post(f"/monitoring/alertrule/{rule.pk}/change/", saved)
    rule.refresh_from_db()
    assert rule.conditions == "drops by 15"


def test_a_proposal_that_is_none_is_reported_as_a_mistake(ann: Client) -> None:
    rule = a_rule_about_falls()
    answer = ann.get(f"/monitoring/alertrule/{rule.pk}/try/?conditions=drops+by+blue")
    assert "“blue” is not a number" in text_of(answer)
