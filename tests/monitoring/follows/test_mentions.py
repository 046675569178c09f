"""Mentions in comments and notes: who is meant, who is notified, and what the text shows."""

import re
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.test import Client
from django.utils import timezone

from dnbmon_site.accounts.models import User
from monitoring.alerts.actions import comment, comment_on
from monitoring.audiences import intern
from monitoring.follows import mentions
from monitoring.follows.mentionable import mentionable, mentionable_in_notes
from monitoring.follows.mentions import mentioned_in, names_in, not_notified_text, notify_mentioned, with_names
from monitoring.follows.sent import latest_messages
from monitoring.follows.subjects import visible
from monitoring.models import Alert, AlertComment, Audience, OutboxMessage
from monitoring.outbox.queue import send_due_messages
from portfolio.companies.notes import add_note
from portfolio.models import Company, CompanyNote
from tests.builders.alerts import an_alert
from tests.builders.companies import DUNS, a_company
from tests.builders.follows import a_follower, is_waiting, personal_messages, prefers
from tests.builders.pages import text_of
from tests.builders.people import a_person
from tests.builders.registrations import one, two
from tests.builders.subjects import a_subject
from tests.builders.times import soon
from tests.builders.units import a_unit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@bob please look", ["bob"]),
        ("Ask @bob, or @eve.smith.", ["bob", "eve.smith"]),
        ("(@bob) @bob", ["bob"]),
        ("@anna@example.com knows", ["anna@example.com"]),
        ("Write to anna@example.com", []),
        ("@ nobody, and @.", []),
    ],
)
def test_who_is_named(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_active_users_are_meant_whatever_the_first_letter() -> None:
    bob = a_follower()
    a_follower("eve", is_active=False)
    assert mentioned_in("@Bob and @bob and @eve and @nobody") == [bob]


def a_comment(text: str, by: str = "ann") -> AlertComment:
    found = comment(an_alert().pk, by=by, text=text)
    assert found
    return found


def sent() -> list[tuple[str, str]]:
    send_due_messages(soon(), at_once=1)
    return [(one.to[0], str(one.subject)) for one in mail.outbox]


def test_a_comment_notifies_once_however_often_it_is_looked_for() -> None:
    a_follower()
    a_comment("@bob, @bob: what do you think? <b>")
    assert (notify_mentioned(), notify_mentioned()) == (1, 0)
    assert sent() == [("bob@example.com", "ann mentioned you: alert 0")]
    assert "what do you think? <b>" in mail.outbox[0].body
    assert "/monitoring/alert/" in mail.outbox[0].body


def test_a_note_notifies_too() -> None:
    a_follower()
    a_company()
    assert add_note(company=Company.objects.get(pk=DUNS), text="@bob, see the accounts", by="ann")
    notify_mentioned()
    assert sent() == [("bob@example.com", "ann mentioned you: Acme Ltd")]


def test_nobody_is_notified_of_their_own_text_nor_of_what_they_may_not_see() -> None:
    a_follower()
    User.objects.filter(pk=a_person(username="eve").pk).update(email="eve@example.com")
    found = a_comment("@bob @eve @nobody", by="bob")
    assert notify_mentioned() == 0
    assert not_notified_text([found]) == (
        "No active user has the name @nobody. Check the username. @eve may not view this text and is not notified."
    )


def test_the_author_reads_who_cannot_be_reached() -> None:
    a_follower("carl", email="")
    prefers(a_follower("dora"), paused_at=timezone.now())
    a_follower().groups.set(Group.objects.filter(name="Analyst"))
    found = a_comment("@bob @carl @dora @Carl", by="ann")
    assert not_notified_text([found]) == (
        "@carl, @dora can view this alert but cannot comment on it. Ask them directly, or have an administrator give "
        "them a role that can acknowledge alerts. carl has no email address, so only their Overview shows the mention."
        " dora has paused notifications, so only their Overview shows the mention."
    )
    assert notify_mentioned() == 1, "for bob"
    assert not_notified_text([a_comment("@carl: a note to myself", by="carl")]) == ""


def test_what_was_removed_before_it_was_sent_is_not() -> None:
    a_follower()
    a_comment("@bob")
    notify_mentioned()
    AlertComment.objects.all().delete()
    assert sent() == []
    assert OutboxMessage.objects.get().state == "cancelled"


def test_quiet_hours_hold_mentions_too() -> None:
    prefers(a_follower(), quiet_from=time(0), quiet_until=time(23, 59, 59))
    a_comment("@bob")
    notify_mentioned()
    assert is_waiting(personal_messages()[0])


def test_texts_show_names_and_nothing_that_somebody_has_written_as_html() -> None:
    User.objects.filter(pk=a_follower().pk).update(first_name="Bob", last_name="<Jones>")
    (words,) = with_names(["<i>@bob</i>, @nobody"])
    assert words == '&lt;i&gt;<strong title="@bob">Bob &lt;Jones&gt;</strong>&lt;/i&gt;, @nobody'


def test_texts_without_mentions_ask_nothing(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert with_names(["a@b.c", "x < y"]) == ["a@b.c", "x &lt; y"]


def test_the_page_of_an_alert_notifies_at_once_and_says_who_is_unknown(admin: Client) -> None:
    User.objects.filter(pk=a_follower().pk).update(first_name="Bob", last_name="Jones")
    alert = an_alert()
    page = admin.post(f"/monitoring/alert/{alert.pk}/do/comment/", {"text": "@bob @nobody"}, follow=True)
    text = text_of(page)
    assert "No active user has the name @nobody." in text and "Bob Jones" in text
    assert len(personal_messages()) == 1


def test_a_comment_offers_who_may_view_the_alert_and_marks_who_has_no_address(admin: Client) -> None:
    bob, carl, dora = a_follower(), a_follower("carl", email=""), a_follower("dora")
    bob.groups.set(Group.objects.filter(name="Analyst"))
    carl.groups.set(Group.objects.filter(name="Analyst"))
    a_follower("fred", email="", is_active=False)
    a_person(username="nina")
    page = admin.get(f"/monitoring/alert/{an_alert().pk}/change/").content.decode()
    (names,) = re.findall(r'<datalist id="names">(.*?)</datalist>', page)
    assert re.findall(r'value="(\w+)"', names) == ["bob", "carl", "dora"]
    assert 'label="carl" data-note="no email address"' in names and names.count("data-note") == 2
    assert 'label="dora" data-note="cannot comment"' in names, "before she is chosen, not only after"
    assert [one.note for one in mentionable_in_notes(bob, a_company()) if one == dora] == [""], "notes ask nothing"
    # Of business units, those whose registration reported it, or whose rule raised it.
    credit, _ = a_unit("Credit", one(), people=[bob]), a_unit("Buying", two(), people=[carl])
    alert = an_alert(1, registration=one())
    root = User.objects.get(is_superuser=True)
    everyone = list(User.objects.exclude(pk=root.pk))
    both = frozenset({one().pk, two().pk})
    intern([both])
    for unit, audience in (("", None), (credit.pk, None), ("buying", None), ("", Audience.key(both))):
        alert.unit, alert.audience = unit, audience
        alert.save()
        offered = set(mentionable(root, alert)) - {root}
        seeing = {person for person in everyone if visible(person, Alert).filter(pk=alert.pk).exists()}
        assert offered == seeing, unit


def test_a_note_offers_who_may_view_the_company(admin: Client) -> None:
    bob, carl, _ = a_follower(), a_follower("carl", email=""), a_follower("dora")
    company, root = a_company(), User.objects.get(is_superuser=True)
    page = admin.get(f"/portfolio/company/{DUNS}/change/").content.decode()
    assert 'data-names="names"' in page and '<option value="dora"' in page and "mentions.js" in page
    a_unit("Credit", one(), people=[bob])
    a_unit("Buying", two(), people=[carl])
    a_subject(DUNS, one(), monitored_since="2026-01-01")
    everyone = User.objects.exclude(pk=root.pk)
    seeing = {person for person in everyone if visible(person, Company).filter(pk=DUNS).exists()}
    assert set(mentionable_in_notes(root, company)) == seeing and carl not in seeing
    # To a business unit, those of no other unit.
    assert seeing - {bob} == set(mentionable_in_notes(bob, company)) - {root}


def test_the_page_of_a_company_does_the_same(admin: Client) -> None:
    a_follower()
    a_company()
    page = admin.post(f"/portfolio/company/{DUNS}/do/note/", {"text": "@bob @nobody"}, follow=True)
    assert "No active user has the name @nobody." in text_of(page)
    assert len(personal_messages()) == 1 and CompanyNote.objects.count() == 1


# One sentence on many alerts


def test_a_sentence_on_many_alerts_is_one_message_however_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "TEXTS", 2)
    a_follower()
    alerts = [an_alert(number) for number in range(5)]
    comment_on([alert.pk for alert in alerts], by="ann", text="@bob, look")
    assert (notify_mentioned(), notify_mentioned()) == (1, 0)
    # The same words, written again later, are another text.
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        comment_on([alerts[0].pk], by="ann", text="@bob, look")
        assert notify_mentioned() == 1


def test_older_texts_are_found_however_many_came_after_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mentions, "TEXTS", 2)
    a_follower()
    a_comment("@bob")
    for _ in range(3):
        a_comment("Nobody@example.com")
    assert notify_mentioned() == 1


def test_of_many_alerts_a_message_names_one_that_the_user_may_see() -> None:
    bob = a_follower()
    hidden, seen = an_alert(0), an_alert(1)
    comment_on([hidden.pk, seen.pk], by="ann", text="@bob")
    unit = a_unit("Credit", one(), people=[bob])
    Alert.objects.filter(pk=seen.pk).update(registration=one(), unit=unit.pk)
    assert notify_mentioned() == 1
    assert sent() == [("bob@example.com", "ann mentioned you: alert 1")]


def test_saving_a_text_handles_that_text_only(admin: Client) -> None:
    a_follower()
    a_comment("@bob, an earlier one that a process was killed behind")
    admin.post(f"/monitoring/alert/{an_alert(1).pk}/do/comment/", {"text": "@bob"})
    assert len(personal_messages()) == 1
    assert notify_mentioned() == 1


def test_the_job_asks_nothing_about_users_who_were_notified(django_assert_num_queries: object) -> None:
    a_follower()
    a_comment("@bob")
    notify_mentioned()
    # Comments twice, notes, the users, the messages.
    with django_assert_num_queries(5):  # type: ignore[operator]
        notify_mentioned()


def on_all(browser: Client, act: str, alerts: list[Alert], form: dict[str, Any]) -> Any:
    there, keys = "/monitoring/alert/?state=all", [str(alert.pk) for alert in alerts]
    asked = {"action": f"{act}_selected", "_selected_action": keys}
    (chosen,) = re.findall(r'name="chosen" value="([^"]*)"', browser.post(there, asked).content.decode())
    return browser.post(there, {**asked, "chosen": chosen, **form}, follow=True)


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("close", {"reason": "known", "text": "@bob @nobody"}),
        ("snooze", {"until": "", "worse": "on", "text": "@bob @nobody"}),
    ],
)
@pytest.mark.parametrize("count", [1, 3])
def test_sentences_of_closing_and_snoozing_notify_too(admin: Client, act: str, form: Any, count: int) -> None:
    a_follower()
    alerts = [an_alert(number) for number in range(count)]
    if count == 1:
        page = admin.post(f"/monitoring/alert/{alerts[0].pk}/do/{act}/", form, follow=True)
    else:
        page = on_all(admin, act, alerts, form)
    assert text_of(page).count("No active user has the name @nobody.") == 1
    assert len(personal_messages()) == 1


def test_latest_messages_name_the_author_and_ask_the_same_for_many(django_assert_max_num_queries: object) -> None:
    bob = a_follower()
    User.objects.filter(pk=a_follower("ann").pk).update(first_name="Ann", last_name="Lee")
    for number in range(6):
        a_comment(f"@bob {number}")
    notify_mentioned()
    with django_assert_max_num_queries(8):  # type: ignore[operator]
        found = latest_messages(bob)
    assert {row.text for row in found} == {f"Ann Lee mentioned you: @bob {number}" for number in range(6)}


def test_latest_messages_leave_out_what_the_user_may_no_longer_see() -> None:
    bob = a_follower()
    a_comment("@bob secret")
    notify_mentioned()
    bob.groups.clear()
    (row,) = latest_messages(User.objects.get(pk=bob.pk))
    assert row.text == "This text was deleted, or you no longer have permission to view it"


def test_the_overview_shows_mentions_also_to_whom_no_message_reaches_until_they_are_read(client: Client) -> None:
    carl = a_follower("carl", email="")
    found = a_comment("@carl please look")
    assert (notify_mentioned(), sent()) == (0, [])
    assert "no email address. Their Overview shows the mention" in personal_messages()[0].last_error
    client.force_login(carl)
    overview = client.get("/")
    assert "1 comment mentions you ann mentioned you: @carl please look View comment" in text_of(overview)
    assert 'href="/my/notifications/?open=mention"' in overview.content.decode()
    page = client.get("/my/notifications/")
    assert "Not emailed ann mentioned you: @carl please look" in text_of(page) and "Cancelled" not in text_of(page)
    assert f'href="/monitoring/alert/{found.alert_id}/change/"' in page.content.decode()
    assert "mentions you" not in text_of(client.get("/"))
    comment(found.alert_id, by="ann", text="@carl again")
    notify_mentioned()
    assert client.get("/my/notifications/?open=mention")["Location"] == f"/monitoring/alert/{found.alert_id}/change/"
    assert "mentions you" not in text_of(client.get("/"))
