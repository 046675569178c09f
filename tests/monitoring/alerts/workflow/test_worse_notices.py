"""An alert that gets worse is sent once more, once, to those who were notified of it."""

from typing import Any

import pytest
from django.core import mail

from monitoring.alerts import evaluate
from monitoring.alerts.actions import acknowledge, assign
from monitoring.alerts.evaluate import raise_from
from monitoring.alerts.facts.matches import Rules
from monitoring.alerts.workflow.snooze import snooze
from monitoring.models import Alert, AlertRule, DigestItem, Frequency, Grouping, OutboxMessage, Publication, Severity
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import PERCENTILE
from tests.builders.follows import a_follow, a_follower, followed, personal_messages, sent_mails
from tests.builders.notifications import news
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.rules import a_rule
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db
RAISED = "alert.raised"


def fell(before: int, after: int, minutes: float, **more: Any) -> None:
    delivered(news(PERCENTILE, before, after, minutes=minutes), **more)
    raised()


def a_rule_of_falls(**rule: Any) -> AlertRule:
    return a_rule(**{"elements": PERCENTILE, "conditions": "drops by 15", "grouping": Grouping.EACH, **rule})


def an_acknowledged_alert() -> Alert:
    """What follows is nothing for its rule: 21 to 8 is less than 15."""
    fell(40, 21, -60)
    alert = Alert.objects.get()
    acknowledge([alert.pk], by="ann")
    return alert


def read_again() -> None:
    raise_from(list(Publication.objects.order_by("sequence")), Rules.active())


def messages_of(channel: Any) -> int:
    return OutboxMessage.objects.filter(target=channel.pk, event_type=RAISED).count()


def test_its_channel_is_told_why_and_once() -> None:
    channel = a_channel(a_rule_of_falls(), address="credit@example.com")
    an_acknowledged_alert()
    assert len(sent_mails()) == 1 and messages_of(channel) == 1
    mail.outbox.clear()
    fell(21, 8, -30)
    read_again()
    [(_, subject)] = sent_mails()
    assert "21 → 8" in subject
    assert "Reopened: the situation got worse. National percentile (failure score) fell" in mail.outbox[0].body
    assert messages_of(channel) == 2


def test_killed_before_it_was_queued_it_is_queued_when_the_publication_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    channel = a_channel(a_rule_of_falls(), address="credit@example.com")
    alert = an_acknowledged_alert()
    snooze([alert.pk], by="ann", until=None, wakes_if_worse=True)

    def dying(*args: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(evaluate, "notify", dying)
        with pytest.raises(RuntimeError):
            fell(21, 8, -30)
    assert messages_of(channel) == 1
    read_again()
    read_again()
    assert messages_of(channel) == 2


def test_with_an_alert_about_the_same_change_it_is_one_message() -> None:
    a_channel(a_rule_of_falls(), address="credit@example.com", all_rules=True)
    alert = an_acknowledged_alert()
    a_rule(name="Low", elements=PERCENTILE, conditions="goes below 10", grouping=Grouping.EACH)
    fell(21, 8, -30)
    row = OutboxMessage.objects.order_by("-sequence")[0]
    assert OutboxMessage.objects.filter(event_type=RAISED).count() == 2
    assert str(alert.pk) in row.payload and '"others"' in row.payload


def test_read_again_it_is_the_same_message_although_one_of_its_alerts_was_taken_up_since() -> None:
    channel = a_channel(a_rule_of_falls(), address="credit@example.com", all_rules=True)
    a_rule(name="Large falls", elements=PERCENTILE, conditions="drops by 16", grouping=Grouping.EACH)
    fell(40, 21, -60)
    alerts = sorted(Alert.objects.values_list("pk", flat=True))
    acknowledge(alerts, by="ann")
    fell(21, 8, -30)
    assert (len(alerts), messages_of(channel)) == (2, 2)
    for alert in alerts:
        acknowledge([alert], by="ann")
        read_again()
        assert messages_of(channel) == 2


def test_a_digest_has_it_again_and_its_assignee_is_told() -> None:
    channel = a_channel(a_rule_of_falls(), frequency=Frequency.DAILY)
    bob = a_person(username="bob")
    bob.email = "bob@example.com"
    bob.save()
    alert = an_acknowledged_alert()
    assign([alert.pk], to=bob, by="ann")
    fell(21, 8, -30)
    assert DigestItem.objects.filter(channel=channel, alert=alert).count() == 2
    assert [to for to, subject in sent_mails() if "21 → 8" in subject] == ["bob@example.com"]


def test_who_follows_the_company_hears_of_the_change_once() -> None:
    person = a_follower()
    a_follow(person, subject=DUNS, min_severity=Severity.LOW)
    a_channel(a_rule_of_falls(), person=person, address=person.email)
    an_acknowledged_alert()
    fell(21, 8, -30)
    followed()
    assert len(personal_messages()) == 0 and OutboxMessage.objects.filter(event_type=RAISED).count() == 2


def test_a_unit_is_not_told_of_what_only_others_reported() -> None:
    credit, buying = a_unit("Credit", one()), a_unit("Buying", two())
    rule = a_rule_of_falls()
    first = a_channel(rule, unit=credit, address="credit@example.com")
    second = a_channel(rule, unit=buying, address="buying@example.com")
    fell(40, 21, -60, registration=one())
    fell(40, 21, -60, registration=two())
    acknowledge(list(Alert.objects.values_list("pk", flat=True)), by="ann")
    before = messages_of(first), messages_of(second)
    fell(21, 8, -30, registration=two())
    assert (messages_of(first), messages_of(second)) == (before[0], before[1] + 1)
