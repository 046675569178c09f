"""Channels: over a real mail server and a real receiver; secrets kept, tries noted, nothing sent twice or lost."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from core.notices import notify
from dnbmon_site.accounts.models import User
from dnbmon_site.operations.doctor import addresses
from monitoring.alerts import channel_messages, routing
from monitoring.alerts.admin.reach import status_of
from monitoring.alerts.channel_messages import send_test
from monitoring.alerts.digests import send_digests
from monitoring.alerts.facts.groups import MOST_AN_HOUR
from monitoring.alerts.reach import Reach, unnotified
from monitoring.alerts.routing import after_quiet_hours
from monitoring.jobs import process_published, send_due, wake
from monitoring.models import Alert, AlertRule, Channel, MailAddress, MessageState, OutboxMessage, SendAttempt, Severity
from monitoring.outbox import queue
from monitoring.outbox.addresses import (
    address_of,
    channel_of_token,
    check_address,
    display_address_of,
    unsubscribe_link,
)
from monitoring.outbox.chat_services import chat_of
from monitoring.outbox.permitted_addresses import ACTS_AN_HOUR, ASKED_AT_MOST, waits_for, why_not_there
from monitoring.outbox.queue import send_again, send_due_messages
from portfolio.models import Subject
from tests.builders.alerts import raised
from tests.builders.channels import a_channel, channel_form, said_yes
from tests.builders.companies import DUNS
from tests.builders.deliveries import delivered
from tests.builders.elements import BANKRUPTCY, OUT, STATUS
from tests.builders.notifications import a_seed, news
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration, two
from tests.builders.rules import a_rule
from tests.builders.times import now_stamp, soon
from tests.builders.units import a_unit
from tests.servers.channel_receivers import ReceivingServer, a_receiver
from tests.servers.mail_servers import Mailbox
from tests.support import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver() -> Iterator[ReceivingServer]:
    with a_receiver() as server:
        yield server


def sent() -> int:
    """In this thread: others do not see what a test has not committed."""
    return send_due_messages(soon(), at_once=1)


def an_alert(**fields: Any) -> Channel:
    channel = a_channel(a_rule(elements=STATUS, conditions="becomes 403"), **fields)
    delivered(a_seed(DUNS, delivered=now_stamp(days=-1)), news())
    raised()
    return channel


# Sending


def test_mail_comes_as_text_and_html_with_a_link_to_the_alert(mailbox: Mailbox) -> None:
    an_alert()
    assert sent() == 1
    alert = Alert.objects.get(company=DUNS)
    assert mailbox.header("Subject") == "[Critical] Acme Ltd, 804735132: operating status Active → Out of business"
    assert mailbox.envelopes == [["ann@example.com"]]
    for kind in ("plain", "html"):
        text = mailbox.part(kind)
        assert f"/monitoring/alert/{alert.pk}/change/" in text
        assert "Out of business" in text
        assert "/monitoring/channel/unsubscribe/" in text
    assert "<h1" not in mailbox.part("plain")
    assert 'name="viewport"' in mailbox.part("html")
    assert "Raised by the rule" in mailbox.part("plain")


def test_several_addresses_get_one_mail(mailbox: Mailbox) -> None:
    an_alert(address="ann@example.com, bob@example.com")
    sent()
    assert mailbox.envelopes == [["ann@example.com", "bob@example.com"]]


def test_a_service_is_sent_a_message(receiver: ReceivingServer) -> None:
    an_alert(address=receiver.address)
    assert sent() == 1
    body = receiver.bodies[0]
    assert body["title"].startswith("[Critical] Acme Ltd")
    assert "View alert: http://localhost:8000/monitoring/alert/" in body["message"]
    assert "unsubscribe" not in body["message"]


def test_hostile_names_stay_text(mailbox: Mailbox) -> None:
    a_channel(a_rule(elements="primaryName"))
    delivered(news("organization.primaryName", "A", "<script>alert(1)</script>\r\nBcc: eve@example.com"))
    raised()
    sent()
    assert "<script>" not in mailbox.part("html")
    assert mailbox.envelopes == [["ann@example.com"]]
    assert mailbox.mails[0]["Bcc"] is None


def test_a_pulled_change_is_on_its_way_when_publishing_wakes_a_worker(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("monitoring.jobs.ask_worker", lambda func, **options: asked.append(func))
    a_channel(a_rule())
    delivered(news())
    wake()
    assert asked.pop() == "monitoring.jobs.process_published"
    process_published()
    assert asked == ["monitoring.jobs.send_due"]
    monkeypatch.setattr(queue, "TARGETS_AT_ONCE", 1)
    assert send_due() == 1
    process_published()
    assert len(asked) == 1


def test_trouble_in_one_consumer_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(a_rule())
    delivered(news())
    raised()
    asked: list[str] = []
    monkeypatch.setattr("monitoring.jobs.ask_worker", lambda func, **options: asked.append(func))
    monkeypatch.setattr("monitoring.jobs.raise_alerts", _broken)
    process_published()
    assert asked == ["monitoring.jobs.send_due"]


def test_who_has_not_caught_up_goes_on_as_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("monitoring.jobs.ask_worker", lambda func, **options: asked.append(func))
    process_published(timedelta(0))
    assert asked == ["monitoring.jobs.process_published"]


def test_a_queue_that_is_away_holds_up_nobody_who_pulls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitoring.jobs.ask_worker", _broken)
    wake()


def _broken(*args: object, **options: object) -> object:
    raise RuntimeError("broken")


# Failing, and trying again


def test_a_mail_server_that_refuses_is_tried_again_with_the_same_id(mailbox: Mailbox) -> None:
    an_alert()
    mailbox.refusal = "451 Try later"
    assert sent() == 0
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts, message.last_error) == (
        "waiting",
        1,
        "The email server responded with code 451.",
    )
    assert sent() == 0
    mailbox.refusal = ""
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sent() == 1
    assert mailbox.mails[0]["Message-ID"] == f"<{message.pk}@dnbmon>"
    message.refresh_from_db()
    assert (message.state, message.attempts, message.last_error) == ("sent", 2, "")
    assert SendAttempt.objects.filter(message=message).count() == 2


def test_a_receiver_that_refuses_is_noted_with_its_status(receiver: ReceivingServer) -> None:
    receiver.status = 503
    channel = an_alert(address=receiver.address)
    assert sent() == 0
    attempt = SendAttempt.objects.get()
    assert attempt.status == 503
    channel.refresh_from_db()
    assert channel.last_error


def test_after_about_three_days_it_is_parked_and_can_be_sent_again(mailbox: Mailbox) -> None:
    an_alert()
    mailbox.refusal = "451 Try later"
    now = timezone.now()
    for day in range(12):
        with time_machine.travel(now + timedelta(days=day)):
            sent()
    message = OutboxMessage.objects.get()
    assert (message.state, message.attempts) == (MessageState.DEAD, len(channel_messages.SPACING) + 1)
    mailbox.refusal = ""
    assert send_again(OutboxMessage.objects.filter(pk=message.pk)) == 1
    assert sent() == 1


def test_a_dead_server_delays_no_other(receiver: ReceivingServer) -> None:
    rule = a_rule()
    a_channel(rule, address="json://127.0.0.1:9/nobody-listens")
    a_channel(rule, address=receiver.address)
    delivered(news())
    raised()
    assert sent() == 1
    assert len(receiver.bodies) == 1


def test_one_that_fails_is_left_alone_until_its_next_try(mailbox: Mailbox) -> None:
    a_channel(a_rule())
    delivered(news(), news(duns="150483782"))
    raised()
    mailbox.refusal = "451 Try later"
    sent()
    assert SendAttempt.objects.count() == 1


def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_alert()
    with monkeypatch.context() as patched:
        patched.setattr(queue, "_mark_sent", _broken)
        with pytest.raises(RuntimeError):
            sent()
    assert sent() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert sent() == 1
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_of_two_that_want_to_send_one_does(mailbox: Mailbox) -> None:
    an_alert()
    first, second = OutboxMessage.objects.get(), OutboxMessage.objects.get()
    assert queue.claim(first)
    assert not queue.claim(second)


def test_channels_that_were_switched_off_deleted_or_unsubscribed_get_nothing(mailbox: Mailbox) -> None:
    channel = an_alert()
    Channel.objects.update(active=False)
    assert sent() == 0
    assert OutboxMessage.objects.get().state == MessageState.DEAD
    channel.delete()
    send_again(OutboxMessage.objects.all())
    sent()
    message = OutboxMessage.objects.get()
    assert (message.state, message.last_error) == (MessageState.CANCELLED, "The channel was deleted.")
    assert not mailbox.mails


def test_messages_of_a_channel_that_a_user_deletes_are_cancelled_and_not_resent(admin_client: Client) -> None:
    channel = an_alert()
    later = timezone.now() + timedelta(hours=2)
    OutboxMessage.objects.update(attempts=3, last_error="answered 500", next_try_at=later)
    admin_client.post(f"/monitoring/channel/{channel.pk}/delete/", {"post": "yes"})
    message = OutboxMessage.objects.get()
    assert (message.state, message.last_error) == (MessageState.CANCELLED, "The channel was deleted.")
    page = text_of(admin_client.get(f"/monitoring/outboxmessage/{message.pk}/change/"))
    assert "The channel was deleted." in page and "Resend" not in page
    chosen = {"action": "again", "_selected_action": [str(message.pk)]}
    answer = admin_client.post("/monitoring/outboxmessage/", chosen, follow=True)
    assert "Messages to deleted channels cannot be resent." in text_of(answer)
    admin_client.post(f"/monitoring/outboxmessage/{message.pk}/do/resend/")
    message.refresh_from_db()
    assert message.state == MessageState.CANCELLED


def test_taking_an_address_out_of_a_channel_is_warned_of(admin_client: Client) -> None:
    channel = a_channel(address="ann@example.com, bob@example.com")
    path = f"/monitoring/channel/{channel.pk}/change/"
    form = channel_form(address="bob@example.com")
    text = text_of(admin_client.post(path, form, follow=True))
    assert "ann@example.com no longer receives messages from the channel “Mine”." in text
    assert "bob@example.com no longer" not in text
    assert "no longer receives" not in text_of(admin_client.post(path, channel_form(address=""), follow=True))


@pytest.mark.parametrize("way", ["disable", "delete"])
def test_the_rules_that_lose_their_last_channel_are_named(way: str, admin_client: Client) -> None:
    alone, shared = a_rule(name="Alone"), a_rule(name="Shared")
    a_channel(shared)
    channel = a_channel(alone, shared)
    path, form = f"/monitoring/channel/{channel.pk}/", channel_form(address="", active="")
    if way == "delete":
        answer = admin_client.post(f"{path}delete/", {"post": "yes"}, follow=True)
    else:
        answer = admin_client.post(f"{path}change/", form, follow=True)
    assert "No channel delivers the alerts of these rules any more: Alone." in text_of(answer)


def test_a_message_shows_its_event_company_and_alert_and_is_found_by_day(admin_client: Client) -> None:
    channel = an_alert()
    message = OutboxMessage.objects.get()
    alert = json.loads(message.payload)["alert"]
    path = "/monitoring/outboxmessage/"
    today = timezone.localdate()
    for end in ("from", "to"):
        assert DUNS in text_of(admin_client.get(f"{path}?day_{end}={today}"))
    assert "No matching" in text_of(admin_client.get(f"{path}?day_from={today + timedelta(days=2)}"))
    answer = admin_client.get(f"{path}{message.pk}/change/")
    assert "Message “Alert”" in text_of(answer)
    html = answer.content.decode()
    for link in (f"/monitoring/alert/{alert}/", f"/monitoring/channel/{channel.pk}/", f"/portfolio/company/{DUNS}/"):
        assert link in html
    assert f"?target={channel.pk}" in admin_client.get(f"/monitoring/channel/{channel.pk}/change/").content.decode()
    assert "View messages" in text_of(admin_client.get("/monitoring/channel/"))


def test_a_successful_test_resends_what_failed_before(admin_client: Client, mailbox: Mailbox) -> None:
    channel = an_alert()
    later = timezone.now() + timedelta(hours=2)
    OutboxMessage.objects.update(attempts=3, last_error="answered 500", next_try_at=later)
    answer = admin_client.post(f"/monitoring/channel/{channel.pk}/do/test/", follow=True)
    assert "1 message that failed before is resent now." in text_of(answer)
    assert sent() == 1


# Who hears


def test_the_owner_of_a_company_hears_of_it(mailbox: Mailbox) -> None:
    User.objects.create_user("ann", "ann.owner@example.com")
    owned(DUNS, "ann")
    a_rule()
    delivered(news())
    raised()
    sent()
    assert mailbox.envelopes == [["ann.owner@example.com"]]
    channel = Channel.objects.get()
    assert channel.person is not None
    assert channel.person.username == "ann"
    delivered(news("organization.primaryName", "A", "B"))
    raised()
    assert Channel.objects.count() == 1


def test_an_owner_with_channels_of_their_own_hears_there() -> None:
    person = User.objects.create_user("ann", "ann.owner@example.com")
    channel = a_channel(person=person, address="elsewhere@example.com")
    owned(DUNS, "ann.owner@example.com")
    a_rule()
    delivered(news())
    raised()
    assert [row.target for row in OutboxMessage.objects.all()] == [channel.pk]


def test_users_whom_a_rule_names_hear_of_what_they_may_view(mailbox: Mailbox) -> None:
    a_person("ann")
    User.objects.create_user("bob", "bob@example.com")
    a_unit("Credit", two(), people=[a_person("eve")])
    User.objects.filter(username="ann").update(sees_all=True)
    rule = a_rule(notify_users="ann,bob,eve,gone")
    delivered(news())
    raised()
    sent()
    assert mailbox.envelopes == [["ann@example.com"]]
    assert rule.name not in unnotified()["rules"]


def test_an_owner_who_is_no_user_but_a_mail_address_gets_mail(mailbox: Mailbox) -> None:
    owned(DUNS, "supplier-desk@example.com")
    a_rule()
    delivered(news())
    raised()
    assert sent() == 0, "whoever reads there is asked first"
    assert mailbox.header("Subject") == "Confirm your D&B Monitoring alerts"
    said_yes("supplier-desk@example.com")
    assert sent() == 1
    assert mailbox.envelopes == [["supplier-desk@example.com"]] * 2
    assert "Out of business" in mailbox.part("plain")


def test_an_owner_who_cannot_be_reached_and_a_rule_that_does_not_tell_them() -> None:
    owned(DUNS, "Purchasing department")
    a_rule()
    delivered(news())
    raised()
    AlertRule.objects.all().delete()
    owned("150483782", "desk@example.com")
    a_rule(notify_owner=False)
    delivered(news(duns="150483782"))
    raised()
    assert not OutboxMessage.objects.exists()


def owned(duns: str, owner: str) -> None:
    registration = a_registration()
    delivered(a_seed(duns, delivered=now_stamp(days=-1)))
    key = Subject.key(registration.pk, duns)
    Subject.objects.create(id=key, registration=registration, company_id=duns, owner=owner)


def test_a_channel_may_want_the_heavier_ones_only() -> None:
    a_channel(a_rule(severity=Severity.MEDIUM), min_severity=Severity.HIGH)
    delivered(news())
    raised()
    assert not OutboxMessage.objects.exists()


def test_what_grows_is_told_with_what_is_new_about_it(mailbox: Mailbox) -> None:
    a_channel(a_rule())
    delivered(news())
    raised()
    sent()
    delivered(news(BANKRUPTCY, False, True))
    raised()
    sent()
    assert "open bankruptcy no → yes" in mailbox.header("Subject", 1)
    assert "operating status" not in mailbox.part("plain", 1)


def test_a_summary_waits_for_more_and_tells_all_at_once(mailbox: Mailbox) -> None:
    a_channel(a_rule(elements=STATUS, conditions="becomes 403"))
    for number in range(3):
        delivered(a_seed(f"10000000{number}", dunsControlStatus={"operatingStatus": OUT}))
        raised()
    assert sent() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert sent() == 1
    assert "3 new companies in ACME_LOD_01: 3 × Out of business" in mailbox.header("Subject")
    assert MOST_AN_HOUR == 100


def test_quiet_hours_put_off_until_their_end() -> None:
    rule = a_rule(quiet_from=time(22), quiet_until=time(7), quiet_zone="Europe/Berlin")
    berlin_evening = datetime(2026, 1, 7, 22, 30, tzinfo=UTC)
    assert after_quiet_hours(rule, berlin_evening) == datetime(2026, 1, 8, 6, tzinfo=UTC)
    assert after_quiet_hours(rule, berlin_evening + timedelta(hours=6)) == datetime(2026, 1, 8, 6, tzinfo=UTC)
    noon = datetime(2026, 1, 7, 12, tzinfo=UTC)
    assert after_quiet_hours(rule, noon) == noon
    by_day = a_rule(quiet_from=time(9), quiet_until=time(17))
    assert after_quiet_hours(by_day, noon) == datetime(2026, 1, 7, 17, tzinfo=UTC)


# Notices of the portfolio


def test_notices_go_to_the_channels_that_want_them_once(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(notices=True)
    a_channel(address="other@example.com")
    a_channel(address="new@example.com", notices=True, created_at=timezone.now() + timedelta(hours=1))
    notify(kind="cap", subject="The cap is near", text="98 of 100.", url="/portfolio/contract/", key="1")
    monkeypatch.setattr(queue, "TARGETS_AT_ONCE", 1)
    assert send_due() == 1
    assert send_due() == 0
    assert mailbox.header("Subject") == "The cap is near"
    assert "View details: http://localhost:8000/portfolio/contract/" in mailbox.part("plain")


def test_a_new_notice_waits_for_no_older_ones(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(notices=True)
    monkeypatch.setattr(routing, "MOST_NOTICES", 2)
    for number in range(4):
        notify(kind="cap", subject=f"Notice {number}", text="x", key=str(number))
        assert send_due() == 1
    assert [mailbox.header("Subject", number) for number in range(4)] == [f"Notice {number}" for number in range(4)]


# Addresses and their secrets


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Enter an email address"),
        ("ann", "Enter an email address"),
        ("ann@example.com, bob@nowhere", "Address 2, “bob@nowhere”"),
        ("slack://too-short", "slack:// addresses are not supported"),
        ("nosuchthing://abc", "nosuchthing:// addresses are not supported"),
        (" ".join(f"a{number}@example.com" for number in range(21)), "at most 20"),
        ("json://" + "x" * 2000, "at most 2,000 characters"),
    ],
)
def test_an_address_with_a_mistake_is_refused_in_words(address: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        check_address(address)


def test_what_stands_in_the_database_opens_no_door() -> None:
    address = "json://ann:very-secret@example.com/hook-with-a-token"
    channel = a_channel(address=address)
    row = json.dumps(Channel.objects.filter(pk=channel.pk).values().get(), default=str)
    assert "very-secret" not in row
    assert "hook-with" not in row
    assert address_of(channel) == address
    assert display_address_of(address) == "JSON: json://…"


def test_a_changed_secret_key_is_said_and_not_a_crash(settings: Any) -> None:
    channel = a_channel()
    settings.SECRET_KEY = "another " * 10
    assert (
        send_test(channel) == "The address cannot be read because the secret key was changed. Enter the address again."
    )


def test_no_secret_reaches_logs_attempts_or_errors(
    receiver: ReceivingServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.status = 401
    channel = an_alert(address=receiver.address)
    sent()
    dead = a_channel(address="json://127.0.0.1:9/hook-with-a-token")
    assert send_test(dead)
    rows: list[object] = [OutboxMessage.objects.values().get(), SendAttempt.objects.values().get()]
    rows += Channel.objects.values("last_error", "display_address", "name")
    out, err = capfd.readouterr()
    for text in (json.dumps(rows, default=str), caplog.text, out, err):
        assert "very-secret" not in text
        assert "hook-with" not in text
    assert channel.pk


def test_the_test_button_says_how_it_went(mailbox: Mailbox) -> None:
    channel = a_channel()
    assert send_test(channel) == ""
    assert mailbox.header("Subject") == "Test message for channel “Mail”"
    mailbox.refusal = "550 No such user"
    assert send_test(channel) == "The email server responded with code 550."


# Unsubscribing


def test_the_unsubscribe_link_works_without_login(mailbox: Mailbox, client: Client) -> None:
    channel = an_alert()
    sent()
    path = mailbox.header("List-Unsubscribe").strip("<>").removeprefix("http://localhost:8000")
    assert mailbox.mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert client.get(path).status_code == 200
    channel.refresh_from_db()
    assert channel.unsubscribed_at is None, (
        "looking at the page is not enough: mail programs follow links by themselves"
    )
    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    channel.refresh_from_db()
    assert channel.unsubscribed_at is not None


def test_a_forged_link_unsubscribes_nobody(client: Client) -> None:
    channel = a_channel()
    token = unsubscribe_link(channel).rstrip("/").rsplit("/", 1)[-1]
    assert channel_of_token(token) == channel
    assert channel_of_token(token[:-2] + "xx") is None
    assert client.post(f"/monitoring/channel/unsubscribe/{token[:-2]}xx/").status_code == 404
    channel.refresh_from_db()
    assert channel.unsubscribed_at is None


# Where messages may go


SLACK, OWN_HOST = "https://hooks.slack.com/services/T0/B0/key", "jsons://example.com/hook"


def a_person(name: str = "ann", *, may_manage: bool = False, **fields: Any) -> User:
    person = User.objects.create_user(name, f"{name}@example.com", is_staff=True, **fields)
    names = ["view_alert", *(["change_channel"] if may_manage else [])]
    person.user_permissions.set(Permission.objects.filter(codename__in=names))
    return person


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        (SLACK, ""),
        ("ann@example.com", ""),
        ("bob@example.org", ""),
        ("bob@mail.example.net", ""),
        ("bob@elsewhere.example", "not to bob@elsewhere.example"),
        ("bob@example.org, eve@elsewhere.example", "not to eve@elsewhere.example"),
        (OWN_HOST, "permission to manage channels"),
        ("mailto://user:password@smtp.example.com", "This address is not supported"),
        ("json://example.com/?method=DELETE", "This address is not supported"),
    ],
)
def test_where_a_channel_may_lead(settings: Any, address: str, refused: str) -> None:
    settings.MAIL_DOMAINS = ["example.org", ".example.net"]
    person = a_person()
    assert refused in why_not_there(address, person)
    assert bool(refused) == bool(why_not_there(address, person))


def test_a_host_of_ones_own_is_for_who_may_manage_channels() -> None:
    assert why_not_there(OWN_HOST, None) == ""
    assert why_not_there(OWN_HOST, a_person(may_manage=True)) == ""
    assert why_not_there(OWN_HOST, a_person("bob")) != ""


def test_what_is_refused_by_now_is_kept_and_gets_nothing(receiver: ReceivingServer) -> None:
    channel = an_alert(address=receiver.address, person=a_person())
    assert sent() == 0
    assert receiver.bodies == []
    assert "permission to manage channels" in OutboxMessage.objects.get().last_error
    (finding,) = addresses.channels()
    assert "the channel Mail (owner: ann)" in finding.what
    assert status_of(channel, [], Reach.read())[0] == "Disabled"


def test_doctor_names_a_shared_channel_that_leads_into_our_own_network(settings: Any) -> None:
    """What it is sent to is looked at when it is sent; until then its page says that it works."""
    a_channel(name="Old", address="jsons://10.1.2.3/hook")
    settings.PRIVATE_HOSTS = []
    (finding,) = addresses.channels()
    assert finding.what.startswith("The channel Old leads to 10.1.2.3, which is in your own network")
    settings.PRIVATE_HOSTS = ["10.1.2.3"]
    assert list(addresses.channels()) == []


@pytest.mark.parametrize("frequency", ["at_once", "daily"])
def test_the_channel_of_somebody_who_was_deactivated_gets_nothing(mailbox: Mailbox, frequency: str) -> None:
    due = timezone.now() + timedelta(minutes=1) if frequency == "daily" else None
    an_alert(person=a_person(), frequency=frequency, next_digest_at=due)
    User.objects.update(is_active=False)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        send_digests()
        assert sent() == 0
    assert (OutboxMessage.objects.get().state, mailbox.mails) == (MessageState.DEAD, [])
    assert send_test(Channel.objects.get()) == "ann was deactivated."


def test_somebody_who_was_deactivated_gets_nothing_through_others(mailbox: Mailbox) -> None:
    a_person(is_active=False)
    an_alert(address="ANN@example.com, bob@example.com")
    sent()
    assert mailbox.envelopes == [["bob@example.com"]]
    channel = a_channel(address="ann@example.com")
    assert send_test(channel) == "All recipients were deactivated."


def test_whoever_reads_at_an_address_is_asked_once_a_day_and_says_yes(
    mailbox: Mailbox, client: Client, admin_client: Client
) -> None:
    form = {
        "name": "Desk\r\nBcc: x",
        "address": "desk@example.com",
        "active": "on",
        "min_severity": "1",
        "frequency": "at_once",
    }
    page = admin_client.post("/monitoring/channel/add/", {**form, "digest_day": "0"}, follow=True).text
    assert "Waiting for desk@example.com" in page and "Channel “Desk Bcc: x” added." in page
    assert "Send test message" in page, "it is offered right after saving"
    channel = Channel.objects.get()
    assert (channel.name, channel.last_error) == ("Desk Bcc: x", waits_for(["desk@example.com"]))
    assert "Waiting for" in send_test(channel)
    assert mailbox.envelopes == [["desk@example.com"]], "asked once"
    (path,) = re.findall(r"http://localhost:8000(/\S+)", mailbox.part("plain"))
    client.get(path)
    assert "Waiting for" in send_test(channel), "following the link is not enough"
    assert client.post(path).status_code == 200
    channel.refresh_from_db()
    assert (send_test(channel), channel.last_error) == ("", "")
    assert client.get(path[:-3] + "x/").status_code == 404


def test_the_confirmation_email_is_sent_again_with_a_button(mailbox: Mailbox, admin_client: Client) -> None:
    channel = a_channel()
    MailAddress.objects.all().delete()
    page = f"/monitoring/channel/{channel.pk}/"
    assert "Resend confirmation email" in admin_client.get(f"{page}change/").text
    assert "Confirmation email sent to ann@example.com." in admin_client.post(f"{page}do/ask/", follow=True).text
    again = admin_client.post(f"{page}do/ask/", follow=True).text
    assert "each address receives at most one confirmation email per day" in again
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        assert "Confirmation email sent to" in admin_client.post(f"{page}do/ask/", follow=True).text
    assert mailbox.envelopes == [["ann@example.com"]] * 2
    said_yes("ann@example.com")
    assert "All recipients have confirmed." in admin_client.post(f"{page}do/ask/", follow=True).text
    assert "Resend confirmation email" not in admin_client.get(f"{page}change/").text


def test_a_confirmation_email_that_did_not_leave_is_sent_again_the_same_day(
    mailbox: Mailbox, admin_client: Client, settings: Any
) -> None:
    channel = a_channel()
    MailAddress.objects.all().delete()
    page, port = f"/monitoring/channel/{channel.pk}/do/ask/", settings.EMAIL_PORT
    settings.EMAIL_PORT = free_port()
    assert "could not be reached" in admin_client.post(page, follow=True).text
    settings.EMAIL_PORT = port
    assert "Confirmation email sent to" in admin_client.post(page, follow=True).text


def test_a_question_without_an_answer_is_not_asked_for_ever(mailbox: Mailbox) -> None:
    channel = a_channel()
    MailAddress.objects.all().delete()
    now = timezone.now()
    for day in range(6):
        with time_machine.travel(now + timedelta(days=day, minutes=day)):
            send_test(channel)
    assert len(mailbox.mails) == ASKED_AT_MOST


def test_one_person_has_so_many_tests_an_hour(mailbox: Mailbox, admin_client: Client) -> None:
    channel = a_channel()
    for _ in range(ACTS_AN_HOUR + 2):
        answer = admin_client.post(f"/monitoring/channel/{channel.pk}/do/test/", follow=True)
    assert "You can send at most 10 tests per hour" in answer.text
    get_user_model().objects.update(username="another-name")
    admin_client.post(f"/monitoring/channel/{channel.pk}/do/test/", follow=True)
    assert len(mailbox.mails) == ACTS_AN_HOUR, "a new name begins no new hour"


def test_a_name_with_two_lines_is_sent_on_one(mailbox: Mailbox) -> None:
    channel = a_channel(name="Desk\r\nBcc: eve@example.com")
    assert send_test(channel) == ""
    assert mailbox.header("Subject") == "Test message for channel “Desk Bcc: eve@example.com”"
    assert mailbox.envelopes == [["ann@example.com"]]


# Services


@pytest.mark.parametrize(
    ("address", "service", "url", "is_any_host"),
    [
        (SLACK, "Slack", SLACK, False),
        ("slack://T0/B0/key", "Slack", SLACK, False),
        ("https://prod-1.uk.logic.azure.com:443/workflows/a?sig=b", "Microsoft Teams", None, False),
        ("https://chat.googleapis.com/v1/spaces/A/messages?key=b&token=c", "Google Chat", None, False),
        ("https://discord.com/api/webhooks/1/key", "Discord", None, False),
        ("tgram://123:abc/-100", "Telegram", "https://api.telegram.org/bot123:abc/sendMessage", False),
        ("https://webexapis.com/v1/webhooks/incoming/key", "Webex", None, False),
        ("https://ntfy.sh/topic", "ntfy", "https://ntfy.sh/", False),
        ("ntfys://ann:pass@ntfy.example.com/topic", "ntfy", "https://ntfy.example.com/", True),
        ("mmosts://chat.example.com:8443/key", "Mattermost", "https://chat.example.com:8443/hooks/key", True),
        ("rockets://a/b@chat.example.com", "Rocket.Chat", "https://chat.example.com/hooks/a/b", True),
        ("jsons://example.com/hook", "JSON", "https://example.com/hook", True),
        ("https://example.com/hook?key=a", "JSON", None, True),
        ("https://evil.example/.logic.azure.com/x", "JSON", None, True),
    ],
)
def test_services_and_where_they_are(address: str, service: str, url: str | None, is_any_host: bool) -> None:
    chat = chat_of(address)
    assert chat
    assert (chat.service, chat.url, chat.is_any_host) == (service, url or address, is_any_host)
    assert "Acme" in json.dumps(chat.body("Acme", "text"))


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1:80/?method=DELETE&+Authorization=x&:Image=y", "workflow://host/a/b?template=/etc/passwd",
        "mailto://user:pass@example.com?smtp=127.0.0.1", "https://a.logic.azure.com@evil.example/x", "file:///etc/passwd",
        "https://evil.example#.logic.azure.com/x", "slack://T0/B0/key?template=x", "https://example.com/a b", "ftp://a/b",
        "syslog://127.0.0.1", "dbus://", "https://evil.example\\.logic.azure.com/x",
    ],
)  # fmt: skip
def test_nothing_else_is_an_address(address: str) -> None:
    assert chat_of(address) is None


def test_no_name_calls_a_whole_channel() -> None:
    chat = chat_of(SLACK)
    assert chat
    assert chat.body("<!channel>", "a & b") == {"text": "*&lt;!channel&gt;*\na &amp; b"}


def test_a_channel_says_when_no_email_leaves_this_machine(admin_client: Client, settings: Any) -> None:
    page = "/monitoring/channel/add/"
    assert "No email server is set up" not in admin_client.get(page).text
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "No email server is set up" in admin_client.get(page).text


def test_without_an_email_server_a_channel_names_the_reason_first(admin_client: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    channel = a_channel(address="team@example.com")
    MailAddress.objects.all().delete()
    page = f"/monitoring/channel/{channel.pk}/"
    text = admin_client.get(f"{page}change/").text
    assert "team@example.com cannot confirm or receive emails, because no email server is set up." in text
    assert "/help/operate/configuration.md#data-and-email" in text and "Ask your administrator" not in text
    assert "Send test message" not in text and "Resend confirmation email" not in text and "/confirm/" not in text
    for action in ("test", "ask"):
        text = admin_client.post(f"{page}do/{action}/", follow=True).text
        assert "Test message sent" not in text and "Set EMAIL_URL in the settings file" in text


def test_whoever_was_asked_without_a_server_is_asked_when_there_is_one(admin_client: Client, settings: Any) -> None:
    server, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "django.core.mail.backends.dummy.EmailBackend"
    page = admin_client.post("/monitoring/channel/add/", channel_form(address="team@example.com"), follow=True)
    assert [(one.level_tag, str(one)[:44]) for one in page.context["messages"]] == [
        ("warning", "The channel is saved, but receives nothing. ")
    ]
    settings.EMAIL_BACKEND = server
    text = admin_client.post(f"/monitoring/channel/{Channel.objects.get().pk}/do/ask/", follow=True).text
    assert "Confirmation email sent to team@example.com." in text


def test_a_test_to_an_address_that_waits_is_not_sent(mailbox: Mailbox, admin_client: Client) -> None:
    channel = a_channel()
    MailAddress.objects.all().delete()
    page = admin_client.post(f"/monitoring/channel/{channel.pk}/do/test/", follow=True)
    assert "The test message was not sent: the address is not confirmed yet." in page.text
    assert text_of(page).count("Waiting for ann@example.com to confirm.") == 1
    assert 'class="dm-button">Send test message' in page.text
