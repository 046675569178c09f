"""Assigning an alert: the person is notified once, at once, and sees it first."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dnbmon_site.accounts.models import User
from monitoring.alerts import actions, assignment_notices
from monitoring.alerts.actions import assign, close, reopen
from monitoring.alerts.assignment_notices import notify_assignees
from monitoring.alerts.own_alerts import own_alerts
from monitoring.jobs import update_all_counts
from monitoring.models import Alert, AlertState, Channel, Frequency, MailAddress, OutboxMessage, Severity
from monitoring.outbox.channels import unsubscribe
from monitoring.outbox.queue import send_due_messages
from tests.builders.alerts import a_raised_alert, an_alert
from tests.builders.channels import a_channel
from tests.builders.pages import text_of
from tests.builders.people import an_alert_viewer
from tests.builders.times import soon
from tests.servers.mail_servers import Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def bob() -> Client:
    return an_alert_viewer("monitoring.acknowledge_alert")


def him() -> User:
    return User.objects.get(username="bob")


def given(alert: Alert) -> int:
    return assign([alert.pk], to=him(), by="ann")


def sent() -> int:
    return send_due_messages(soon(), at_once=1)


# Notified


def test_who_is_assigned_gets_mail_at_once(ann: Client, bob: Client, mailbox: Mailbox) -> None:
    alert = a_raised_alert()
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(him().pk)}, follow=True)
    assert "Assigned to bob. A notification is sent to bob@example.com." in text_of(answer)
    assert "bob, assigned by ann" in text_of(answer)
    assert sent() == 1
    assert mailbox.envelopes == [["bob@example.com"]]
    assert mailbox.header("Subject").startswith("Assigned to you: [Critical] Acme Ltd")
    text = mailbox.part("plain")
    assert "ann assigned this alert to you." in text and f"/monitoring/alert/{alert.pk}/change/" in text


def test_who_assigns_is_told_that_nobody_has_said_yes_yet(ann: Client, bob: Client) -> None:
    alert, channel = a_raised_alert(), a_channel(person=him(), address="elsewhere@example.com")
    MailAddress.objects.update(confirmed_at=None)
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(him().pk)}, follow=True)
    assert (
        f"No notification is sent yet. Waiting for {channel.display_address} to confirm. "
        "The link is in the confirmation email." in text_of(answer)
    )


def test_a_channel_of_their_own_is_used_whatever_it_takes(bob: Client, mailbox: Mailbox) -> None:
    alert = a_raised_alert()
    a_channel(person=him(), address="elsewhere@example.com", frequency=Frequency.WEEKLY, min_severity=Severity.CRITICAL)
    Alert.objects.update(severity=Severity.LOW)
    given(alert)
    sent()
    assert mailbox.envelopes == [["elsewhere@example.com"]]


def test_it_is_told_once_however_many_do_it(bob: Client) -> None:
    alert = a_raised_alert()
    assert (given(alert), given(alert)) == (1, 0)
    notify_assignees()
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        notify_assignees()
    assert OutboxMessage.objects.count() == 1


def test_assigned_to_somebody_else_and_back_it_is_told_again(bob: Client) -> None:
    alert = a_raised_alert()
    given(alert)
    assign([alert.pk], to=None, by="ann")
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        given(alert)
    assert OutboxMessage.objects.count() == 2


def test_who_takes_an_alert_needs_no_message(bob: Client) -> None:
    alert = a_raised_alert()
    bob.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(him().pk)})
    alert.refresh_from_db()
    assert alert.assignee == him()
    assert not OutboxMessage.objects.exists()


def test_killed_between_assigning_and_notifying_nothing_is_lost(bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = a_raised_alert()
    with monkeypatch.context() as patched:
        patched.setattr(actions, "notify_assignees", _dying)
        with pytest.raises(RuntimeError):
            given(alert)
    assert notify_assignees() == 1


def _dying(*args: Any) -> int:
    raise RuntimeError("killed")


def test_alerts_that_are_assigned_together_make_one_message_that_says_how_many(bob: Client, mailbox: Mailbox) -> None:
    alerts = [an_alert(number) for number in range(120)]
    assign([one.pk for one in alerts], to=him(), by="ann")
    assign([alerts[0].pk], to=None, by="ann")
    assert (OutboxMessage.objects.count(), notify_assignees()) == (1, 0)
    assert sent() == 1
    assert mailbox.header("Subject") == "Assigned to you: 119 alerts"
    text = mailbox.part("plain")
    assert "ann assigned these alerts to you." in text and "alert 1" in text and "19 more" in text


def test_of_any_number_of_assignments_none_is_left_out(bob: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment_notices, "ROWS_AT_ONCE", 2)
    now = timezone.now() - timedelta(hours=1)
    for number in range(5):
        at = now + timedelta(seconds=number)
        an_alert(number, assignee=him(), assigned_by="ann", assigned_at=at)
        an_alert(number, assignee=him(), assigned_by="carl", assigned_at=at)
    assert notify_assignees() == 10


def test_while_many_are_being_assigned_another_process_sends_nothing_yet(bob: Client, mailbox: Mailbox) -> None:
    moment = timezone.now()
    given = {"assignee": him(), "assigned_by": "ann", "assigned_at": moment}
    an_alert(1, **given)
    assert notify_assignees() == 1 and sent() == 0
    an_alert(2, **given)
    assert notify_assignees() == 0
    with time_machine.travel(moment + timedelta(minutes=1)):
        assert sent() == 1
    assert mailbox.header("Subject") == "Assigned to you: 2 alerts"


def test_what_was_given_to_somebody_else_meanwhile_is_not_sent(bob: Client, mailbox: Mailbox) -> None:
    alert = a_raised_alert()
    given(alert)
    assign([alert.pk], to=None, by="ann")
    assert sent() == 0
    assert not mailbox.mails


def test_a_channel_made_later_gets_what_is_assigned_later(bob: Client) -> None:
    given(a_raised_alert())
    a_channel(person=him(), created_at=timezone.now() + timedelta(minutes=1))
    assert notify_assignees() == 0


def test_who_cannot_be_reached_is_said(ann: Client, bob: Client) -> None:
    alert = a_raised_alert()
    unsubscribe(a_channel(person=him()))
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(him().pk)}, follow=True)
    assert "Assigned to bob. No notification is sent" in text_of(answer)
    assert not OutboxMessage.objects.exists()


def test_who_may_not_see_alerts_is_assigned_none(ann: Client) -> None:
    alert = a_raised_alert()
    carl = User.objects.create_user("carl", "carl@example.com", is_staff=True)
    answer = ann.post(f"/monitoring/alert/{alert.pk}/do/assign/", {"person": str(carl.pk)}, follow=True)
    assert "may not work on alerts. Choose another assignee." in text_of(answer)
    alert.refresh_from_db()
    assert alert.assignee is None
    assert not Channel.objects.exists()


# Seen first


def test_the_front_page_begins_with_what_is_the_readers(bob: Client) -> None:
    given(a_raised_alert())
    text = text_of(bob.get("/"))
    assert "1 alert is assigned to you" in text and "Operating status" not in text.split("1 alert is assigned")[0]
    assert "operating status Active → Out of business" in text


def test_the_menu_counts_own_open_alerts(bob: Client) -> None:
    alert = a_raised_alert()
    assert badge(bob) == ""
    given(alert)
    assert badge(bob) == "1"
    close([alert.pk], by="bob")
    assert badge(bob) == ""
    reopen([alert.pk], by="bob")
    assert badge(bob) == "1"
    assign([alert.pk], to=None, by="ann")
    assert badge(bob) == ""


def badge(client: Client) -> Any:
    request = client.get("/monitoring/alert/")
    entries = [entry for group in request.context["sidebar_navigation"] for entry in group["items"]]
    return next(entry["badge"] for entry in entries if entry["link"] == "/monitoring/alert/")


def test_what_the_program_closes_is_counted_with_all_that_stands(bob: Client) -> None:
    given(a_raised_alert())
    Alert.objects.update(state=AlertState.CLOSED)
    update_all_counts()
    assert own_alerts(him())["open"] == 0


def test_the_badge_asks_nothing(bob: Client, django_assert_num_queries: Any) -> None:
    given(a_raised_alert())
    person = him()
    with django_assert_num_queries(0):
        assert own_alerts(person)["open"] == 1
