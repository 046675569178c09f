"""Digests: at their time in the reader's zone, each entry once, whoever dies in between."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from core.notices import notify
from dnbmon_site.accounts.models import User
from monitoring.alerts import digests
from monitoring.alerts.digests import next_digest, send_digests
from monitoring.alerts.routing import send_notices
from monitoring.models import AlertRule, Channel, DigestItem, Frequency, OutboxMessage, Weekday
from monitoring.outbox.queue import send_due_messages
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import OTHER
from tests.builders.deliveries import delivered
from tests.builders.notifications import news
from tests.builders.rules import a_rule
from tests.builders.times import soon
from tests.servers.mail_servers import Mailbox

pytestmark = pytest.mark.django_db


def a_digest(*rules: AlertRule, **fields: Any) -> Channel:
    due = timezone.now() + timedelta(hours=1)
    return a_channel(*rules, **{"frequency": Frequency.DAILY, "next_digest_at": due, **fields})


def sent_later(hours: float = 2) -> int:
    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        send_digests()
        return send_due_messages(soon(), at_once=1)


# When


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("UTC", "2026-01-07T07:59", "2026-01-07T08:00"),
        ("UTC", "2026-01-07T08:00", "2026-01-08T08:00"),
        ("Europe/Berlin", "2026-01-07T06:00", "2026-01-07T07:00"),
        ("Europe/Berlin", "2026-07-07T05:00", "2026-07-07T06:00"),
        ("America/New_York", "2026-01-07T12:00", "2026-01-07T13:00"),
        ("Pacific/Auckland", "2026-01-06T18:00", "2026-01-06T19:00"),
        ("Europe/Berlin", "2026-03-28T08:00", "2026-03-29T06:00"),
    ],
)
def test_a_daily_digest_is_due_at_eight_where_the_reader_is(zone: str, after: str, due: str) -> None:
    assert next_digest(Channel(frequency=Frequency.DAILY, zone=zone), at(after)) == at(due)


def test_a_weekly_digest_is_due_on_its_day() -> None:
    channel = Channel(frequency=Frequency.WEEKLY, digest_day=Weekday.FRIDAY, digest_time=time(17, 30))
    assert next_digest(channel, at("2026-01-07T12:00")) == at("2026-01-09T17:30")
    assert next_digest(channel, at("2026-01-09T17:30")) == at("2026-01-16T17:30")


def test_the_persons_zone_counts_where_the_channel_names_none() -> None:
    person = User(username="ann", timezone="Asia/Tokyo")
    assert next_digest(Channel(frequency=Frequency.DAILY, person=person), at("2026-01-07T22:00")) == at(
        "2026-01-07T23:00"
    )


def test_who_hears_at_once_has_no_digest() -> None:
    assert next_digest(Channel(frequency=Frequency.AT_ONCE), timezone.now()) is None


# What


def test_a_digest_tells_what_waited_the_heaviest_first(mailbox: Mailbox) -> None:
    rule = a_rule()
    light = AlertRule.objects.create(name="Names", active=True, elements="primaryName", severity=2)
    a_digest(rule, light, notices=True)
    delivered(news("organization.primaryName", "A", "B", duns=OTHER), news())
    raised()
    notify(kind="cap", subject="The cap is near", text="98 of 100.", key="1")
    send_notices()
    assert not OutboxMessage.objects.exists()
    assert sent_later() == 1
    text = mailbox.part("plain")
    assert mailbox.header("Subject").startswith("3 alerts and 1 notice, ")
    assert "2 critical, 1 medium" in text
    assert text.index("Critical:") < text.index("Medium:") < text.index("The cap is near")
    assert text.count("/monitoring/alert/") == 4, "one link each, and the inbox"
    assert "<html" in mailbox.part("html")


def test_each_entry_comes_once_and_an_empty_digest_not_at_all(mailbox: Mailbox) -> None:
    a_digest(a_rule())
    delivered(news())
    raised()
    assert sent_later(2) == 1
    assert sent_later(30) == 0
    delivered(news(duns=OTHER))
    raised()
    channel = Channel.objects.get()
    assert channel.next_digest_at is not None
    with time_machine.travel(channel.next_digest_at + timedelta(minutes=1)):
        send_digests()
        assert send_due_messages(soon(), at_once=1) == 1
    assert [mailbox.header("Subject", number)[:7] for number in (0, 1)] == ["1 alert", "1 alert"]


def test_what_is_not_due_waits() -> None:
    a_digest(a_rule())
    delivered(news())
    raised()
    assert send_digests() == 0
    assert DigestItem.objects.filter(digest=None).count() == 1


def test_a_channel_that_is_switched_off_gets_no_digest() -> None:
    channel = a_digest(a_rule())
    delivered(news())
    raised()
    Channel.objects.filter(pk=channel.pk).update(unsubscribed_at=timezone.now())
    assert sent_later() == 0
    channel.refresh_from_db()
    assert channel.next_digest_at is not None
    assert channel.next_digest_at > timezone.now() + timedelta(hours=2)


@pytest.mark.parametrize("place", ["enqueue", "next_digest"])
def test_killed_in_between_nothing_is_lost_or_doubled(
    place: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_digest(a_rule())
    delivered(news())
    raised()
    with monkeypatch.context() as patched:
        patched.setattr(digests, place, _dying)
        with pytest.raises(RuntimeError), time_machine.travel(timezone.now() + timedelta(hours=2)):
            send_digests()
    assert sent_later(2) == 1
    assert sent_later(3) == 0
    assert len(mailbox.mails) == 1


def _dying(*args: object) -> object:
    raise RuntimeError("killed")
