"""Channels: over a real mail server and a real receiver; secrets kept, tries noted, nothing sent twice or lost."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from dnbmon_site.models import User
from monitoring import channels, dispatching, telling
from monitoring.addressing import address_of, channel_of_token, check_address, shown, unsubscribe_link
from monitoring.alert_jobs import send_due, wake
from monitoring.alerting import MOST_AN_HOUR
from monitoring.channels import send_test
from monitoring.dispatching import dispatch_due, send_again
from monitoring.models import Alert, AlertRule, Channel, Dispatch, DispatchAttempt, DispatchState, Severity
from monitoring.telling import after_quiet_hours
from portfolio.models import Subject
from portfolio.notices import notify
from tests.builders import DUNS, a_registration, a_seed, delivered
from tests.monitoring.alerts import BANKRUPTCY, OUT, STATUS, a_channel, a_rule, news, now_stamp, raised, soon
from tests.monitoring.sinks import Mailbox, ReceivingServer, a_mail_server, a_receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mail_server() as box:
        yield box


@pytest.fixture
def receiver() -> Iterator[ReceivingServer]:
    with a_receiver() as server:
        yield server


def sent() -> int:
    """In this thread: others do not see what a test has not committed."""
    return dispatch_due(soon(), at_once=1)


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


def test_apprise_sends_to_a_service(receiver: ReceivingServer) -> None:
    an_alert(address=receiver.address)
    assert sent() == 1
    body = receiver.bodies[0]
    assert body["title"].startswith("[Critical] Acme Ltd")
    assert "Open the alert: http://localhost:8000/monitoring/alert/" in body["message"]
    assert "unsubscribe" not in body["message"]


def test_apprise_sends_mail_through_another_server(mailbox: Mailbox) -> None:
    port = mailbox.port  # type: ignore[attr-defined]
    an_alert(address=f"mailto://127.0.0.1:{port}?from=dnb@example.com&to=carl@example.com&mode=insecure")
    assert sent() == 1
    assert "Open the alert" in mailbox.part("html")
    assert "Out of business" in mailbox.part("plain")


def test_hostile_names_stay_text(mailbox: Mailbox) -> None:
    a_channel(a_rule(elements="primaryName"))
    delivered(news("organization.primaryName", "A", "<script>alert(1)</script>\r\nBcc: eve@example.com"))
    raised()
    sent()
    assert "<script>" not in mailbox.part("html")
    assert mailbox.envelopes == [["ann@example.com"]]
    assert mailbox.mails[0]["Bcc"] is None


def test_a_pulled_change_is_on_its_way_when_publishing_wakes_it(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("monitoring.alert_jobs.ask_worker", lambda func, **options: asked.append(func))
    a_channel(a_rule())
    delivered(news())
    wake()
    assert asked == ["monitoring.alert_jobs.send_due"]
    monkeypatch.setattr(dispatching, "TARGETS_AT_ONCE", 1)
    assert send_due() == 1
    wake()
    assert len(asked) == 1


def test_trouble_in_one_step_of_waking_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(a_rule())
    delivered(news())
    raised()
    asked: list[str] = []
    monkeypatch.setattr("monitoring.alert_jobs.ask_worker", lambda func, **options: asked.append(func))
    monkeypatch.setattr("monitoring.alert_jobs.raise_alerts", _broken)
    wake()
    assert asked


def _broken(*args: object) -> object:
    raise RuntimeError("broken")


# Failing, and trying again


def test_a_mail_server_that_refuses_is_tried_again_with_the_same_id(mailbox: Mailbox) -> None:
    an_alert()
    mailbox.refusal = "451 Try later"
    assert sent() == 0
    dispatch = Dispatch.objects.get()
    assert (dispatch.state, dispatch.attempts, dispatch.last_error) == ("waiting", 1, "The mail server says 451.")
    assert sent() == 0
    mailbox.refusal = ""
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sent() == 1
    assert mailbox.mails[0]["Message-ID"] == f"<{dispatch.pk}@dnbmon>"
    dispatch.refresh_from_db()
    assert (dispatch.state, dispatch.attempts, dispatch.last_error) == ("sent", 2, "")
    assert DispatchAttempt.objects.filter(dispatch=dispatch).count() == 2


def test_a_receiver_that_refuses_is_noted_with_its_status(receiver: ReceivingServer) -> None:
    receiver.status = 503
    channel = an_alert(address=receiver.address)
    assert sent() == 0
    attempt = DispatchAttempt.objects.get()
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
    dispatch = Dispatch.objects.get()
    assert (dispatch.state, dispatch.attempts) == (DispatchState.PARKED, len(channels.SPACING) + 1)
    mailbox.refusal = ""
    assert send_again(Dispatch.objects.filter(pk=dispatch.pk)) == 1
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
    assert DispatchAttempt.objects.count() == 1


def test_killed_between_sending_and_noting_it_is_sent_again_under_the_same_id(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_alert()
    with monkeypatch.context() as patched:
        patched.setattr(dispatching, "_mark_sent", _broken)
        with pytest.raises(RuntimeError):
            sent()
    assert sent() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert sent() == 1
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]


def test_of_two_that_want_to_send_one_does(mailbox: Mailbox) -> None:
    an_alert()
    first, second = Dispatch.objects.get(), Dispatch.objects.get()
    assert dispatching.claim(first)
    assert not dispatching.claim(second)


def test_channels_that_were_switched_off_deleted_or_unsubscribed_get_nothing(mailbox: Mailbox) -> None:
    channel = an_alert()
    Channel.objects.update(active=False)
    assert sent() == 0
    assert Dispatch.objects.get().state == DispatchState.PARKED
    channel.delete()
    send_again(Dispatch.objects.all())
    sent()
    assert Dispatch.objects.get().last_error == "The channel was deleted."
    assert not mailbox.mails


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
    assert [row.target for row in Dispatch.objects.all()] == [channel.pk]


def test_an_owner_who_is_no_user_but_a_mail_address_gets_mail(mailbox: Mailbox) -> None:
    owned(DUNS, "supplier-desk@example.com")
    a_rule()
    delivered(news())
    raised()
    sent()
    assert mailbox.envelopes == [["supplier-desk@example.com"]]


def test_an_owner_who_cannot_be_reached_and_a_rule_that_does_not_tell_them() -> None:
    owned(DUNS, "Purchasing department")
    a_rule()
    delivered(news())
    raised()
    AlertRule.objects.all().delete()
    owned("150483782", "desk@example.com")
    a_rule(to_owner=False)
    delivered(news(duns="150483782"))
    raised()
    assert not Dispatch.objects.exists()


def owned(duns: str, owner: str) -> None:
    registration = a_registration()
    delivered(a_seed(duns, delivered=now_stamp(days=-1)))
    key = Subject.key(registration.pk, duns)
    Subject.objects.create(id=key, registration=registration, company_id=duns, owner=owner)


def test_a_channel_may_want_the_heavier_ones_only() -> None:
    a_channel(a_rule(severity=Severity.MEDIUM), minimum=Severity.HIGH)
    delivered(news())
    raised()
    assert not Dispatch.objects.exists()


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
    assert "Of 3 companies added to ACME_LOD_01: 3 × Out of business" in mailbox.header("Subject")
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
    monkeypatch.setattr(dispatching, "TARGETS_AT_ONCE", 1)
    assert send_due() == 1
    assert send_due() == 0
    assert mailbox.header("Subject") == "The cap is near"
    assert "Open it: http://localhost:8000/portfolio/contract/" in mailbox.part("plain")


def test_a_new_notice_waits_for_no_older_ones(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    a_channel(notices=True)
    monkeypatch.setattr(telling, "MOST_NOTICES", 2)
    for number in range(4):
        notify(kind="cap", subject=f"Notice {number}", text="x", key=str(number))
        assert send_due() == 1
    assert [mailbox.header("Subject", number) for number in range(4)] == [f"Notice {number}" for number in range(4)]


# Addresses and their secrets


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Give a mail address"),
        ("ann", "Give a mail address"),
        ("ann@example.com, bob@nowhere", "Address 2, “bob@nowhere”"),
        ("slack://too-short", "no complete address of slack://"),
        ("nosuchthing://abc", "no complete address of nosuchthing://"),
        (" ".join(f"a{number}@example.com" for number in range(21)), "At most 20"),
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
    assert shown(address) == "JSON: json://…"


def test_a_changed_secret_key_is_said_and_not_a_crash(settings: Any) -> None:
    channel = a_channel()
    settings.SECRET_KEY = "another " * 10
    assert send_test(channel) == "The address cannot be read: enter it again, the secret key was changed."


def test_no_secret_reaches_logs_attempts_or_errors(
    receiver: ReceivingServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.status = 401
    channel = an_alert(address=receiver.address)
    sent()
    dead = a_channel(address="json://127.0.0.1:9/hook-with-a-token")
    assert send_test(dead)
    rows: list[object] = [Dispatch.objects.values().get(), DispatchAttempt.objects.values().get()]
    rows += Channel.objects.values("last_error", "shown", "name")
    out, err = capfd.readouterr()
    for text in (json.dumps(rows, default=str), caplog.text, out, err):
        assert "very-secret" not in text
        assert "hook-with" not in text
    assert channel.pk


def test_the_test_button_says_how_it_went(mailbox: Mailbox) -> None:
    channel = a_channel()
    assert send_test(channel) == ""
    assert mailbox.header("Subject") == "Test of the channel “Mail”"
    mailbox.refusal = "550 No such user"
    assert send_test(channel) == "The mail server says 550."


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
