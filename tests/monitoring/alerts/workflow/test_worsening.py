"""Acknowledged and snoozed alerts that get worse are open again, once, and say why."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from monitoring.alerts.actions import acknowledge, close
from monitoring.alerts.after_rebuild import correct_alerts
from monitoring.alerts.auto_resolve import PROGRAM, review_all_reversals
from monitoring.alerts.evaluate import raise_from
from monitoring.alerts.facts.matches import Rules
from monitoring.alerts.facts.seen import as_seen_by, comments_seen_by
from monitoring.alerts.workflow import worsening
from monitoring.alerts.workflow.snooze import snooze
from monitoring.models import Alert, AlertComment, AlertState, Change, Grouping, Publication, Severity
from tests.builders.alerts import raised
from tests.builders.deliveries import delivered
from tests.builders.elements import BANKRUPTCY, PERCENTILE, STATUS
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration, one, two
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp
from tests.builders.units import a_unit, seen_by

pytestmark = pytest.mark.django_db
RATING = "organization.dnbAssessment.standardRating.rating"
FELL = "National percentile (failure score) fell further, from 21 to 8."


def fell(before: int, after: int, minutes: float, **more: Any) -> None:
    delivered(news(PERCENTILE, before, after, minutes=minutes), **more)
    raised()


def an_acknowledged_alert(**rule: Any) -> Alert:
    """The failure score has fallen from 40 to 21, and nothing of what follows is one for the rule."""
    a_rule(**{"elements": PERCENTILE, "conditions": "drops by 15", "grouping": Grouping.EACH, **rule})
    fell(40, 21, -60)
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    return alert


def state_of(alert: Alert) -> tuple[str, str]:
    alert.refresh_from_db()
    return alert.state, alert.reopened_because


SEEN, WORSE = (AlertState.ACKNOWLEDGED.value, ""), (AlertState.NEW.value, FELL)


def test_an_acknowledged_alert_whose_score_falls_further_is_open_again_and_says_why() -> None:
    alert = an_acknowledged_alert()
    fell(21, 8, -30)
    assert state_of(alert) == WORSE
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("", None)
    assert alert.due_at and alert.due_at > timezone.now()
    comment, entry = AlertComment.objects.get(), AuditEntry.objects.get(action="alert.worse")
    assert (comment.by, comment.text, entry.actor) == (PROGRAM, FELL, PROGRAM)
    assert '"acknowledged_by": "ann"' in entry.before


@pytest.mark.parametrize(
    ("steps", "is_worse"),
    [
        ([(21, 30)], False),
        ([(21, 30), (30, 25)], False),
        ([(21, 30), (30, 20)], True),
        ([(21, 21)], False),
    ],
)
def test_only_what_is_worse_than_all_that_was_known_since(steps: list[tuple[int, int]], is_worse: bool) -> None:
    alert = an_acknowledged_alert()
    for number, (before, after) in enumerate(steps):
        fell(before, after, number - 40)
    assert (state_of(alert)[0] == AlertState.NEW) == is_worse


def test_what_was_seen_when_it_was_acknowledged_again_is_no_reason() -> None:
    alert = an_acknowledged_alert()
    fell(21, 8, -50)
    acknowledge([alert.pk], by="ann")
    assert state_of(alert) == SEEN
    fell(8, 12, -40)
    fell(12, 9, -30)
    assert state_of(alert) == SEEN
    fell(9, 7, -20)
    assert state_of(alert) == (AlertState.NEW, "National percentile (failure score) fell further, from 8 to 7.")


def test_a_class_rises_and_a_rating_gets_worse() -> None:
    classes = PERCENTILE.replace("nationalPercentile", "classScore")
    a_rule(elements=f"{classes}\n{RATING}", conditions="gets worse", grouping=Grouping.EACH)
    delivered(news(classes, 2, 3, minutes=-60), news(RATING, "5A1", "5A2", minutes=-60))
    raised()
    acknowledge(list(Alert.objects.values_list("pk", flat=True)), by="ann")
    seen = set(Alert.objects.values_list("pk", flat=True))
    delivered(news(classes, 3, 5, minutes=-30), news(RATING, "5A2", "4A3", minutes=-30))
    raised()
    reasons = set(Alert.objects.filter(pk__in=seen, state=AlertState.NEW).values_list("reopened_because", flat=True))
    assert len(reasons) == 2
    assert any(reason.endswith("rose further, from 3 to 5.") for reason in reasons)
    assert any(reason.endswith("got worse, from 5A2 to 4A3.") for reason in reasons)


def test_a_more_severe_change_of_the_same_alert() -> None:
    a_rule(name="Anything")
    delivered(news("organization.telephone", [], ["1"], minutes=-60))
    raised()
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    delivered(news("organization.telephone", ["1"], ["2"], minutes=-50))
    raised()
    assert state_of(alert) == SEEN, "one that is no more severe"
    delivered(news(BANKRUPTCY, False, True, minutes=-40))
    raised()
    assert state_of(alert)[0] == AlertState.NEW and "bankruptcy" in alert.reopened_because
    assert Alert.objects.count() == 1


def test_a_status_that_gets_more_severe_without_being_a_score() -> None:
    inactive = {"description": "Inactive", "dnbCode": 403}
    a_rule(elements="primaryName", grouping=Grouping.EACH)
    delivered(news("organization.primaryName", "A", "B", minutes=-60))
    raised()
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    delivered(news(STATUS, None, inactive, minutes=-50))
    raised()
    assert state_of(alert) == SEEN, "another element"
    delivered(news("organization.primaryName", "B", "C", minutes=-40))
    Change.objects.filter(current='"C"').update(severity=Severity.CRITICAL)
    raised()
    assert state_of(alert)[0] == AlertState.NEW


def test_a_snoozed_alert_returns_earlier_only_where_that_was_asked_for() -> None:
    alert = an_acknowledged_alert()
    tomorrow = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    snooze([alert.pk], by="ann", until=tomorrow, wakes_if_worse=False)
    fell(21, 10, -50)
    told = "National percentile (failure score) fell further, from 21 to 10."
    assert state_of(alert) == (AlertState.NEW, told), "so that it does not return as if it had been seen"
    assert (alert.snoozed_until, alert.acknowledged_by) == (tomorrow, "")
    acknowledge([alert.pk], by="ann")
    snooze([alert.pk], by="ann", until=tomorrow, wakes_if_worse=True)
    fell(10, 8, -40)
    assert Alert.objects.filter(pk=alert.pk, state=AlertState.NEW, snoozed_until=None, wakes_if_worse=False).exists()
    alert.refresh_from_db()
    assert alert.reopened_because.endswith("from 10 to 8.")


def test_a_closed_alert_stays_closed() -> None:
    alert = an_acknowledged_alert()
    close([alert.pk], by="ann", reason="known", text="Known.")
    fell(21, 8, -30)
    assert state_of(alert)[0] == AlertState.CLOSED


# One event, once


def test_a_publication_that_is_read_again_reopens_nothing() -> None:
    alert = an_acknowledged_alert()
    fell(21, 8, -30)
    acknowledge([alert.pk], by="ann")
    for publication in Publication.objects.order_by("sequence"):
        raise_from([publication], Rules.active())
    assert state_of(alert) == SEEN
    raise_from(list(Publication.objects.order_by("sequence")), Rules.active())
    assert state_of(alert) == SEEN


def test_the_same_fall_reported_by_another_registration_or_again_is_one() -> None:
    one, other = a_registration("R1"), a_registration("R2")
    alert = an_acknowledged_alert()
    stamp = now_stamp(minutes=-30)
    change = news(PERCENTILE, 21, 8)
    change["elements"][0]["timestamp"] = stamp
    delivered(change, registration=one)
    raised()
    assert state_of(alert) == WORSE
    acknowledge([alert.pk], by="ann")
    delivered(change, registration=other)
    delivered({**change, "deliveryTimeStamp": now_stamp()}, registration=one)
    raised()
    assert state_of(alert) == SEEN


def test_a_difference_of_documents_and_its_update_are_one() -> None:
    a_rule(elements=PERCENTILE, conditions="drops by 15", grouping=Grouping.EACH)
    full = a_registration("FULL", full_product=True)
    fell(40, 21, -90)
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    for minutes, value in ((-80, 21), (-60, 8)):
        scores = {"failureScore": {"nationalPercentile": value}}
        delivered(a_seed(delivered=now_stamp(minutes=minutes), dnbAssessment=scores), registration=full)
        raised()
    assert state_of(alert) == WORSE
    acknowledge([alert.pk], by="ann")
    fell(21, 8, -70)
    assert state_of(alert) == SEEN


def test_how_publications_are_cut_into_batches_does_not_matter() -> None:
    alert = an_acknowledged_alert()
    for number, (before, after) in enumerate([(21, 25), (25, 15), (15, 8)]):
        delivered(news(PERCENTILE, before, after, minutes=number - 40))
    raised()
    assert state_of(alert)[1].endswith("from 21 to 15."), "the first that is worse says why, as it would alone"


def test_a_rebuild_reopens_nothing() -> None:
    alert = an_acknowledged_alert()
    fell(21, 8, -30)
    acknowledge([alert.pk], by="ann")
    correct_alerts()
    review_all_reversals()
    assert state_of(alert) == SEEN


def test_its_page_says_why_until_it_is_acknowledged_again(ann: Client) -> None:
    alert = an_acknowledged_alert()
    fell(21, 8, -30)
    page = f"/monitoring/alert/{alert.pk}/change/"
    assert f"Reopened: the situation got worse. {FELL}" in text_of(ann.get(page))
    ann.post(f"/monitoring/alert/{alert.pk}/do/acknowledge/")
    assert "Reopened:" not in text_of(ann.get(page))


def of_units(rule: dict[str, Any]) -> tuple[Alert, Any, Any]:
    """The score fell from 40 to 21, which only the first unit's registration has reported."""
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    a_rule(elements=PERCENTILE, conditions="drops by 15", grouping=Grouping.EACH, **rule)
    fell(40, 21, -60, registration=one())
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    return alert, credit, buying


def test_what_only_another_units_registration_reports_is_no_reason() -> None:
    alert, _, _ = of_units({})
    fell(21, 8, -30, registration=two())
    assert state_of(alert) == SEEN
    fell(21, 8, -30, registration=one())
    assert state_of(alert) == WORSE, "its own registration reports it too"


def test_for_a_limited_rule_what_its_registrations_report_is_a_reason() -> None:
    alert, _, _ = of_units({"registrations": one().reference})
    fell(40, 21, -60, registration=two())
    fell(21, 8, -30, registration=two())
    assert state_of(alert) == SEEN
    fell(21, 8, -30, registration=one())
    assert state_of(alert) == WORSE


def test_a_unit_reads_no_reason_that_another_reported(ann: Client) -> None:
    alert, credit, buying = of_units({})
    fell(40, 21, -60, registration=two())
    fell(21, 8, -30, registration=two())
    assert state_of(alert) == WORSE, "both have reported what the alert is about"
    for unit, seen, count in ((buying, FELL, 1), (credit, "", 0)):
        shown = Alert.objects.get()
        as_seen_by(seen_by(unit), [shown])
        assert shown.reopened_because == seen
        assert len(comments_seen_by(seen_by(unit), [shown])) == count
    assert FELL in text_of(ann.get(f"/monitoring/alert/{alert.pk}/change/"))


def test_nor_one_that_another_registration_of_the_same_rule_reported() -> None:
    alert, credit, _ = of_units({"registrations": f"{one().reference}, {two().reference}"})
    fell(21, 8, -30, registration=two())
    assert state_of(alert) == WORSE and alert.audience is None
    as_seen_by(seen_by(credit), [alert])
    assert alert.reopened_because == ""
    assert comments_seen_by(seen_by(credit), [alert]) == []


def test_killed_before_the_comment_it_is_written_when_the_publication_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alert = an_acknowledged_alert()
    delivered(news(PERCENTILE, 21, 8, minutes=-30))
    with monkeypatch.context() as patched:
        patched.setattr(worsening, "_note", _dying)
        with pytest.raises(RuntimeError):
            raised()
    assert state_of(alert) == WORSE and not AlertComment.objects.exists()
    for _ in range(2):
        raise_from(list(Publication.objects.order_by("sequence")), Rules.active())
        assert AlertComment.objects.get().text == FELL
        assert AuditEntry.objects.filter(action="alert.worse").count() == 1


def _dying(*args: Any) -> None:
    raise RuntimeError("killed")
