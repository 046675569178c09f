"""Snoozed alerts: out of the inbox until their day, and back without a job."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from dnbmon_site.accounts.models import User
from monitoring.alerts.actions import acknowledge, close, comment_on
from monitoring.alerts.own_alerts import count_all_own_alerts, own_alerts
from monitoring.alerts.workflow import snooze as snoozing
from monitoring.alerts.workflow.inbox import in_inbox, snoozed
from monitoring.alerts.workflow.snooze import LONGEST_SNOOZE, CannotSnooze, snooze, wake
from monitoring.models import Alert, AlertComment, AlertState
from monitoring.open_counts import alerts as count_alerts
from tests.builders.alerts import an_alert
from tests.builders.pages import text_of

pytestmark = pytest.mark.django_db


def a_day(days: int = 3) -> Any:
    return timezone.now() + timedelta(days=days)


def test_a_snoozed_alert_is_not_in_the_inbox_and_returns_without_a_job() -> None:
    alert = an_alert()
    until = a_day()
    assert snooze([alert.pk], by="ann", until=until, wakes_if_worse=False, text="Paid on Monday.") == [alert.pk]
    assert not Alert.objects.filter(in_inbox()).exists() and Alert.objects.filter(snoozed()).exists()
    assert count_alerts()["critical"] == 0
    alert.refresh_from_db()
    assert (alert.state, alert.snoozed_by, alert.due_at and alert.due_at > until) == (AlertState.NEW, "ann", True)
    comment = AlertComment.objects.get()
    assert comment.by == "ann" and comment.text.startswith("Snoozed until ") and "Paid on Monday." in comment.text
    with time_machine.travel(until + timedelta(seconds=1), tick=False):
        assert Alert.objects.filter(in_inbox()).exists() and not Alert.objects.filter(snoozed()).exists()
        assert count_alerts()["critical"] == 1


def test_the_count_of_the_assignee_follows() -> None:
    ann = User.objects.create_user("ann")
    alert = an_alert(assignee=ann)
    count_all_own_alerts()

    def count() -> int:
        ann.refresh_from_db()
        return int(own_alerts(ann)["open"])

    assert count() == 1
    snooze([alert.pk], by="ann", until=a_day(), wakes_if_worse=True)
    assert count() == 0
    with time_machine.travel(a_day(4), tick=False):
        count_all_own_alerts()
    assert count() == 1


def test_ending_it_returns_the_alert_now_and_is_due_again() -> None:
    alert = an_alert()
    snooze([alert.pk], by="ann", until=a_day(200), wakes_if_worse=True)
    assert wake([alert.pk], by="carl") == [alert.pk]
    alert.refresh_from_db()
    assert (alert.snoozed_until, alert.snoozed_by, alert.wakes_if_worse) == (None, "", False)
    assert alert.due_at and alert.due_at < a_day(10)
    assert wake([alert.pk], by="carl") == [], "it is awake"


def test_closed_alerts_are_not_snoozed_and_closing_ends_it() -> None:
    alert, other = an_alert(), an_alert(1)
    close([alert.pk], by="ann")
    assert snooze([alert.pk, other.pk], by="ann", until=a_day(), wakes_if_worse=False) == [other.pk]
    close([other.pk], by="ann")
    assert not Alert.objects.exclude(snoozed_until=None).exists()
    assert AlertComment.objects.count() == 1


def test_an_acknowledged_alert_stays_acknowledged() -> None:
    alert = an_alert()
    acknowledge([alert.pk], by="ann")
    snooze([alert.pk], by="ann", until=a_day(), wakes_if_worse=False)
    wake([alert.pk], by="ann")
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann")


@pytest.mark.parametrize(
    ("until", "wakes_if_worse"),
    [(None, False), (timedelta(days=-1), True), (LONGEST_SNOOZE + timedelta(days=1), True)],
)
def test_never_for_ever_and_never_into_the_past(until: timedelta | None, wakes_if_worse: bool) -> None:
    alert = an_alert()
    with pytest.raises(CannotSnooze):
        end = timezone.now() + until if until else None
        snooze([alert.pk], by="ann", until=end, wakes_if_worse=wakes_if_worse)
    assert not Alert.objects.exclude(snoozed_until=None).exists()


def test_until_it_gets_worse_it_returns_after_a_year_at_the_latest() -> None:
    alert = an_alert()
    snooze([alert.pk], by="ann", until=None, wakes_if_worse=True)
    with time_machine.travel(timezone.now() + LONGEST_SNOOZE + timedelta(minutes=1), tick=False):
        assert Alert.objects.filter(in_inbox()).exists()


# The page


def test_on_its_page_it_is_asked_until_when_and_can_be_undone(ann: Client) -> None:
    alert = an_alert()
    address = f"/monitoring/alert/{alert.pk}/do/snooze/"
    asked, in_a_week = ann.post(address, {"text": "Wait."}).text, timezone.localdate() + timedelta(days=7)
    assert asked.index('type="date"') < asked.index(f'name="until" value="{in_a_week}"'), "of two, the last one counts"
    assert f'name="until" class="dm-input" value="{in_a_week}"' in asked, "a week is selected at first"
    nothing = ann.post(address, {"until": "", "text": ""})
    assert "Enter a day" in text_of(nothing)
    assert "Enter a day in the future" in text_of(ann.post(address, {"until": "2020-01-01", "worse": "on"}))
    day = timezone.localdate() + timedelta(days=7)
    answer = ann.post(address, {"until": day.isoformat(), "worse": "on", "text": "Wait."}, follow=True)
    text = text_of(answer)
    assert "Alert snoozed." in text and "or until the situation gets worse, by ann" in text and "End snooze" in text
    assert "Wait." in AlertComment.objects.get().text
    token = answer.text.split('name="token" value="')[1].split('"')[0]
    ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", {"token": token})
    alert.refresh_from_db()
    assert (alert.snoozed_until, alert.wakes_if_worse, alert.due_at) == (None, False, None)
    assert latest_comment() == "Undone: no longer snoozed."


@pytest.mark.parametrize(
    ("act", "form", "undone"),
    [
        ("wake", {}, "Undone: snoozed until 7 Dec 2026, 00:00 again."),
        ("close", {"reason": "noise", "text": "Seen."}, "Undone: open again, snoozed until 7 Dec 2026, 00:00."),
    ],
)
def test_what_ended_a_snooze_is_undone_with_a_word(ann: Client, act: str, form: Any, undone: str) -> None:
    until = datetime(2026, 12, 7, tzinfo=timezone.get_default_timezone())
    with time_machine.travel(until - timedelta(days=3), tick=True):
        alert = an_alert()
        snooze([alert.pk], by="ann", until=until, wakes_if_worse=False, text="waits for the accounts")
        assert latest_comment() == "Snoozed until 7 Dec 2026, 00:00. waits for the accounts"
        ann.force_login(User.objects.get(username="ann"))
        answer = ann.post(f"/monitoring/alert/{alert.pk}/do/{act}/", form, follow=True)
        token = answer.text.split('name="token" value="')[1].split('"')[0]
        ann.post(f"/monitoring/alert/{alert.pk}/do/undo/", {"token": token})
        assert latest_comment() == undone


def latest_comment() -> str:
    return AlertComment.objects.order_by("-id")[0].text


def test_the_list_shows_snoozed_alerts_apart(ann: Client) -> None:
    alert = an_alert(title="Put off")
    other = an_alert(1)
    snooze([alert.pk], by="ann", until=a_day(), wakes_if_worse=False)

    def shown(query: str) -> set[Any]:
        return {row.pk for row in ann.get(f"/monitoring/alert/{query}").context["cl"].result_list}

    assert shown("") == shown("?state=new") == {other.pk}
    assert shown("?state=snoozed") == {alert.pk}
    assert shown("?state=all") == {alert.pk, other.pk}
    assert "Snoozed" in text_of(ann.get("/monitoring/alert/?state=snoozed"))
    ann.post(f"/monitoring/alert/{alert.pk}/do/wake/")
    assert shown("") == {alert.pk, other.pk}


def test_killed_in_between_none_is_snoozed_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    alert = an_alert()
    with monkeypatch.context() as patched:
        patched.setattr(snoozing, "comment_on", _dying)
        with pytest.raises(RuntimeError):
            snoozing.snooze([alert.pk], by="ann", until=None, wakes_if_worse=True, text="Waits for the bank.")
    alert.refresh_from_db()
    assert alert.snoozed_until is None


def _dying(*args: Any, **more: Any) -> None:
    raise RuntimeError("killed")


def test_one_that_is_closed_in_between_has_no_comment_about_a_snooze(monkeypatch: pytest.MonkeyPatch) -> None:
    alert = an_alert()

    def close_meanwhile(*args: Any, **more: Any) -> Any:
        close([alert.pk], by="carl")
        return comment_on(*args, **more)

    monkeypatch.setattr(snoozing, "comment_on", close_meanwhile)
    assert snoozing.snooze([alert.pk], by="ann", until=None, wakes_if_worse=True) == []
    assert not AlertComment.objects.exists()
