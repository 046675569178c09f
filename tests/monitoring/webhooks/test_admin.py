"""Webhooks, their messages and scheduled exports in the admin."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEntry
from core.text import moment_text
from dnbmon_site.accounts.models import User
from monitoring.jobs import queue_for_webhooks, send_due
from monitoring.models import (
    Channel,
    Kind,
    MessageState,
    OutboxMessage,
    ScheduledExport,
    SendAttempt,
    WebhookEndpoint,
)
from monitoring.outbox.failing import failing_since
from monitoring.outbox.queue import send_due_messages
from monitoring.webhooks.endpoints import Event, emit_events
from monitoring.webhooks.event_types import EVENT_TYPES, NAMES
from tests.builders.channels import a_channel
from tests.builders.deliveries import delivered
from tests.builders.notifications import an_update
from tests.builders.pages import text_of
from tests.builders.queries import AtMost
from tests.servers.webhook_receivers import Receiver, answering

pytestmark = pytest.mark.django_db
PATH = "/monitoring/webhookendpoint/"
RANGE = {"since": -26, "until": 26}


@pytest.fixture(autouse=True)
def places(settings: Any, tmp_path: Path) -> None:
    settings.PRIVATE_HOSTS = ["*"]
    settings.EXPORT_FOLDER = tmp_path


def make(admin: Client, receiver: Receiver, **fields: Any) -> Any:
    values = {"name": "CRM", "url": receiver.url, "event_types": ["change.published", "subject.*"], "severity": 1}
    return admin.post(f"{PATH}add/", {**values, **fields}, follow=True)


def secret_in(answer: Any) -> str:
    (secret,) = answer.context["secrets"]
    assert secret.text in answer.content.decode()
    return str(secret.text)


def test_the_secret_is_in_no_cookie_and_no_session(admin: Client, receiver: Receiver) -> None:
    secrets = [secret_in(make(admin, receiver)), secret_in(do(admin, "rotate", confirmed="yes"))]
    assert "messages" not in admin.cookies, "whose text anybody may decode"
    assert not any(secret in str(dict(admin.session)) for secret in secrets)


def do(admin: Client, action: str, **fields: str) -> Any:
    return admin.post(f"{PATH}{WebhookEndpoint.objects.get().pk}/do/{action}/", fields, follow=True)


def test_a_secret_is_replaced_after_a_question_only(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    before = WebhookEndpoint.objects.get().encrypted_secret
    asked = text_of(do(admin, "rotate"))
    assert "a receiver with the old secret rejects all messages" in asked and "stops working immediately" not in asked
    assert WebhookEndpoint.objects.get().encrypted_secret == before
    do(admin, "rotate", confirmed="yes")
    assert WebhookEndpoint.objects.get().encrypted_secret != before
    assert "The secret that was replaced earlier stops working immediately." in text_of(do(admin, "rotate"))


def test_the_list_shows_which_webhooks_fail_and_why_one_is_disabled(
    admin: Client, receiver: Receiver, django_assert_max_num_queries: AtMost
) -> None:
    make(admin, receiver)
    assert "Enabled" in text_of(admin.get(PATH))
    delivered(an_update())
    queue_for_webhooks()
    receiver.behave = answering(500, b"no")
    send_due()
    since = SendAttempt.objects.get().at
    OutboxMessage.objects.update(next_try_at=timezone.now())
    send_due()
    with django_assert_max_num_queries(15):
        text = text_of(admin.get(PATH))
    assert f"Failing since {moment_text(since)}" in text and "Enabled" not in text
    assert "1 message waiting The receiver responded with status 500." in text
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "Failing since" in page and "1 message was not delivered and is retried automatically." in page
    assert "Last error: The receiver responded with status 500. Response: “no”." in page
    do(admin, "off")
    assert "Disabled: by ann" in text_of(admin.get(PATH))
    receiver.behave = answering(200)
    do(admin, "on")
    send_due()
    assert "Failing" not in text_of(admin.get(PATH))


def test_a_webhook_is_failing_when_its_messages_have_failed_finally_and_none_was_sent_since(
    admin: Client, receiver: Receiver
) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "000000001")])
    send_due()
    assert "Enabled" in text_of(admin.get(PATH))
    receiver.behave = answering(500, b"no")
    emit_events([Event("subject.requested", {"n": 2}, "2", "000000002")])
    send_due()
    OutboxMessage.objects.exclude(state="sent").update(state=MessageState.DEAD, next_try_at=None)
    since = SendAttempt.objects.exclude(error="").get().at
    assert f"Failing since {moment_text(since)}" in text_of(admin.get(PATH))
    assert "1 message failed The receiver responded with status 500." in text_of(admin.get(PATH))
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "1 message failed and is no longer retried. Fix the receiver" in page and "retried automatically" not in page
    assert "Last error: The receiver responded with status 500." in page
    receiver.behave = answering(200)
    do(admin, "test")
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "1 message failed and is no longer retried. The receiver has accepted messages since then." in page
    assert "Enabled" in text_of(admin.get(PATH))


def test_messages_that_failed_finally_after_a_later_one_was_sent_leave_it_failing(
    admin: Client, receiver: Receiver
) -> None:
    """They were retried for days, and in the meantime one that was created later, such as a test, came through."""
    make(admin, receiver)
    receiver.behave = answering(500, b"no")
    emit_events([Event("subject.requested", {"n": 1}, "1", "000000001")])
    send_due()
    receiver.behave = answering(200)
    do(admin, "test")
    receiver.behave = answering(500, b"no")
    OutboxMessage.objects.exclude(state="sent").update(next_try_at=timezone.now())
    send_due()
    OutboxMessage.objects.exclude(state="sent").update(state=MessageState.DEAD, next_try_at=None)
    assert "Failing since" in text_of(admin.get(PATH)) and "Enabled" not in text_of(admin.get(PATH))


def test_a_receiver_that_was_never_reached_has_refused_nothing(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    for number in range(3):
        emit_events([Event("subject.requested", {"n": number}, str(number), f"{number:09}")])
    WebhookEndpoint.objects.update(url="http://127.0.0.1:1/")
    send_due()
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "Last error: The receiver cannot be reached: no server answers at that address." in page
    assert "1 message was not delivered and is retried automatically." in page and "responded" not in page
    assert "3 undelivered messages" in page and "Retry undelivered messages" in page
    listed = admin.get(f"/monitoring/outboxmessage/?target={WebhookEndpoint.objects.get().pk}&state=undelivered")
    assert len(listed.context["cl"].result_list) == 3, "the same number as on the page of the webhook"
    assert "3 undelivered messages will be sent" in text_of(do(admin, "again"))


def test_a_message_that_is_retried_is_told_from_an_untried_one(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    for number in range(25):
        emit_events([Event("subject.requested", {"n": number}, str(number), f"{number:09}")])
    receiver.behave = answering(500, b"no")
    send_due()
    retried = OutboxMessage.objects.get(attempts=1)
    OutboxMessage.objects.filter(pk=retried.pk).update(
        next_try_at=timezone.now() + timedelta(minutes=5, seconds=30), created_at=timezone.now() - timedelta(hours=1)
    )
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert page.count("Retrying") == 1 and "status 500. Next attempt: in 5 minutes" in page
    path = "/monitoring/outboxmessage/"
    assert [row.pk for row in admin.get(f"{path}?state=retrying").context["cl"].result_list] == [retried.pk]
    assert "Next attempt: in 5 minutes" in text_of(admin.get(f"{path}?state=retrying"))
    answer = admin.get(f"{path}?state=waiting")
    waiting = answer.context["cl"].result_list
    assert len(waiting) == 24 and retried not in waiting
    assert text_of(answer).count("After an earlier message to this receiver, which failed") == 24
    assert text_of(answer).count("Waiting") == 24 + 2, "once in each row, in the filter and in its chip"
    cells = re.findall(r'<td class="field-(\w+)[^>]*>(?:(?!</td>).)*After an earlier message', answer.text, re.S)
    assert set(cells) == {"status"}, "it is no error"
    do(admin, "off")
    assert not admin.get(f"{path}?state=retrying").context["cl"].result_list, "it is kept until it is enabled"


def test_messages_name_their_recipient_and_are_filtered_by_it(
    admin: Client, receiver: Receiver, django_assert_max_num_queries: AtMost
) -> None:
    make(admin, receiver)
    channel = a_channel(name="Risk desk")
    do(admin, "test")
    key, now = OutboxMessage.key(channel.pk, "alert"), timezone.now()
    OutboxMessage.objects.create(id=key, kind="channel", target=channel.pk, event="alert", created_at=now)
    path = "/monitoring/outboxmessage/"
    with django_assert_max_num_queries(12):
        text = text_of(admin.get(path))
    assert "CRM Webhook" in text and "Risk desk Channel" in text
    page = admin.get(f"{path}?target={channel.pk}")
    assert [row.target for row in page.context["cl"].result_list] == [channel.pk]
    assert [(chip.name, chip.value) for chip in page.context["cl"].chips] == [("recipient", "Channel Risk desk")]
    assert len(admin.get(f"{path}?target=x").context["cl"].result_list) == 2
    Channel.objects.all().delete()
    assert "Deleted Channel" in text_of(admin.get(path))
    row = OutboxMessage.objects.get(kind="webhook")
    assert "Webhook CRM" in text_of(admin.get(f"{path}{row.pk}/change/"))


@pytest.mark.parametrize(
    ("fields", "count"),
    [({}, 0), ({"begin": "now"}, 0), ({"begin": "all"}, 1), ({"begin": "time", "begin_at": "2020-01-01T00:00"}, 1)],
)
def test_its_maker_says_where_it_begins(admin: Client, receiver: Receiver, fields: dict[str, str], count: int) -> None:
    delivered(an_update())
    make(admin, receiver, **fields)
    queue_for_webhooks()
    assert OutboxMessage.objects.count() == count


def test_a_time_that_was_not_given_is_asked_for(admin: Client, receiver: Receiver) -> None:
    assert "Enter the date and time" in text_of(make(admin, receiver, begin="time"))
    assert not WebhookEndpoint.objects.exists()


def test_the_first_field_with_an_error_has_the_focus(admin: Client, receiver: Receiver) -> None:
    page = make(admin, receiver, event_types="nothing", kinds="nothing").content.decode()
    (focused,) = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert 'name="event_types"' in focused and "Currently" not in page


def test_the_secret_is_shown_once(admin: Client, receiver: Receiver) -> None:
    secret = secret_in(make(admin, receiver))
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.created_by == "ann"
    page = admin.get(f"{PATH}{endpoint.pk}/change/")
    assert page.status_code == 200
    assert secret not in text_of(page) and endpoint.encrypted_secret not in page.content.decode()
    assert "Test delivered: status 200" in text_of(do(admin, "test"))
    assert receiver.got[0].verified(secret)
    new = secret_in(do(admin, "rotate", confirmed="yes"))
    do(admin, "test")
    assert receiver.got[1].verified(new) == receiver.got[1].verified(secret)


def test_a_change_of_its_address_is_in_the_audit_log(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    endpoint = WebhookEndpoint.objects.get()
    form = admin.get(f"{PATH}{endpoint.pk}/change/").context["adminform"].form
    given = {name: value for name, value in form.initial.items() if name in form.fields and value is not None}
    admin.post(f"{PATH}{endpoint.pk}/change/", {**given, "url": "https://example.com/other"})
    (entry,) = AuditEntry.objects.filter(action="edit webhook endpoint")
    assert json.loads(entry.before) == {"url": endpoint.url} and "example.com/other" in entry.after
    assert "Webhook changed" in text_of(admin.get("/core/auditentry/"))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"event_types": "change.publishd"}, "is not an event"),
        ({"event_types": []}, "Select at least one event."),
        ({"kinds": "gone"}, "is not a change type"),
        ({"countries": "Germany"}, "two-letter country codes"),
        ({"companies": "12"}, "is not a D-U-N-S number"),
        ({"url": "ftp://x"}, "valid URL"),
        ({"url": "x y"}, "valid URL"),
    ],
)
def test_a_mistake_is_refused_with_what_is_wrong(
    admin: Client, receiver: Receiver, fields: dict[str, Any], said: str
) -> None:
    assert said in text_of(make(admin, receiver, **fields))
    assert not WebhookEndpoint.objects.exists()


def test_change_types_are_selected_by_plain_names(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver, kinds=["deleted", "left"])
    row = WebhookEndpoint.objects.get()
    assert row.kinds == "deleted, left"
    page = admin.get(f"{PATH}{row.pk}/change/").text
    assert page.count('name="kinds"') == len(Kind) and re.search(r'name="kinds" value="deleted" checked', page)


def test_a_list_of_companies_may_hold_comments(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver, companies="804735132 # Gorman, Ltd\n\n# and\n15-048-3782")
    assert WebhookEndpoint.objects.get().companies == "804735132, 150483782"


def test_changing_one_keeps_its_secret_and_place(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    before = WebhookEndpoint.objects.get()
    values = {"name": "ERP", "url": receiver.url, "event_types": "*", "severity": 4, "countries": "de, at"}
    admin.post(f"{PATH}{before.pk}/change/", values)
    after = WebhookEndpoint.objects.get()
    assert (after.name, after.event_types, after.severity, after.countries) == ("ERP", "*", 4, "DE, AT")
    assert (after.encrypted_secret, after.cursor) == (before.encrypted_secret, before.cursor)


def test_events_are_selected_in_groups_by_plain_names(admin: Client, receiver: Receiver) -> None:
    page = admin.get(f"{PATH}add/")
    assert 'role="group" aria-label="Imports"' in page.content.decode()
    assert "All events *" in text_of(page) and "Monitoring requested subject.requested" in text_of(page)
    offered = {
        value for _, options in page.context["adminform"].form.fields["event_types"].choices for value, _ in options
    }
    assert offered >= set(EVENT_TYPES) - {"webhook.test"} | {"*", "subject.*", "import.*"}
    make(admin, receiver, event_types=["import.*", "import.read", "alert.raised"])
    assert WebhookEndpoint.objects.get().event_types == "import.*, alert.raised"


def test_a_pattern_that_the_api_took_stays_selected(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    WebhookEndpoint.objects.update(event_types="change.*, alert.raised")
    path = f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"
    page = admin.get(path).content.decode()
    assert set(re.findall(r'name="event_types" value="([^"]*)" checked', page)) == {"change.*", "alert.raised"}
    values = {"name": "CRM", "url": receiver.url, "event_types": ["alert.raised", "change.*"], "severity": 1}
    admin.post(path, values)
    assert WebhookEndpoint.objects.get().event_types == "alert.raised, change.*"


def a_webhook_of(person: User, receiver: Receiver, name: str) -> WebhookEndpoint:
    client = Client()
    client.force_login(person)
    make(client, receiver, name=name, event_types="subject.*")
    return WebhookEndpoint.objects.get(name=name)


@pytest.mark.parametrize("goes", ["deactivated under another name", "removed"])
def test_nothing_is_sent_where_somebody_led_it_who_has_left(goes: str, admin: Client, receiver: Receiver) -> None:
    bob = User.objects.create_superuser("bob", "bob@example.com", "secret words")
    made, led = a_webhook_of(bob, receiver, "made"), a_webhook_of(User.objects.get(username="ann"), receiver, "led")
    moved = {"name": "led", "url": f"{receiver.url}bob", "event_types": "subject.*", "severity": 1}
    client = Client()
    client.force_login(bob)
    client.post(f"{PATH}{led.pk}/change/", moved)
    if goes == "removed":
        bob.delete()
    else:
        User.objects.filter(pk=bob.pk).update(username="robert", is_active=False)
        User.objects.create_user("bob", "another@example.com")
    emit_events([Event("subject.added", {"duns": "804735132"}, "1")])
    send_one_after_the_other()
    for row in (made, led):
        row.refresh_from_db()
        assert not row.is_active and row.off_reason.startswith("Its owner, bob,")
    assert receiver.got == []
    admin.post(f"{PATH}{made.pk}/do/on/")
    send_one_after_the_other()
    assert len(receiver.got) == 1, "ann has taken it over"


def send_one_after_the_other() -> None:
    """In this thread, which alone sees what a test has written."""
    send_due_messages(timezone.now() + timedelta(seconds=30), at_once=1)


def test_switching_off_and_on_and_sending_again(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    do(admin, "off")
    delivered(an_update())
    queue_for_webhooks()
    assert not OutboxMessage.objects.exists()
    do(admin, "on")
    queue_for_webhooks()
    receiver.behave = answering(500, b"no <b>way</b>")
    send_due()
    OutboxMessage.objects.update(state=MessageState.DEAD, next_try_at=None)
    endpoint = WebhookEndpoint.objects.get()
    page = text_of(admin.get(f"{PATH}{endpoint.pk}/change/"))
    assert "1 undelivered message" in page and "Retry undelivered messages" in page
    receiver.behave = answering(200)
    do(admin, "again")
    send_due()
    assert OutboxMessage.objects.get().state == MessageState.SENT
    assert receiver.ids[0] == receiver.ids[1]


def test_messages_show_every_try_and_go_out_again(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    delivered(an_update())
    queue_for_webhooks()
    receiver.behave = answering(500, b"no <b>way</b>")
    send_due()
    row = OutboxMessage.objects.get()
    assert "Company changes" in text_of(admin.get("/monitoring/outboxmessage/"))
    page = admin.get(f"/monitoring/outboxmessage/{row.pk}/change/")
    assert "The receiver responded with status 500 after" in text_of(page) and "Response: “no <b>way</b>”" in text_of(
        page
    )
    listed = text_of(admin.get("/monitoring/outboxmessage/"))
    assert "Retrying 1 attempt. Last error: status 500. Next attempt: " in listed
    assert "Message “Company changes”" in text_of(page) and "Resend message" in text_of(page)
    assert "<b>way" not in page.content.decode(), "a receiver's answer is text"
    assert "Next attempt" in text_of(page)
    OutboxMessage.objects.update(state=MessageState.SENT)
    assert "Next attempt" not in text_of(admin.get(f"/monitoring/outboxmessage/{row.pk}/change/"))
    chosen = {"action": "again", "_selected_action": [str(row.pk)]}
    answer = text_of(admin.post("/monitoring/outboxmessage/", chosen, follow=True))
    assert "1 of them was delivered before and will be sent again." in answer
    assert OutboxMessage.objects.get().state == MessageState.WAITING
    [waiting] = admin.get("/monitoring/outboxmessage/").context["cl"].result_list
    assert (waiting.attempts, waiting.tried) == (0, 1), "as many as the page of the message lists"
    again = f"/monitoring/outboxmessage/{row.pk}/do/resend/"
    assert "is waiting for its turn and will be sent" in text_of(admin.post(again, follow=True))
    OutboxMessage.objects.update(state=MessageState.SENT)
    sent = text_of(admin.get(f"/monitoring/outboxmessage/{row.pk}/change/"))
    assert "This message was delivered. “Resend message” delivers it again, with the same ID" in sent
    assert "It will be sent again within a minute" in text_of(admin.post(again, follow=True))
    assert OutboxMessage.objects.get().state == MessageState.WAITING


@pytest.mark.parametrize("way", ["page", "list", "range", "webhook"])
def test_a_message_that_is_retried_is_sent_now(way: str, admin: Client, receiver: Receiver) -> None:
    """Its next attempt may be a day away, and the receiver works again."""
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    receiver.behave = answering(500, b"no")
    send_due()
    receiver.behave = answering(200)
    later = timezone.now() + timedelta(hours=24)
    OutboxMessage.objects.update(attempts=9, next_try_at=later)
    row, path = OutboxMessage.objects.get(), "/monitoring/outboxmessage/"
    assert "Resend message" in text_of(admin.get(f"{path}{row.pk}/change/"))
    day = {name: (timezone.now() + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M") for name, h in RANGE.items()}
    ways: dict[str, Callable[[], Any]] = {
        "page": lambda: admin.post(f"{path}{row.pk}/do/resend/", follow=True),
        "list": lambda: admin.post(path, {"action": "again", "_selected_action": [str(row.pk)]}, follow=True),
        "range": lambda: do(admin, "resend", **day),
        "webhook": lambda: do(admin, "again"),
    }
    answer = ways[way]()
    assert ("will be sent within a minute" if way == "webhook" else "will be resent within a minute") in text_of(answer)
    assert "Next attempt: within a minute" in text_of(admin.get(path))
    send_due()
    assert OutboxMessage.objects.get().state == MessageState.SENT and receiver.ids[0] == receiver.ids[1]


def test_a_webhook_that_delivers_again_is_not_failing(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    receiver.behave = answering(500, b"no")
    send_due()
    page = f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"
    later = timezone.now() + timedelta(minutes=5)
    OutboxMessage.objects.update(next_try_at=later)
    assert "Failing since" in text_of(admin.get(page))
    receiver.behave = answering(200)
    do(admin, "test")
    shown = text_of(admin.get(page))
    assert "Failing since" not in shown and "1 undelivered message" in shown
    assert "Failing since" not in text_of(admin.get(PATH))
    receiver.behave = answering(500, b"no")
    emit_events([Event("subject.requested", {"n": 2}, "2", "418545523")])
    send_due()
    since = SendAttempt.objects.order_by("-id")[0].at
    assert f"Failing since {moment_text(since)}" in text_of(admin.get(page))
    assert failing_since([WebhookEndpoint.objects.get().pk]) == {WebhookEndpoint.objects.get().pk: since}


def test_a_failed_test_is_listed_as_failed_and_is_over(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    receiver.behave = answering(500, b"oops")
    do(admin, "test")
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "The test event failed. Correct the address or the receiver" in page and "no longer retried" not in page
    emit_events([Event("subject.requested", {"n": 1}, "1", "000000001")])
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "1 undelivered message" in page and "The test event failed." in page and "no longer retried" not in page
    OutboxMessage.objects.filter(state=MessageState.WAITING).delete()
    found = admin.get("/monitoring/outboxmessage/?state=dead").context["cl"].result_list
    assert [(row.event_type, row.get_state_display()) for row in found] == [("webhook.test", "Failed")]
    assert "Retry undelivered messages" not in text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert send_due_messages(timezone.now() + timedelta(minutes=1)) == 0


def test_a_failed_test_shows_the_answer_and_what_to_do(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    receiver.behave = answering(500, b"oops")
    text = text_of(do(admin, "test"))
    assert "could not be delivered: status 500. Response: “oops”. Check the receiver's log" in text


def test_a_test_that_found_no_page_asks_to_correct_the_address(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    receiver.behave = answering(404)
    text = text_of(do(admin, "test"))
    assert "Correct the address, then send another test event." in text and "its secret" not in text


def test_a_person_chooses_the_events_of_a_new_webhook(admin: Client, receiver: Receiver) -> None:
    page = admin.get(f"{PATH}add/").content.decode()
    assert 'name="event_types"' in page
    assert not re.search(r'name="event_types"[^>]* checked', page)
    assert "Select at least one event." in text_of(make(admin, receiver, event_types=[]))
    assert not WebhookEndpoint.objects.exists()


def test_messages_that_were_not_delivered_are_one_choice(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": n}, str(n), f"00000000{n}") for n in range(4)])
    retried, failed, sent, untried = OutboxMessage.objects.order_by("pk")
    OutboxMessage.objects.filter(pk=retried.pk).update(attempts=1, next_try_at=timezone.now())
    OutboxMessage.objects.filter(pk=failed.pk).update(attempts=9, state=MessageState.DEAD, next_try_at=None)
    OutboxMessage.objects.filter(pk=sent.pk).update(attempts=1, state=MessageState.SENT)
    more = {"event": "alert", "created_at": timezone.now(), "next_try_at": timezone.now() + timedelta(hours=8)}
    quiet = OutboxMessage.objects.create(id=uuid4(), kind="channel", target=uuid4(), **more)
    page = admin.get("/monitoring/outboxmessage/?state=undelivered")
    assert {row.pk for row in page.context["cl"].result_list} == {retried.pk, failed.pk, untried.pk, quiet.pk}
    assert "Not delivered, except tests (failed, retrying, waiting or on hold)" in text_of(page)
    text = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "3 undelivered messages" in text


def test_the_page_of_one_that_is_off_says_what_it_was_not_told(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    do(admin, "off")
    endpoint = WebhookEndpoint.objects.get()
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    delivered(an_update())
    page = text_of(admin.get(f"{PATH}{endpoint.pk}/change/"))
    assert "1 undelivered message" in page and "Up to 1 change has no message yet" in page
    assert "Earlier events are skipped" in text_of(do(admin, "from-now"))
    assert OutboxMessage.objects.get().state == MessageState.CANCELLED
    page = text_of(admin.get(f"{PATH}{endpoint.pk}/change/"))
    assert "undelivered" not in page


def test_messages_of_one_that_is_off_are_listed_as_not_delivered(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    do(admin, "off")
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    for state in ("undelivered", "held"):
        page = admin.get(f"/monitoring/outboxmessage/?state={state}")
        assert len(page.context["cl"].result_list) == 1 and "On hold" in text_of(page)
    assert not admin.get("/monitoring/outboxmessage/?state=waiting").context["cl"].result_list


def test_what_waits_for_one_that_is_off_is_discarded_after_a_question(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    do(admin, "off")
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    delivered(an_update())
    assert "Discard 1 message?" in text_of(do(admin, "discard"))
    assert OutboxMessage.objects.get().state == MessageState.WAITING
    assert "1 message discarded" in text_of(do(admin, "discard", confirmed="yes"))
    assert OutboxMessage.objects.get().state == MessageState.CANCELLED
    emit_events([Event("subject.requested", {"n": 2}, "2", "804735132")])
    assert OutboxMessage.objects.count() == 1, "nothing is kept from then on"
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "Events are not kept while the webhook is disabled" in page and "undelivered" not in page
    do(admin, "on")
    queue_for_webhooks()
    assert OutboxMessage.objects.count() == 1, "it begins with what happens from now on"
    emit_events([Event("subject.requested", {"n": 3}, "3", "804735132")])
    assert OutboxMessage.objects.filter(state=MessageState.WAITING).count() == 1


def test_one_that_keeps_no_events_is_only_enabled_from_now(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    OutboxMessage.objects.update(state=MessageState.DEAD, next_try_at=None)
    do(admin, "off")
    do(admin, "discard", confirmed="yes")
    page = text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))
    assert "1 undelivered message" in page
    assert "Enable and" not in page and "Discard messages" not in page, "there is nothing to send or to skip"
    assert "Earlier events are skipped" in text_of(do(admin, "on"))
    assert OutboxMessage.objects.get().state == MessageState.DEAD


@pytest.mark.parametrize("way", ["page", "list", "range", "webhook"])
def test_nothing_is_resent_to_one_that_is_disabled(way: str, admin: Client, receiver: Receiver) -> None:
    """It would wait, and be discarded when the webhook is enabled, although the page said that it is sent."""
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    OutboxMessage.objects.update(state=MessageState.DEAD, next_try_at=None)
    do(admin, "off")
    row, path = OutboxMessage.objects.get(), "/monitoring/outboxmessage/"
    day = {name: (timezone.now() + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M") for name, h in RANGE.items()}
    ways: dict[str, Callable[[], Any]] = {
        "page": lambda: admin.post(f"{path}{row.pk}/do/resend/", follow=True),
        "list": lambda: admin.post(path, {"action": "again", "_selected_action": [str(row.pk)]}, follow=True),
        "range": lambda: do(admin, "resend", **day),
        "webhook": lambda: do(admin, "again"),
    }
    answer = text_of(ways[way]())
    assert "The webhook is disabled, so no messages can be resent" in answer and "will be" not in answer
    assert OutboxMessage.objects.get().state == MessageState.DEAD
    assert "Resend messages" not in text_of(admin.get(f"{PATH}{WebhookEndpoint.objects.get().pk}/change/"))


def test_one_that_is_on_discards_nothing(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    assert "0 messages discarded" in text_of(do(admin, "discard", confirmed="yes"))
    assert OutboxMessage.objects.get().state == MessageState.WAITING


def test_a_range_is_sent_again(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    emit_events([Event("subject.requested", {"n": 1}, "1", "804735132")])
    send_due()
    path = f"{PATH}{WebhookEndpoint.objects.get().pk}/do/resend/"
    now = timezone.now()
    times = [(now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M") for hours in (-26, 26)]
    for since, until in (times[::-1], ("", times[1]), ("yesterday", times[1])):
        assert "No messages were resent." in text_of(admin.post(path, {"since": since, "until": until}, follow=True))
    answer = admin.post(path, {"since": times[0], "until": times[1]}, follow=True)
    assert "1 message will be resent" in text_of(answer)
    send_due()
    assert receiver.ids[0] == receiver.ids[1]


def test_what_is_unknown_is_not_done(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    endpoint = WebhookEndpoint.objects.get()
    assert admin.post(f"{PATH}{endpoint.pk}/do/delete/").status_code == 404
    assert admin.get(f"{PATH}{endpoint.pk}/do/test/").status_code == 405


# Scheduled exports


def an_export(**fields: Any) -> dict[str, Any]:
    values = {"name": "daily", "content": "changes", "filters": "", "format": "csv", "folder": "", "zone": "UTC"}
    return {**values, "at": "06:00", "is_active": "on", **fields}


def test_an_export_is_planned_and_written(admin: Client, tmp_path: Path) -> None:
    admin.post("/monitoring/scheduledexport/add/", an_export(filters="country=GB"))
    export = ScheduledExport.objects.get()
    assert timezone.now() < export.due_at <= timezone.now() + timedelta(days=1)
    ticked = {"action": "write", "_selected_action": [str(export.pk)]}
    assert "0 rows" in text_of(admin.post("/monitoring/scheduledexport/", ticked, follow=True))
    assert len(list(tmp_path.iterdir())) == 2
    assert "daily" in text_of(admin.get("/monitoring/scheduledexport/"))


@pytest.mark.parametrize(
    "fields", [{"filters": "contry=GB"}, {"folder": "../x"}, {"zone": "Mars"}, {"name": "a/b"}, {"at": "25:00"}]
)
def test_an_export_with_a_mistake_is_refused(admin: Client, fields: dict[str, str]) -> None:
    answer = admin.post("/monitoring/scheduledexport/add/", an_export(**fields))
    assert answer.status_code == 200
    assert not ScheduledExport.objects.exists()


def test_events_are_named_in_words(admin: Client, receiver: Receiver) -> None:
    make(admin, receiver)
    assert "Company changes All monitoring events" in text_of(admin.get(PATH))
    assert NAMES.keys() >= EVENT_TYPES.keys()
