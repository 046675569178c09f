"""One event is one message: whatever rules take it, and however many channels lead to one address."""

import json
import uuid
from datetime import time
from itertools import permutations
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from monitoring.alerts.events import events_of
from monitoring.models import (
    Alert,
    AlertState,
    Channel,
    ConsumerOffset,
    MailAddress,
    OutboxMessage,
    Severity,
)
from monitoring.outbox.queue import send_due_messages
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.deliveries import delivered
from tests.builders.elements import STATUS
from tests.builders.notifications import news
from tests.builders.people import a_person
from tests.builders.rules import a_rule
from tests.builders.times import soon

pytestmark = pytest.mark.django_db
NAME = "organization.primaryName"


def two_rules(**fields: Any) -> list[Any]:
    return [
        a_rule("Any status", elements=STATUS, severity=Severity.HIGH, **fields),
        a_rule("Out of business", elements=STATUS, conditions="becomes 403", **fields),
    ]


def told() -> list[list[str]]:
    """The rules whose alerts each message is about."""
    names = {str(key): name for key, name in Alert.objects.values_list("pk", "rule_name")}
    payloads = [json.loads(row.payload) for row in OutboxMessage.objects.order_by("created_at")]
    return [[names[key] for key in (payload["alert"], *payload.get("others", ()))] for payload in payloads]


def test_alerts_of_two_rules_about_one_change_are_one_message_that_names_both() -> None:
    a_channel(*two_rules())
    delivered(news())
    raised()
    assert Alert.objects.count() == 2
    assert told() == [["Out of business", "Any status"]]
    send_due_messages(soon())
    (message,) = mail.outbox
    assert message.subject.startswith("[Critical] ")
    assert "and 1 more" not in message.subject
    assert "Raised by the rules “Out of business” and “Any status”." in message.body


def test_each_change_is_counted_once_in_it() -> None:
    a_channel(a_rule("Anything"), a_rule("Status", elements=STATUS))
    delivered(news(), news(NAME, "A", "B"))
    raised()
    send_due_messages(soon())
    assert ", and 1 more change" in mail.outbox[0].subject


def test_alerts_about_other_changes_stay_messages_of_their_own() -> None:
    a_channel(a_rule("Status", elements=STATUS), a_rule("Name", elements=NAME))
    delivered(news(), news(NAME, "A", "B"), news(duns="150483782"))
    raised()
    assert sorted(told()) == [["Name"], ["Status"], ["Status"]]


def test_a_channel_is_told_of_the_rules_that_it_takes() -> None:
    any_status, out = two_rules()
    a_channel(any_status, address="ann@example.com")
    a_channel(out, address="bob@example.com")
    a_channel(any_status, out, address="eve@example.com", min_severity=Severity.CRITICAL)
    delivered(news())
    raised()
    assert sorted(told()) == [["Any status"], ["Out of business"], ["Out of business"]]


def test_read_again_after_one_of_the_alerts_was_closed_nothing_is_sent_again() -> None:
    a_channel(*two_rules())
    delivered(news())
    raised()
    for alert in Alert.objects.all():
        Alert.objects.update(state=AlertState.NEW)
        Alert.objects.filter(pk=alert.pk).update(state=AlertState.CLOSED, closed_at=timezone.now())
        ConsumerOffset.objects.update(position=0)
        raised()
    assert OutboxMessage.objects.count() == 1


def test_it_goes_out_when_the_first_of_the_rules_lets_it() -> None:
    quiet = a_rule("Quiet", elements=STATUS, quiet_from=time(0), quiet_until=time(23, 59, 59))
    a_channel(quiet, a_rule("Loud", elements=STATUS))
    delivered(news())
    raised()
    at = OutboxMessage.objects.get().next_try_at
    assert at and at <= timezone.now()


def test_two_channels_with_one_address_send_one_message_about_all_that_either_takes() -> None:
    any_status, out = two_rules()
    a_channel(any_status, address="Ann@example.com")
    a_channel(out, address="ann@example.com")
    delivered(news())
    raised()
    assert told() == [["Out of business", "Any status"]]


def test_two_channels_of_one_chat_room_send_one_message() -> None:
    rule = a_rule()
    for _ in range(2):
        a_channel(rule, address="https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXXXXXX")
    delivered(news())
    raised()
    assert OutboxMessage.objects.count() == 1


def test_who_reads_a_list_of_addresses_too_is_told_once() -> None:
    rule = a_rule()
    everybody = a_channel(rule, address="ann@example.com, bob@example.com")
    a_channel(rule, address="bob@example.com")
    delivered(news())
    raised()
    assert OutboxMessage.objects.get().target == everybody.pk


def test_a_list_is_told_nothing_that_only_one_of_its_readers_takes() -> None:
    any_status, out = two_rules()
    everybody = a_channel(out, address="ann@example.com, bob@example.com")
    own = a_channel(any_status, out, address="bob@example.com")
    delivered(news())
    raised()
    assert set(OutboxMessage.objects.values_list("target", flat=True)) == {everybody.pk, own.pk}


@pytest.mark.parametrize("is_own_first", [True, False])
def test_an_own_channel_is_not_left_out_for_one_that_waits_for_confirmation(is_own_first: bool) -> None:
    person = a_person("monitoring.view_alert", username="ann")
    person.email = "ann@example.com"
    person.save()
    rule = a_rule()
    channels: list[dict[str, Any]] = [{"person": person}, {"address": "ann@example.com, bob@example.com"}]
    for fields in channels if is_own_first else reversed(channels):
        a_channel(rule, **fields)
    MailAddress.objects.filter(address="ann@example.com").delete()
    delivered(news())
    raised()
    targets = set(OutboxMessage.objects.values_list("target", flat=True))
    assert Channel.objects.get(person=person).pk in targets


def test_two_that_wait_for_one_address_send_it_one_message() -> None:
    rule = a_rule()
    for _ in range(2):
        a_channel(rule)
    MailAddress.objects.all().delete()
    delivered(news())
    raised()
    assert OutboxMessage.objects.count() == 1


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_alerts_that_share_changes_by_others_are_one_event(order: tuple[int, ...]) -> None:
    a, b, c, d = (uuid.UUID(int=number) for number in (4, 3, 2, 1))
    changes = {a: [10, 11], b: [11, 12], c: [12], d: [13]}
    alerts = {key: {uuid.UUID(int=number) for number in found} for key, found in changes.items()}
    shuffled = {key: alerts[key] for key in ([a, b, c, d][number] for number in order)}
    assert events_of(shuffled) == {a: c, b: c, c: c, d: d}
