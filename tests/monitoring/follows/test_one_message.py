"""One event is one message a user: whatever they follow, whichever rules and registrations bring it, whoever dies."""

import uuid
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from core.models import Notice
from monitoring.alerts.actions import assign
from monitoring.alerts.digests import send_digests
from monitoring.alerts.facts.reports import OLD_NEWS
from monitoring.follows import consumer, entries, messages
from monitoring.follows.consumer import CONSUMER, notify_followers, notify_from
from monitoring.follows.preferences import pause
from monitoring.jobs import make_digests
from monitoring.models import (
    Alert,
    AlertRule,
    Channel,
    ConsumerOffset,
    DigestItem,
    Follow,
    FollowKind,
    Frequency,
    MessageState,
    NotificationPreference,
    OutboxMessage,
    PersonalEvent,
    Publication,
    TargetKind,
)
from monitoring.outbox.queue import NotSent, send_due_messages
from monitoring.rebuild.rebuild import rebuild
from tests.builders.alerts import raised
from tests.builders.channels import a_channel
from tests.builders.companies import DUNS, OTHER
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS
from tests.builders.follows import a_follow, a_follower, followed, personal_messages, prefers, sent_mails
from tests.builders.notifications import a_seed, a_transfer, news
from tests.builders.registrations import a_registration
from tests.builders.rules import a_rule
from tests.builders.subjects import a_subject
from tests.builders.times import now_stamp, soon
from tests.interleaving import cut_after, interleave, orders_with_two_switches, some_of

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """As SIGKILL: nothing catches it."""


def _dying(*args: object, **kwargs: object) -> Any:
    raise Killed


def a_company_of_many_follows() -> Any:
    AlertRule.objects.update(active=False)
    delivered(a_seed(DUNS, delivered=now_stamp(days=-2), countryISOAlpha2Code="GB"))
    a_subject(DUNS, tags="key", owner="bob")
    person = a_follower()
    for kind, subject in ((FollowKind.COMPANY, DUNS), (FollowKind.COUNTRY, "GB"), (FollowKind.TAG, "key")):
        a_follow(person, kind, subject)
    return person


def test_many_follows_and_two_registrations_are_one_message() -> None:
    a_company_of_many_follows()
    change = news()
    delivered(change, registration=a_registration("ONE"))
    followed()
    delivered(change, registration=a_registration("TWO"))
    (message,) = sent_mails()
    assert message[0] == "bob@example.com"
    assert message[1].startswith("[Critical] Acme Ltd, 804735132")
    assert "You follow: Acme Ltd" in mail.outbox[0].body


def test_what_a_publication_brings_is_one_message() -> None:
    person = a_follower()
    a_follow(person)
    a_follow(person, subject=OTHER)
    delivered(news(), news(duns=OTHER))
    (message,) = sent_mails()
    assert message[1].endswith(", and 1 more change")
    assert DUNS in mail.outbox[0].body and OTHER in mail.outbox[0].body


@pytest.mark.parametrize("way", ["rule", "owner", "shared"])
def test_what_an_alert_sent_to_the_user_is_not_sent_again(way: str) -> None:
    person = a_company_of_many_follows()
    rule = a_rule(elements=STATUS, notify_owner=way == "owner")
    if way == "rule":
        a_channel(rule, person=person, address="bob@example.com")
    if way == "shared":
        a_channel(rule, address="team@example.com, Bob@example.com")
    delivered(news())
    sent_mails()
    assert personal_messages() == []
    assert len(mail.outbox) == 1


def test_what_an_alert_sent_to_others_is_sent() -> None:
    a_company_of_many_follows()
    a_channel(a_rule(elements=STATUS), person=a_follower("eve"), address="eve@example.com")
    delivered(news())
    assert {to for to, _ in sent_mails()} == {"bob@example.com", "eve@example.com"}


def test_what_an_alert_tried_to_send_and_could_not_is_sent() -> None:
    person = a_company_of_many_follows()
    a_channel(a_rule(elements=STATUS), person=person, address="bob@example.com")
    delivered(news())
    raised()
    OutboxMessage.objects.update(state=MessageState.DEAD)
    notify_followers(soon())
    assert len(personal_messages()) == 1


def test_what_was_assigned_while_the_message_waited_is_left_out() -> None:
    person = a_follower()
    a_follow(person, frequency=Frequency.DAILY)
    delivered(news())
    followed()
    (waiting,) = personal_messages()
    assign([Alert.objects.get().pk], to=person, by="ann")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        send_due_messages(soon(), at_once=1)
    assert [one.subject.split(":")[0] for one in mail.outbox] == ["Assigned to you"]
    waiting.refresh_from_db()
    assert waiting.state == MessageState.CANCELLED


def test_what_waits_for_a_digest_of_alerts_is_left_to_it_if_the_follow_may_wait() -> None:
    person = a_follower()
    a_channel(a_rule(elements=STATUS), person=person, address="bob@example.com", frequency=Frequency.DAILY)
    a_follow(person, frequency=Frequency.WEEKLY)
    delivered(news())
    followed()
    assert personal_messages() == [] and DigestItem.objects.filter(digest=None).count() == 1


def test_what_is_followed_immediately_does_not_wait_for_a_digest_which_leaves_it_out() -> None:
    person = a_follower()
    channel = a_channel(a_rule(), person=person, address="bob@example.com", frequency=Frequency.DAILY)
    a_follow(person)
    delivered(news(), news("organization.telephone", [], ["1"]))
    assert len(sent_mails()) == 1
    # All that the entry of the digest says, so that nothing of it is lost.
    assert PersonalEvent.objects.count() == 2
    Channel.objects.filter(pk=channel.pk).update(next_digest_at=timezone.now())
    assert send_digests() == 0


def digest_due(channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(next_digest_at=timezone.now())


@pytest.mark.parametrize("way", ["dead", "paused"])
def test_a_digest_brings_what_was_taken_out_of_it_for_a_message_that_was_not_delivered(way: str) -> None:
    person = a_follower()
    channel = a_channel(a_rule(), person=person, address="bob@example.com", frequency=Frequency.DAILY)
    a_follow(person)
    delivered(news())
    followed()
    digest_due(channel)
    assert make_digests() == 0
    if way == "dead":
        OutboxMessage.objects.update(state=MessageState.DEAD)
    if way == "paused":
        pause(person, "Later.")
        send_due_messages(soon(), at_once=1)
    digest_due(channel)
    assert make_digests() == 1
    digest_due(channel)
    assert make_digests() == 0


def test_the_digest_of_a_shared_channel_keeps_what_one_of_its_readers_gets_immediately() -> None:
    person = a_follower()
    a_channel(a_rule(), address="team@example.com, bob@example.com", frequency=Frequency.DAILY)
    a_follow(person)
    delivered(news())
    assert [to for to, _ in sent_mails()] == ["bob@example.com"]
    assert DigestItem.objects.filter(digest=None).count() == 1


def test_a_reader_of_a_shared_digest_who_follows_in_a_digest_gets_no_other() -> None:
    person = a_follower()
    a_channel(a_rule(), address="team@example.com, bob@example.com", frequency=Frequency.DAILY)
    a_follow(person, frequency=Frequency.DAILY)
    delivered(news())
    followed()
    assert personal_messages() == [] and DigestItem.objects.filter(digest=None).count() == 1


def test_a_digest_that_has_it_already_keeps_it() -> None:
    person = a_follower()
    a_channel(a_rule(), person=person, address="bob@example.com", frequency=Frequency.DAILY)
    a_follow(person)
    delivered(news())
    raised()
    DigestItem.objects.update(digest=uuid.uuid4())
    notify_followers(soon())
    assert personal_messages() == []


def test_a_difference_and_its_update_are_one_message() -> None:
    a_follow(a_follower())
    registration = a_registration("R1", full_product=True)
    for status, hours in ((ACTIVE, -30), (OUT, -10)):
        document = a_seed(DUNS, delivered=now_stamp(hours=hours), dunsControlStatus={"operatingStatus": status})
        delivered(document, registration=registration)
    followed()
    assert len(personal_messages()) == 1
    delivered(news(hours=-20), registration=a_registration("R2"))
    followed()
    assert len(personal_messages()) == 1
    send_due_messages(soon(), at_once=1)
    assert len(mail.outbox) == 1


def test_a_rebuild_sends_nothing() -> None:
    a_follow(a_follower())
    delivered(a_seed(DUNS, delivered=now_stamp(days=-2)), news())
    sent_mails()
    rebuild()
    ConsumerOffset.objects.update(position=0)
    assert len(sent_mails()) == 1


def test_who_reads_from_the_first_publication_sends_no_old_news() -> None:
    """As after a restore of a backup that was made before anybody followed."""
    a_follow(a_follower())
    delivered(news())
    delivered(a_transfer(OTHER, to=DUNS, delivered=now_stamp()))
    a_follow(a_follower("eve"), subject=OTHER)
    with time_machine.travel(timezone.now() + OLD_NEWS + timedelta(minutes=1)):
        followed()
    assert personal_messages() == [] and CONSUMER.position() > 0
    assert {row.subject for row in Follow.objects.all()} == {DUNS, OTHER}


# Whoever dies, and whoever works at the same time


def kept() -> dict[str, set[Any]]:
    messages = OutboxMessage.objects.filter(kind=TargetKind.PERSON)
    return {
        "messages": set(messages.values_list("pk", flat=True)),
        "events": set(PersonalEvent.objects.values_list("pk", "event")),
    }


@pytest.mark.parametrize("step", ["move_entries", "find_matches", "without_sent", "notify_of", "move_to_retained"])
def test_killed_anywhere_nothing_is_lost_or_doubled(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_follow(a_follower("bob"))
    a_follow(a_follower("eve"), frequency=Frequency.DAILY)
    delivered(news())
    with monkeypatch.context() as patched:
        patched.setattr(consumer, step, _dying)
        with pytest.raises(Killed):
            followed()
    followed()
    after = kept()
    assert {name: len(found) for name, found in after.items()} == {"messages": 2, "events": 2}
    ConsumerOffset.objects.update(position=0)
    followed()
    assert kept() == after


@pytest.mark.parametrize("step", ["insert_new", "enqueue", "_begun"])
def test_killed_between_rows_and_messages(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    a_follow(a_follower())
    delivered(news())
    with monkeypatch.context() as patched:
        patched.setattr(entries, step, _dying)
        with pytest.raises(Killed):
            followed()
    assert len(sent_mails()) == 1


def test_it_is_not_read_before_alerts_have_read_it() -> None:
    a_follow(a_follower())
    delivered(news())
    assert notify_followers(soon()) == 0 and CONSUMER.position() == 0
    raised()
    assert notify_followers(soon()) == 1


def read_and_send() -> None:
    notify_from(list(Publication.objects.order_by("sequence")))
    send_due_messages(soon(), at_once=1)


def test_two_processes_send_one_message_in_any_order_of_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    a_follow(a_follower())
    delivered(news(), news(duns=OTHER))
    raised()
    for number, order in enumerate(some_of(orders_with_two_switches(4, 4))):
        PersonalEvent.objects.all().delete()
        OutboxMessage.objects.all().delete()
        mail.outbox.clear()
        with monkeypatch.context() as patched:
            cut_after(patched, *((entries, name) for name in ("insert_new", "enqueue", "_begun")), (messages, "take"))
            interleave(order, read_and_send, read_and_send)
        assert len(mail.outbox) == 1, number


def test_what_comes_after_its_message_was_written_is_in_another_one() -> None:
    person = a_follower()
    a_follow(person, frequency=Frequency.DAILY)
    a_follow(person, subject=OTHER, frequency=Frequency.DAILY)
    delivered(news())
    followed()
    (first,) = personal_messages()
    # Somebody has begun to send it while the next publication is read.
    assert len(entries.take(person.pk, first.event)) == 1
    OutboxMessage.objects.filter(pk=first.pk).update(state=MessageState.SENT, next_try_at=None)
    delivered(news(duns=OTHER))
    followed()
    assert [row.event for row in PersonalEvent.objects.order_by("created_at")] == [first.event, f"{first.event}+"]
    assert len(personal_messages()) == 2


def test_moments_are_what_every_engine_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoDB keeps milliseconds: a moment in memory with more never equals what is read."""
    person = a_follower()
    a_follow(person)
    with time_machine.travel(timezone.now().replace(microsecond=123456), tick=False):
        delivered(news())
        followed()
        rows = list(PersonalEvent.objects.all())
        assert [row.due_at.microsecond for row in rows] == [123000]
        assert [row.due_at.microsecond for row in entries._moved_on(rows)] == [123000]


# When


def at(hour: int, day: int = 4) -> datetime:
    """In 2026 the 4th of November is a Wednesday, and London is at UTC."""
    return datetime(2026, 11, day, hour, 30, tzinfo=timezone.get_fixed_timezone(0))


def test_quiet_hours_hold_messages_until_their_end_and_send_one() -> None:
    person = a_follower(timezone="Europe/London")
    prefers(person, quiet_from=time(20), quiet_until=time(7), own_companies=False)
    a_follow(person)
    for hour in (21, 22):
        with time_machine.travel(at(hour)):
            delivered(news(hours=-1))
            assert sent_mails() == []
    with time_machine.travel(at(6, day=5)):
        assert sent_mails() == []
    with time_machine.travel(at(7, day=5)):
        (message,) = sent_mails()
    assert message[1] == "2 changes to items that you follow, 1 company"


def test_critical_changes_pass_quiet_hours_if_the_user_wants_that() -> None:
    person = a_follower(timezone="Europe/London")
    prefers(person, quiet_from=time(20), quiet_until=time(7), critical_passes=True)
    a_follow(person)
    with time_machine.travel(at(22)):
        delivered(news())
        assert len(sent_mails()) == 1


@pytest.mark.parametrize(("frequency", "day"), [(Frequency.DAILY, 5), (Frequency.WEEKLY, 6)])
def test_digests_come_at_the_hour_of_the_users_zone(frequency: str, day: int) -> None:
    person = a_follower(timezone="Asia/Tokyo")
    prefers(person, digest_time=time(9), digest_day=4)
    a_follow(person, frequency=frequency)
    with time_machine.travel(at(8)):
        delivered(news())
        followed()
    (message,) = personal_messages()
    assert message.next_try_at == datetime(2026, 11, day, 0, tzinfo=timezone.get_fixed_timezone(0))


def test_beyond_a_number_of_messages_an_hour_they_are_one_at_its_end() -> None:
    a_follow(a_follower())
    with time_machine.travel(at(8)) as clock:
        for _ in range(entries.MOST_AN_HOUR + 3):
            clock.shift(timedelta(seconds=10))
            delivered(news())
            followed()
    found = personal_messages()
    assert len(found) == entries.MOST_AN_HOUR + 1
    assert sum(row.next_try_at == at(8) + timedelta(minutes=30) for row in found) == 1


def test_messages_beyond_the_number_wait_for_the_end_of_quiet_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_AN_HOUR", 0)
    person = a_follower(timezone="Europe/London")
    prefers(person, quiet_from=time(20), quiet_until=time(7))
    a_follow(person)
    with time_machine.travel(at(19)):
        delivered(news())
        followed()
    (message,) = personal_messages()
    assert message.next_try_at == at(7, day=5) - timedelta(minutes=30)


# Whether


def test_a_message_says_what_still_holds_when_it_is_sent() -> None:
    person = a_follower()
    a_follow(person, frequency=Frequency.DAILY)
    delivered(news())
    followed()
    type(person).objects.filter(pk=person.pk).update(is_active=False)
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        send_due_messages(soon(), at_once=1)
    assert mail.outbox == []
    assert personal_messages()[0].state == MessageState.CANCELLED


def test_a_channel_of_ones_own_takes_the_place_of_the_address_while_it_is_open() -> None:
    person = a_follower()
    channel = a_channel(person=person, address="elsewhere@example.com")
    prefers(person, channel=channel)
    a_follow(person)
    delivered(news())
    assert [to for to, _ in sent_mails()] == ["elsewhere@example.com"]
    Channel.objects.update(active=False)
    delivered(news(hours=1))
    assert [to for to, _ in sent_mails()] == ["elsewhere@example.com", "bob@example.com"]


def test_messages_that_fail_again_and_again_pause_with_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object) -> Any:
        raise NotSent("The mailbox does not exist.", final=True)

    monkeypatch.setattr(messages, "send", refused)
    person = a_follower()
    a_follow(person)
    for hour in range(3):
        delivered(news(hours=hour))
        sent_mails()
    row = NotificationPreference.objects.get(person=person)
    assert row.paused_at and "The mailbox does not exist." in row.paused_because
    assert Notice.objects.get(kind="paused").subject == "Notifications of bob are paused"
    count = OutboxMessage.objects.count()
    delivered(news(hours=4))
    followed()
    assert OutboxMessage.objects.count() == count
