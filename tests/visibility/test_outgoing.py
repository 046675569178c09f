"""What leaves the site holds what its business unit, and its reader, see at the time of sending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from core.lists.saved_filters import save_filter
from core.models import SavedFilter
from dnbmon_site.accounts.models import User
from monitoring.alerts.digests import send_digests
from monitoring.exports.scheduled import plan, write_now
from monitoring.jobs import process_published
from monitoring.models import (
    Alert,
    AlertRule,
    Channel,
    ExportContent,
    FileFormat,
    Frequency,
    MessageState,
    OutboxMessage,
    PeriodKind,
    ReportRecipient,
    ReportSchedule,
    ScheduledExport,
    Severity,
    WebhookEndpoint,
)
from monitoring.outbox.queue import send_due_messages
from monitoring.reports.periods import last_complete
from monitoring.reports.schedule import queue_period
from monitoring.webhooks.enqueue import queue_changes
from portfolio.models import UnitRegistration
from tests.builders.channels import a_channel
from tests.builders.deliveries import delivered
from tests.builders.elements import ACTIVE, OUT, STATUS, an_element
from tests.builders.notifications import an_update
from tests.builders.times import now_stamp, soon
from tests.builders.webhooks import an_endpoint
from tests.servers.mail_servers import Mailbox, a_mail_server
from tests.servers.webhook_receivers import Receiver, receiving
from tests.visibility.marks import DUNS, MARK, marks_in
from tests.visibility.members import a_person_of
from tests.visibility.world import CITY, OWN, PHONE, SHARED, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with a_mail_server() as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def it_goes_on(world: World) -> None:
    """Each unit is told something more of its own company and of the one that both hold, and a rule takes both."""
    AlertRule.objects.create(name="City", active=True, elements=CITY, severity=Severity.CRITICAL)
    for duns, registration, text, city in ((OWN, world.own, "Aardvane", "Leeds"), (DUNS, world.other, MARK, "York")):
        at = now_stamp()
        delivered(
            an_update(an_element(STATUS, OUT, ACTIVE, now_stamp(seconds=-2)), duns=duns, delivered=at),
            an_update(an_element(STATUS, ACTIVE, OUT, at), duns=duns, delivered=at),
            an_update(an_element(CITY, f"{text} Town", city, at), duns=SHARED, delivered=at),
            registration=registration,
            at=at,
        )


def sent() -> int:
    process_published(timedelta(seconds=30))
    queue_changes(soon())
    return send_due_messages(soon(), at_once=1)


def sent_to(address: str, mailbox: Mailbox) -> str:
    """Everything that can be read."""
    mails = [mail for mail in mailbox.mails if address in str(mail["To"])]
    parts = [part for mail in mails for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(str(mail["Subject"]) for mail in mails), *(part.get_content() for part in parts)])


def leaves_the_unit(world: World) -> None:
    UnitRegistration.objects.filter(unit=world.unit).delete()


# Webhooks


def test_a_webhook_is_sent_the_changes_alerts_and_requests_of_its_unit(world: World, receiver: Receiver) -> None:
    WebhookEndpoint.objects.all().delete()
    an_endpoint(receiver, event_types="*", unit=world.unit)
    it_goes_on(world)
    sent()
    bodies = "\n".join(got.body.decode() for got in receiver.got)
    assert "change.published" in bodies and "alert.raised" in bodies and "Aardvane Town" in bodies
    assert marks_in(bodies, world.keys) == []


def test_a_fact_that_two_of_its_registrations_report_is_one_event(world: World, receiver: Receiver) -> None:
    WebhookEndpoint.objects.all().delete()
    UnitRegistration.objects.create(
        id=UnitRegistration.key(world.unit.pk, world.other.pk), unit=world.unit, registration=world.other
    )
    an_endpoint(receiver, unit=world.unit)
    at = now_stamp()
    for registration in (world.own, world.other):
        update = an_update(an_element(PHONE, "5555550100", "5555550199", at), duns=SHARED, delivered=at)
        delivered(update, registration=registration, at=at)
    sent()
    assert [PHONE in got.body.decode() for got in receiver.got] == [True]


def test_what_waits_is_not_sent_once_the_unit_no_longer_sees_it(world: World, receiver: Receiver) -> None:
    WebhookEndpoint.objects.all().delete()
    an_endpoint(receiver, event_types="*", unit=world.unit)
    it_goes_on(world)
    process_published(timedelta(seconds=30))
    queue_changes(soon())
    waiting = OutboxMessage.objects.filter(state=MessageState.WAITING, event_type="change.published").count()
    leaves_the_unit(world)
    send_due_messages(soon(), at_once=1)
    assert waiting > 1 and receiver.got == []
    assert OutboxMessage.objects.filter(state=MessageState.CANCELLED, event_type="change.published").count() == waiting


# Channels


def test_a_channel_is_sent_the_alerts_of_its_unit(world: World, mailbox: Mailbox) -> None:
    Channel.objects.all().delete()
    a_channel(address="own@example.com", all_rules=True, unit=world.unit)
    it_goes_on(world)
    sent()
    text = sent_to("own@example.com", mailbox)
    assert "Aardvane Town" in text and marks_in(text, world.keys) == []


def test_a_personal_channel_is_sent_what_the_person_sees(world: World, mailbox: Mailbox) -> None:
    Channel.objects.all().delete()
    amy = a_person_of(world.unit)
    a_channel(*AlertRule.objects.filter(unit=None), address="amy@example.com", person=amy)
    it_goes_on(world)
    sent()
    text = sent_to("amy@example.com", mailbox)
    assert "Aardvane" in text and marks_in(text, world.keys) == []


def test_an_owner_who_is_no_user_is_sent_what_the_registration_reports_that_names_them(
    world: World, mailbox: Mailbox
) -> None:
    """Both units hold the company; the owner stands in the list of the other one."""
    Channel.objects.all().delete()
    it_goes_on(world)
    sent()
    text = sent_to(f"{MARK}@example.com", mailbox)
    assert f"{MARK} Town" in text and "Aardvane" not in text


def test_a_message_is_not_sent_once_its_reader_no_longer_sees_the_alert(world: World, mailbox: Mailbox) -> None:
    Channel.objects.all().delete()
    a_channel(address="own@example.com", all_rules=True, unit=world.unit)
    it_goes_on(world)
    process_published(timedelta(seconds=30))
    assert OutboxMessage.objects.filter(state=MessageState.WAITING).count() > 1
    leaves_the_unit(world)
    send_due_messages(soon(), at_once=1)
    assert sent_to("own@example.com", mailbox) == ""


def test_a_digest_holds_what_the_unit_sees_when_it_is_made(world: World, mailbox: Mailbox) -> None:
    Channel.objects.all().delete()
    due = {"frequency": Frequency.DAILY, "next_digest_at": timezone.now() + timedelta(hours=1)}
    a_channel(address="all@example.com", all_rules=True, **due)
    a_channel(address="own@example.com", all_rules=True, unit=world.unit, **due)
    it_goes_on(world)
    process_published(timedelta(seconds=30))
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        send_digests()
        send_due_messages(soon(), at_once=1)
    own, every = sent_to("own@example.com", mailbox), sent_to("all@example.com", mailbox)
    assert "Aardvane Town" in own and marks_in(own, world.keys) == []
    assert marks_in(every), "who sees everything is sent it"


def test_a_rule_of_a_unit_takes_what_the_unit_was_told(world: World) -> None:
    AlertRule.objects.all().delete()
    rule = AlertRule.objects.create(name="Own", active=True, elements=CITY, unit=world.unit)
    it_goes_on(world)
    process_published(timedelta(seconds=30))
    alert = Alert.objects.get(rule=rule)
    assert alert.registration == world.own and "Aardvane" in alert.title


# Reports


def test_a_report_counts_what_its_unit_and_its_reader_see(world: World, mailbox: Mailbox) -> None:
    ReportSchedule.objects.all().delete()
    amy = a_person_of(world.unit)
    User.objects.filter(pk=amy.pk).update(email="amy@example.com")
    boss = User.objects.create_superuser("boss", "boss@example.com")
    for unit, person in ((world.unit, boss), (None, amy)):
        schedule = ReportSchedule.objects.create(name=f"For {person}", unit=unit)
        ReportRecipient.objects.create(schedule=schedule, person=person)
        with time_machine.travel(timezone.now() + timedelta(days=7)):
            queue_period(schedule, last_complete(PeriodKind.WEEK, timezone.now()))
    with time_machine.travel(timezone.now() + timedelta(days=7, hours=1)):
        send_due_messages(soon(), at_once=1)
    for reader in ("boss@example.com", "amy@example.com"):
        text = sent_to(reader, mailbox)
        assert "AARDVANE_REG" in text and marks_in(text, world.keys) == []


# Scheduled exports


def an_export(**columns: Any) -> ScheduledExport:
    usual = {"name": "ours", "at": timezone.now().time(), "format": FileFormat.JSON_LINES}
    export = ScheduledExport(**{**usual, **columns})
    plan(export)
    export.save(force_insert=True)
    return export


def written(export: ScheduledExport, settings: Any) -> str:
    assert write_now(export), export.error
    return (Path(settings.EXPORT_FOLDER) / export.file_name).read_text()


@pytest.mark.parametrize("form", [FileFormat.JSON_LINES, FileFormat.CSV])
def test_an_export_holds_what_its_unit_sees(world: World, settings: Any, form: str) -> None:
    changes = an_export(unit=world.unit, format=form)
    companies = an_export(unit=world.unit, name="companies", content=ExportContent.COMPANIES, format=form)
    it_goes_on(world)
    text = written(changes, settings) + written(companies, settings)
    assert "Aardvane" in text and marks_in(text, world.keys) == []


def test_an_export_of_a_saved_filter_holds_what_its_owner_sees(world: World, settings: Any) -> None:
    amy = a_person_of(world.unit)
    saved = save_filter(
        listing="portfolio.company", name="All", query="", columns="", shared=False, by=amy.get_username()
    )
    export = an_export(content=ExportContent.COMPANIES, saved_filter=SavedFilter.objects.get(pk=saved.pk))
    text = written(export, settings)
    assert OWN in text and marks_in(text, world.keys) == []
