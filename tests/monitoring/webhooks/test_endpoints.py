"""Webhooks: signed messages for whoever subscribed, in order, under one id, whatever the receiver does."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from standardwebhooks.webhooks import WebhookVerificationError

from core.models import AuditEntry
from core.outbound import connections, http
from monitoring.feed import feed
from monitoring.models import (
    Change,
    MessageState,
    OutboxMessage,
    Publication,
    SendAttempt,
    Severity,
    WebhookEndpoint,
)
from monitoring.outbox import queue
from monitoring.outbox.queue import send_again, send_to
from monitoring.publications.sequence import publish
from monitoring.webhooks import enqueue
from monitoring.webhooks.endpoints import (
    Event,
    changes_missed,
    edit_endpoint,
    emit_events,
    let_go_on,
    message_id,
    resend,
    rotate_secret,
    switch_off,
    switch_on,
    waiting,
)
from monitoring.webhooks.enqueue import queue_changes
from monitoring.webhooks.event_types import EVENT_TYPES, UnknownEventType, patterns_of
from monitoring.webhooks.send import SPACING, send_test
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import an_element
from tests.builders.notifications import a_notice, a_seed, an_update
from tests.builders.registrations import a_registration
from tests.builders.times import stamp
from tests.builders.webhooks import an_endpoint, queue_and_send
from tests.servers.webhook_receivers import Receiver, answering, garbage, receiving, slow

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def may_reach_this_machine(settings: Any) -> None:
    settings.PRIVATE_HOSTS = ["*"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=True) as moving:
        yield moving


def states() -> list[str]:
    return list(OutboxMessage.objects.order_by("sequence", "id").values_list("state", flat=True))


# What is told


def test_a_change_is_sent_as_the_feed_shows_it(receiver: Receiver, program: Any) -> None:
    _, secret = an_endpoint(receiver)
    delivered(an_update())
    assert queue_and_send() == 1
    (got,) = receiver.got
    body = got.verified(secret)
    assert body["type"] == "change.published"
    assert [body["data"]] == program.read("changes/")["results"]
    assert got.headers["content-type"] == "application/json"
    assert got.path == "/hook"


def test_a_registrations_webhook_hears_what_another_published_a_year_before(receiver: Receiver) -> None:
    second = a_registration("ACME_LOD_02")
    with time_machine.travel(timezone.now() - timedelta(days=365)):
        delivered(an_update())
    an_endpoint(receiver, registration=second)
    queue_and_send()
    assert not receiver.got
    for _ in range(2):
        delivered(an_update(), registration=second)
        queue_and_send()
    (got,) = receiver.got
    data = json.loads(got.body)["data"]
    assert (data["verb"], data["registration"]) == ("observed", "ACME_LOD_02")
    assert data["id"] == str(Change.objects.get().pk)


def test_each_entry_of_a_change_is_one_message_and_the_first_has_the_id_of_the_change(receiver: Receiver) -> None:
    full, update = a_registration("FULL", full_product=True), a_registration("UPDATES")
    an_endpoint(receiver, kinds="element")
    delivered(a_seed(primaryName="A", delivered=stamp(days=1)), registration=full)
    delivered(a_seed(primaryName="B", delivered=stamp(days=3)), registration=full)
    name = an_element("organization.primaryName", "A", "B", stamp(days=2))
    delivered(an_update(name, delivered=stamp(days=2)), registration=update)
    WebhookEndpoint.objects.update(cursor=str(feed.Cursor()))
    for _ in range(2):
        queue_and_send()
        # Whoever dies before the cursor moves queues the same again.
        WebhookEndpoint.objects.update(cursor=str(feed.Cursor()))
    told = [(json.loads(got.body)["data"], got.headers["webhook-id"]) for got in receiver.got]
    derived = Change.objects.exclude(derived_from="").get()
    update_ = Change.objects.get(element=name["element"], derived_from="")
    assert sorted((data["id"], data["verb"], data["replaced_by"]) for data, _ in told) == sorted(
        [
            (str(derived.pk), "observed", str(update_.pk)),
            (str(derived.pk), "replaced", str(update_.pk)),
            (str(update_.pk), "observed", None),
        ]
    )
    first = {message_id("change.published", str(row.pk)) for row in (derived, update_)}
    assert {key for data, key in told if data["verb"] == "observed"} == first
    assert len({key for _, key in told}) == 3


def test_numbers_go_out_as_dnb_wrote_them(receiver: Receiver) -> None:
    an_endpoint(receiver)
    raw = json.dumps(an_update(an_element("organization.yearlyRevenue", None, 1))).replace(
        '"current": 1', '"current": 3.0251016094E8'
    )
    delivered(raw)
    queue_and_send()
    assert b'"current":3.0251016094E8' in receiver.got[0].body


def test_an_endpoint_begins_at_the_present_end(receiver: Receiver) -> None:
    delivered(an_update())
    an_endpoint(receiver)
    delivered(a_notice("EXIT"))
    queue_and_send()
    assert [json.loads(one.body)["data"]["kind"] for one in receiver.got] == ["left"]


def test_an_endpoint_begins_where_its_maker_says(receiver: Receiver) -> None:
    delivered(an_update())
    between = timezone.now()
    delivered(a_notice("EXIT"))
    for name, begin in [("all", between - timedelta(days=400)), ("later", between), ("now", None)]:
        an_endpoint(receiver, name=name, begin=begin)
    queue_and_send()
    names = dict(WebhookEndpoint.objects.values_list("pk", "name"))
    told = OutboxMessage.objects.order_by("sequence").values_list("target", "payload")
    found = [(names[target], json.loads(payload)["data"]["kind"]) for target, payload in told]
    assert sorted(found) == [("all", "element"), ("all", "left"), ("later", "left")]


def test_what_hears_of_changes_later_begins_then(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="alert.raised")
    delivered(an_update())
    edit_endpoint(endpoint, by="ann", event_types="alert.raised, change.published")
    delivered(a_notice("EXIT"))
    queue_and_send()
    assert [json.loads(one.body)["data"]["kind"] for one in receiver.got] == ["left"]


def test_what_happened_before_it_was_made_is_not_told(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="*")
    before = endpoint.created_at - timedelta(seconds=1)
    assert (
        emit_events([Event("alert.raised", {}, "1", at=before), Event("alert.raised", {}, "2", at=timezone.now())]) == 1
    )


@pytest.mark.parametrize(
    ("columns", "kinds"),
    [
        ({}, ["element", "element", "deleted"]),
        ({"kinds": "deleted, left"}, ["deleted"]),
        ({"severity": Severity.CRITICAL}, ["deleted"]),
        ({"element": "organization.primaryName"}, ["element"]),
        ({"companies": OTHER}, ["deleted"]),
        ({"countries": "GB"}, ["element", "element"]),
        ({"event_types": "alert.raised"}, []),
        ({"event_types": "*"}, ["element", "element", "deleted"]),
    ],
)
def test_an_endpoint_hears_what_it_subscribed_to(receiver: Receiver, columns: dict[str, Any], kinds: list[str]) -> None:
    delivered(a_seed())
    an_endpoint(receiver, **columns)
    delivered(an_update(an_element(), an_element("organization.registeredName", timestamp=stamp(seconds=1))))
    delivered(a_notice("DELETE", OTHER, delivered=stamp(days=2)))
    queue_and_send()
    assert [json.loads(one.body)["data"]["kind"] for one in receiver.got] == kinds


def test_only_one_registration(receiver: Receiver) -> None:
    an_endpoint(receiver, registration=a_registration("ONE"))
    delivered(an_update(), registration=a_registration("TWO"))
    delivered(a_notice("EXIT"), registration=a_registration("ONE"))
    queue_and_send()
    assert [json.loads(one.body)["data"]["registration"] for one in receiver.got] == ["ONE"]


def test_other_events_once_for_each_key(receiver: Receiver) -> None:
    _, secret = an_endpoint(receiver, event_types="subject.*, alert.raised")
    assert emit_events([Event("subject.requested", {"duns": DUNS}, "1", DUNS)]) == 1
    assert emit_events([Event("subject.requested", {"duns": DUNS}, "1", DUNS)]) == 0
    assert emit_events([Event("import.applied", {}, "1")]) == 0, "nobody wants to hear of it"
    assert emit_events([Event("alert.raised", {"id": "x"}, "1", DUNS)]) == 1
    queue_and_send()
    assert [one.verified(secret)["type"] for one in receiver.got] == ["subject.requested", "alert.raised"]


def test_many_events_keep_their_order(receiver: Receiver) -> None:
    an_endpoint(receiver, event_types="*")
    emit_events([Event("subject.requested", {"n": n}, str(n), DUNS) for n in range(5)])
    emit_events([Event("subject.withdrawn", {"n": 5}, "5", DUNS)])
    queue_and_send()
    assert [json.loads(one.body)["data"]["n"] for one in receiver.got] == [0, 1, 2, 3, 4, 5]


def test_what_was_written_down_wrongly_is_refused() -> None:
    assert patterns_of("change.published, subject.*,*") == ["change.published", "subject.*", "*"]
    with pytest.raises(UnknownEventType, match="change.publishd"):
        patterns_of("change.publishd")


@pytest.mark.parametrize("name", list(EVENT_TYPES))
def test_examples_are_what_the_schemas_say(name: str) -> None:
    Draft202012Validator.check_schema(EVENT_TYPES[name].schema)
    Draft202012Validator(EVENT_TYPES[name].schema).validate(EVENT_TYPES[name].whole_example)


def test_messages_are_what_the_schema_says(receiver: Receiver) -> None:
    an_endpoint(receiver, severity=Severity.NOISE)
    values: list[Any] = [None, 1, "a", [], {"b": 1}, True]
    delivered(a_seed(), *[an_update(an_element(f"organization.e{n}", None, value)) for n, value in enumerate(values)])
    queue_and_send()
    schema = EVENT_TYPES["change.published"].schema
    for got in receiver.got:
        body = json.loads(got.body)
        Draft202012Validator(schema).validate(body)
        assert set(body["data"]) == set(schema["properties"]["data"]["properties"])
    assert len(receiver.got) == 7


# Crashes


def test_what_is_queued_again_after_a_crash_is_the_same(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    an_endpoint(receiver)
    delivered(an_update(), a_notice("EXIT"))
    with monkeypatch.context() as patched:
        patched.setattr(enqueue, "_move", _killed)
        with pytest.raises(KeyboardInterrupt):
            queue_and_send()
    queued = sorted(OutboxMessage.objects.values_list("id", "sequence"))
    assert len(queued) == 2
    delivered(a_notice("UNDELETE", delivered=stamp(days=2)))
    queue_and_send()
    assert set(queued) <= set(OutboxMessage.objects.values_list("id", "sequence"))
    assert len(receiver.ids) == len(set(receiver.ids)) == 3


def _killed(*arguments: Any, **keywords: Any) -> Any:
    raise KeyboardInterrupt


def test_killed_between_sending_and_noting(
    receiver: Receiver, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_endpoint(receiver)
    delivered(an_update())
    with monkeypatch.context() as patched:
        patched.setattr(queue, "_mark_sent", _killed)
        with pytest.raises(KeyboardInterrupt):
            queue_and_send()
    assert states() == ["waiting"]
    assert queue_and_send() == 0, "it may still be under way"
    clock.shift(timedelta(minutes=3))
    assert queue_and_send() == 1
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.got[0].body == receiver.got[1].body


def test_two_readers_at_once_tell_nothing_twice(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, _ = an_endpoint(receiver)
    delivered(an_update(), a_notice("EXIT"))
    stale = WebhookEndpoint.objects.get(pk=endpoint.pk)
    queue_and_send()
    monkeypatch.setattr(enqueue, "active_endpoints", lambda: [stale])
    queue_and_send()
    assert len(receiver.ids) == 2


def test_a_restored_backup_does_not_stop_an_endpoint(receiver: Receiver) -> None:
    an_endpoint(receiver)
    delivered(an_update())
    queue_and_send()
    Publication.objects.all().delete()
    assert queue_and_send() == 0
    publish(delivered(a_notice("EXIT")))
    queue_and_send()
    assert json.loads(receiver.got[-1].body)["data"]["kind"] == "left"


# Receivers


def test_down_for_three_days(clock: time_machine.Traveller) -> None:
    """Every try carries the same id; the tenth is over three days after the first, then it is parked."""
    with receiving() as receiver:
        an_endpoint(receiver)
        receiver.behave = answering(503)
        delivered(an_update())
        for wait in [timedelta(0), *SPACING]:
            clock.shift(wait + timedelta(seconds=1))
            queue_and_send()
    assert len(receiver.got) == len(SPACING) + 1
    assert len(set(receiver.ids)) == 1
    assert sum(SPACING, timedelta()) > timedelta(days=3)
    assert states() == ["dead"]
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.got]
    gaps = [later - earlier for earlier, later in zip(stamps, stamps[1:], strict=False)]
    assert gaps == pytest.approx([wait.total_seconds() + 1 for wait in SPACING], abs=2)


def test_back_after_three_days(receiver: Receiver, clock: time_machine.Traveller) -> None:
    an_endpoint(receiver)
    receiver.behave = answering(500)
    delivered(an_update())
    for wait in [timedelta(0), *SPACING[:-1]]:
        clock.shift(wait + timedelta(seconds=1))
        queue_and_send()
    receiver.behave = answering(204, b"")
    clock.shift(timedelta(hours=23))
    assert queue_and_send() == 0, "not before its time"
    clock.shift(timedelta(hours=2))
    assert queue_and_send() == 1
    assert states() == ["sent"]
    assert len(set(receiver.ids)) == 1


def test_a_company_is_told_in_order_and_others_go_on(receiver: Receiver, clock: time_machine.Traveller) -> None:
    an_endpoint(receiver)
    receiver.behave = answering(500)
    delivered(an_update())
    queue_and_send()
    delivered(a_notice("EXIT"))
    receiver.behave = answering(200)
    delivered(a_notice("EXIT", OTHER))
    queue_and_send()
    assert [json.loads(one.body)["data"]["company"]["duns"] for one in receiver.got] == [DUNS, OTHER]
    clock.shift(timedelta(minutes=6))
    queue_and_send()
    told = [json.loads(one.body)["data"] for one in receiver.got[2:]]
    assert [one["kind"] for one in told] == ["element", "left"]


def test_what_is_parked_lets_the_later_ones_go(receiver: Receiver, clock: time_machine.Traveller) -> None:
    an_endpoint(receiver)
    receiver.behave = answering(500)
    delivered(an_update())
    queue_and_send()
    delivered(a_notice("EXIT"))
    queue_and_send()
    OutboxMessage.objects.filter(attempts=1).update(attempts=len(SPACING))
    clock.shift(timedelta(days=1))
    queue_and_send()
    assert states() == ["dead", "waiting"]
    receiver.behave = answering(200)
    queue_and_send()
    assert states() == ["dead", "sent"]
    assert send_again(OutboxMessage.objects.filter(state=MessageState.DEAD)) == 1
    queue_and_send()
    assert states() == ["sent", "sent"]
    assert receiver.ids[-1] == receiver.ids[0]


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        an_endpoint(receiver)
        receiver.behave = answering(307, b"", Location=elsewhere.url)
        delivered(an_update())
        queue_and_send()
        assert elsewhere.got == []
    attempt = SendAttempt.objects.get()
    assert (attempt.status, attempt.error) == (307, "307: redirects are not followed")
    assert states() == ["waiting"]


def test_gone_switches_off_and_keeps_what_waits(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver)
    receiver.behave = answering(410)
    delivered(an_update())
    delivered(a_notice("EXIT"))
    queue_and_send()
    endpoint.refresh_from_db()
    assert not endpoint.is_active
    assert "410" in endpoint.off_reason
    assert len(receiver.got) == 1
    delivered(a_notice("UNDELETE", delivered=stamp(days=2)))
    assert queue_and_send() == 0
    receiver.behave = answering(200)
    switch_on(endpoint, by="ann")
    queue_and_send()
    assert [json.loads(one.body)["data"]["kind"] for one in receiver.got[1:]] == ["element", "left", "restored"]
    assert AuditEntry.objects.filter(what="webhookendpoint", action__in=["webhook.off", "webhook.on"]).count() == 2


def test_switched_off_by_hand(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver)
    delivered(an_update())
    queue_changes(timezone.now() + timedelta(seconds=9))
    switch_off(endpoint, by="ann", reason="moving house")
    assert queue_and_send() == 0
    assert send_to(endpoint.pk, timezone.now() + timedelta(seconds=9)) == 0
    switch_on(endpoint, by="ann")
    assert queue_and_send() == 1


def test_what_happens_while_it_is_off_is_told_when_it_is_on_again(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="*")
    switch_off(endpoint, by="ann", reason="moving house")
    delivered(an_update())
    emit_events([Event("subject.requested", {"n": 1}, "1", DUNS)])
    emit_events([Event("import.applied", {"n": 2}, "2")])
    assert queue_and_send() == 0
    assert changes_missed(endpoint) == 1
    switch_on(endpoint, by="ann")
    queue_and_send()
    assert [json.loads(one.body)["type"] for one in receiver.got] == [
        "subject.requested",
        "import.applied",
        "change.published",
    ]


def test_or_it_begins_from_now(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="*")
    switch_off(endpoint, by="ann", reason="moving house")
    delivered(an_update())
    emit_events([Event("subject.requested", {"n": 1}, "1", DUNS)])
    switch_on(endpoint, by="ann", from_now=True)
    assert queue_and_send() == 0
    assert OutboxMessage.objects.get().state == MessageState.CANCELLED
    delivered(a_notice("EXIT"))
    assert queue_and_send() == 1


def test_what_was_put_aside_just_when_it_was_switched_on_goes_on(receiver: Receiver) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="*")
    emit_events([Event("subject.requested", {"n": 1}, "1", DUNS)])
    OutboxMessage.objects.update(next_try_at=None)
    assert let_go_on() == 1
    switch_off(endpoint, by="ann", reason="moving house")
    assert let_go_on() == 0
    assert waiting(endpoint).get().next_try_at is None


def test_what_was_queued_in_some_time_is_sent_again(receiver: Receiver, clock: time_machine.Traveller) -> None:
    endpoint, _ = an_endpoint(receiver, event_types="*")
    times = []
    for number in range(4):
        times.append(timezone.now())
        emit_events([Event("subject.requested", {"n": number}, str(number), DUNS)])
        queue_and_send()
        clock.shift(timedelta(hours=1))
    before = list(receiver.ids)
    assert resend(endpoint, since=times[1], until=times[2] + timedelta(minutes=1), by="ann") == 2
    queue_and_send()
    assert receiver.ids == [*before, before[1], before[2]]
    assert "2 messages" in AuditEntry.objects.get(action="webhook.resend").summary


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured_for_all_that_waits(
    receiver: Receiver, clock: time_machine.Traveller, status: int
) -> None:
    an_endpoint(receiver)
    receiver.behave = answering(status, Retry_After="600")
    delivered(an_update(), a_notice("EXIT", OTHER))
    queue_and_send()
    queue_and_send()
    assert len(receiver.got) == 1
    receiver.behave = answering(200)
    delivered(a_notice("EXIT", "123456789"))
    clock.shift(timedelta(minutes=9))
    assert queue_and_send() == 0
    clock.shift(timedelta(minutes=2))
    assert queue_and_send() == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("-7", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999", 86_400),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60),
        ("Mon, 02 Mar 2020 12:01:00 GMT", 0),
        ("Mon, 99 Mar 2020 12:01:00 GMT", None),
        ("７", None),
    ],
)
def test_reading_retry_after(header: str, seconds: float | None) -> None:
    with time_machine.travel(NOON, tick=False):
        assert http.retry_after(header) == seconds


def test_garbage_is_tried_again(receiver: Receiver, clock: time_machine.Traveller) -> None:
    an_endpoint(receiver)
    receiver.behave = garbage
    delivered(an_update())
    queue_and_send()
    assert "not HTTP" in SendAttempt.objects.get().error
    receiver.behave = answering(200, b"\xff\x00 fine")
    clock.shift(timedelta(seconds=10))
    assert queue_and_send() == 1
    assert SendAttempt.objects.filter(status=200).count() == 1


def test_who_answers_byte_by_byte_is_given_up(receiver: Receiver) -> None:
    receiver.behave = slow
    begun = datetime.now(UTC)
    with pytest.raises(connections.NotReached, match="within 0.4 seconds"):
        http.post(receiver.url, b"{}", {}, seconds=0.4)
    assert datetime.now(UTC) - begun < timedelta(seconds=3)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://nowhere.invalid/", "http:///x", "ftp://127.0.0.1/", "http://[::1]:9/"]
)
def test_who_cannot_be_reached(url: str) -> None:
    with pytest.raises(connections.NotReached):
        http.post(url, b"{}", {})


# Private addresses


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433"])
def test_private_addresses_are_refused_unless_a_setting_allows(receiver: Receiver, settings: Any, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    http.post(url, b"{}", {})
    settings.PRIVATE_HOSTS = []
    with pytest.raises(connections.PrivateAddress):
        http.post(url, b"{}", {})
    assert len(receiver.got) == 1


def test_a_name_that_means_something_else_the_second_time(
    receiver: Receiver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked up once, and what was judged is what is connected to."""
    settings.PRIVATE_HOSTS = []
    looked_up: list[str] = []

    def rebinding(host: str, *arguments: Any, **keywords: Any) -> Any:
        looked_up.append(host)
        address = "93.184.216.34" if host == "rebinding.example" and len(looked_up) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (address, 80))]

    connected: list[tuple[str, int]] = []

    def refused(address: tuple[str, int], timeout: float) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(connections, "create_connection", refused)
    with pytest.raises(connections.NotReached):
        http.post("http://rebinding.example/", b"{}", {})
    assert connected == [("93.184.216.34", 80)]


# Secrets


def test_the_secret_is_kept_encrypted(receiver: Receiver) -> None:
    endpoint, secret = an_endpoint(receiver)
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk).values().get()
    assert secret.startswith("whsec_")
    assert secret not in str(row) and secret.removeprefix("whsec_") not in str(row)


def test_rotation_signs_with_both_for_a_while(receiver: Receiver, clock: time_machine.Traveller) -> None:
    endpoint, old = an_endpoint(receiver)
    new = rotate_secret(endpoint, by="ann", overlap=timedelta(hours=1))
    send_test(endpoint)
    (got,) = receiver.got
    assert got.verified(old) == got.verified(new)
    clock.shift(timedelta(hours=2))
    endpoint.refresh_from_db()
    send_test(endpoint)
    assert receiver.got[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.got[1].verified(old)


def test_another_secret_key_is_said_plainly(receiver: Receiver, settings: Any) -> None:
    endpoint, _ = an_endpoint(receiver)
    settings.SECRET_KEY = "another" * 9
    assert "SECRET_KEY was changed" in send_test(endpoint).error
    assert receiver.got == []


# The test button and the log


def test_the_test_button_says_how_it_went(receiver: Receiver) -> None:
    endpoint, secret = an_endpoint(receiver, event_types="alert.raised")
    attempt = send_test(endpoint)
    assert (attempt.status, attempt.response, attempt.error) == (200, "ok", "")
    assert receiver.got[0].verified(secret)["type"] == "webhook.test"
    receiver.behave = answering(401, b"who are you")
    attempt = send_test(endpoint)
    assert (attempt.status, attempt.response, attempt.error) == (401, "who are you", "status 401")
    assert queue_and_send() == 0, "a test is not tried again"


def test_every_try_is_noted(receiver: Receiver, clock: time_machine.Traveller) -> None:
    an_endpoint(receiver)
    delivered(an_update())
    receiver.behave = answering(500, b"x" * 5000)
    queue_and_send()
    clock.shift(timedelta(seconds=10))
    receiver.behave = answering(200)
    queue_and_send()
    found = list(SendAttempt.objects.order_by("at").values_list("status", flat=True))
    assert found == [500, 200]
    assert all(len(text) <= 2000 for text in SendAttempt.objects.values_list("response", flat=True))
