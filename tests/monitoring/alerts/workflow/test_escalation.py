"""Overdue alerts: named as such, and given to a second person once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from dnbmon_site.accounts.models import User
from monitoring.alerts.actions import acknowledge, close
from monitoring.alerts.assignment_notices import notify_assignees
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.channel_messages import message_of
from monitoring.alerts.workflow import escalation
from monitoring.alerts.workflow.escalation import escalate_overdue
from monitoring.alerts.workflow.snooze import snooze
from monitoring.models import Alert, AlertComment, Channel, OutboxMessage, ResponseTime, Severity
from monitoring.outbox.addresses import channel_of_person
from tests.builders.alerts import an_alert
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.rules import a_rule
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db


def a_second(name: str = "boss", **severities: Any) -> User:
    person = a_person(*RIGHTS, username=name)
    User.objects.filter(pk=person.pk).update(email=f"{name}@example.com")
    person.refresh_from_db()
    return person


RIGHTS = ("view_alert", "acknowledge_alert")


def by_default(person: User, severity: int = Severity.CRITICAL) -> User:
    ResponseTime.objects.filter(severity=severity).update(escalate_to=person)
    return person


def an_overdue_alert(number: int = 0, **columns: Any) -> Alert:
    return an_alert(number, due_at=timezone.now() - timedelta(hours=1), **columns)


def test_an_overdue_alert_goes_to_the_second_person_once() -> None:
    boss = by_default(a_second())
    alert = an_overdue_alert()
    assert (escalate_overdue(), escalate_overdue()) == (1, 0)
    alert.refresh_from_db()
    assert (alert.assignee, alert.assigned_by, alert.escalated_at is not None) == (boss, PROGRAM, True)
    assert AlertComment.objects.get().text == "Overdue. Escalated to boss."
    assert AuditEntry.objects.get(action="alert.escalate").key == str(alert.pk)
    assert (notify_assignees(), notify_assignees()) == (1, 0)
    message = message_of(channel_of_person(boss), OutboxMessage.objects.get())
    assert message and message.subject.startswith("Escalated to you: ") and message.lead == "This alert is overdue."


def test_the_person_of_its_rule_comes_first() -> None:
    by_default(a_second())
    carl = a_second("carl")
    rule = a_rule(escalate_to=carl)
    alert = an_overdue_alert(rule=rule)
    escalate_overdue()
    alert.refresh_from_db()
    assert alert.assignee == carl


@pytest.mark.parametrize("lost", ["right", "all rights", "account"])
def test_somebody_who_may_no_longer_work_on_alerts_receives_none(lost: str) -> None:
    boss = by_default(a_second())
    if lost == "right":
        boss.user_permissions.set(Permission.objects.filter(codename="view_alert"))
    elif lost == "all rights":
        boss.user_permissions.clear()
    else:
        User.objects.filter(pk=boss.pk).update(is_active=False)
    alert = an_overdue_alert()
    assert (escalate_overdue(), escalate_overdue()) == (1, 0)
    alert.refresh_from_db()
    assert alert.assignee is None
    assert AlertComment.objects.get().text.startswith("Overdue. Not escalated")


def test_what_is_closed_snoozed_or_not_due_stays() -> None:
    by_default(a_second())
    closed, asleep, _other = an_overdue_alert(), an_overdue_alert(1), an_overdue_alert(2, severity=Severity.LOW)
    an_alert(3, due_at=timezone.now() + timedelta(hours=1))
    an_alert(4)
    close([closed.pk], by="ann")
    snooze([asleep.pk], by="ann", until=timezone.now() + timedelta(days=2), wakes_if_worse=False)
    assert escalate_overdue() == 0


def test_an_acknowledged_alert_is_overdue_too_and_who_has_it_keeps_it() -> None:
    boss = by_default(a_second())
    alert = an_overdue_alert(assignee=boss, assigned_by="ann")
    acknowledge([alert.pk], by="boss")
    assert escalate_overdue() == 1
    alert.refresh_from_db()
    assert (alert.assignee, alert.assigned_by) == (boss, "ann")


def test_nothing_is_read_of_alerts_where_nobody_is_named(django_assert_num_queries: Any) -> None:
    an_overdue_alert()
    with django_assert_num_queries(2):
        assert escalate_overdue() == 0
    assert not Channel.objects.exists()


# The pages


def test_the_inbox_shows_and_sorts_what_is_overdue(ann: Client) -> None:
    now = timezone.now()
    late, later = an_alert(0, due_at=now - timedelta(days=2)), an_alert(1, due_at=now - timedelta(days=1))
    soon, never = an_alert(2, due_at=now + timedelta(days=2)), an_alert(3)

    def shown(query: str) -> list[Any]:
        return [row.pk for row in ann.get(f"/monitoring/alert/{query}").context["cl"].result_list]

    assert shown("?due=overdue") == [late.pk, later.pk]
    assert shown("?due=any") == [late.pk, later.pk, soon.pk]
    assert never.pk in shown("")
    assert "due in 1 day" in text_of(ann.get("/monitoring/alert/"))
    pages = [ann.get(f"/monitoring/alert/{query}").text for query in ("", "?due=any")]
    assert ["sortable column-due_cell" in page for page in pages] == [False, True]
    assert text_of(ann.get("/monitoring/alert/?due=overdue")).count("Overdue") > 2
    links = ann.get(f"/monitoring/alert/{later.pk}/change/?_changelist_filters=due%3Dany").text
    assert f'rel="prev" href="/monitoring/alert/{late.pk}/' in links
    assert f'rel="next" href="/monitoring/alert/{soon.pk}/' in links


def test_response_times_are_changed_by_administrators_and_recorded(ann: Client) -> None:
    assert "1 working day" in text_of(ann.get("/monitoring/responsetime/"))
    boss = a_second()
    form = {"working_days": "2", "escalate_to": str(boss.pk)}
    answer = ann.post(f"/monitoring/responsetime/{Severity.CRITICAL.value}/change/", form, follow=True)
    assert "2 working days" in text_of(answer) and "boss" in text_of(answer)
    assert ResponseTime.objects.get(severity=Severity.CRITICAL).escalate_to == boss
    assert AuditEntry.objects.filter(action="alert.response_time").count() == 1
    wrong = ann.post(f"/monitoring/responsetime/{Severity.CRITICAL.value}/change/", {"working_days": "0"})
    assert "greater than or equal to 1" in text_of(wrong)


def test_who_does_not_see_the_alert_is_passed_over_for_who_does() -> None:
    carl = a_second("carl")
    boss = by_default(a_second())
    rule = a_rule(escalate_to=carl)
    a_unit("Buying", two(), people=[carl])
    a_unit("Credit", one(), people=[boss])
    alert = an_overdue_alert(rule=rule, registration=one())
    assert escalate_overdue() == 1
    alert.refresh_from_db()
    assert alert.assignee == boss


def test_killed_before_it_is_noted_the_next_run_notes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    by_default(a_second())
    alert = an_overdue_alert()
    with monkeypatch.context() as patched:
        patched.setattr(escalation, "_note", _dying)
        with pytest.raises(RuntimeError):
            escalate_overdue()
    assert not AlertComment.objects.exists()
    assert (escalate_overdue(), escalate_overdue()) == (0, 0)
    assert AlertComment.objects.get().text == "Overdue. Escalated to boss."
    assert AuditEntry.objects.get(action="alert.escalate").key == str(alert.pk)


def _dying(*args: Any) -> None:
    raise RuntimeError("killed")


def test_those_escalated_together_make_one_message() -> None:
    boss = by_default(a_second())
    for number in range(3):
        an_overdue_alert(number)
    assert (escalate_overdue(), notify_assignees()) == (3, 1)
    message = message_of(channel_of_person(boss), OutboxMessage.objects.get())
    assert message and (message.subject, message.lead) == ("Escalated to you: 3 alerts", "These alerts are overdue.")
