"""Reports by mail: at a real server, with both files, once for each person and period, whoever dies in between."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader
from pytest_django import Settings
from python_calamine import CalamineWorkbook

from core.text import moment_text
from dnbmon_site.accounts.models import User
from monitoring.jobs import make_reports
from monitoring.models import MessageState, OutboxMessage, ReportRecipient, ReportRegistration, ReportSchedule
from monitoring.outbox.queue import send_due_messages
from monitoring.reports import schedule as reports_schedule
from monitoring.reports.periods import read_period
from monitoring.reports.schedule import due_time, next_time, plan, queue_due
from tests.builders.pages import text_of
from tests.builders.registrations import a_registration
from tests.builders.times import soon
from tests.servers.mail_servers import Mailbox

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 9, 7, 5, tzinfo=UTC)


def a_schedule(*names: str, **fields: Any) -> ReportSchedule:
    with time_machine.travel(MONDAY - timedelta(days=2)):
        schedule = ReportSchedule(**{"name": "Board", "hour": 7, **fields})
        plan(schedule)
        schedule.save(force_insert=True)
    for name in names:
        person = User.objects.create_user(name, f"{name}@example.com")
        ReportRecipient.objects.create(schedule=schedule, person=person)
    return schedule


def sent(at: datetime = MONDAY) -> int:
    with time_machine.travel(at):
        queue_due()
        return send_due_messages(soon(), at_once=1)


def test_it_arrives_with_both_files(mailbox: Mailbox) -> None:
    a_registration("OTHER")
    schedule = a_schedule("ann", "bob")
    ReportRegistration.objects.create(schedule=schedule, registration=a_registration("FIRST"))
    assert sent() == 2
    assert sorted(map(str, mailbox.envelopes)) == ["['ann@example.com']", "['bob@example.com']"]
    assert mailbox.header("Subject") == "Report for week 10 of 2026, 2 to 8 March 2026: Board"
    files = {part.get_filename(): part.get_content() for part in mailbox.mails[0].iter_attachments()}
    assert sorted(map(str, files)) == ["dnb-report-2026-W10.pdf", "dnb-report-2026-W10.xlsx"]
    text = PdfReader(io.BytesIO(files["dnb-report-2026-W10.pdf"])).pages[0].extract_text()
    assert "Covers FIRST." in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["dnb-report-2026-W10.xlsx"]))
    assert book.get_sheet_by_name("Registrations").to_python()[1][0] == "FIRST"
    plain = mailbox.part("plain")
    assert "Changes: 0" in plain and "period=2026-W10&registration=" in plain
    assert "Critical changes" in mailbox.part("html")


def test_each_period_is_sent_once(mailbox: Mailbox) -> None:
    a_schedule("ann")
    assert sent(MONDAY - timedelta(minutes=10)) == 0
    assert sent() == 1
    assert sent(MONDAY + timedelta(hours=5)) == 0
    assert sent(MONDAY + timedelta(days=7)) == 1
    assert [mailbox.header("Subject", number)[:18] for number in (0, 1)] == ["Report for week 10", "Report for week 11"]


def test_who_slept_for_weeks_sends_the_last_one_only(mailbox: Mailbox) -> None:
    schedule = a_schedule("ann")
    assert sent(MONDAY + timedelta(days=23)) == 1
    assert mailbox.header("Subject").startswith("Report for week 13")
    schedule.refresh_from_db()
    assert schedule.next_at == MONDAY.replace(minute=0) + timedelta(days=28)


@pytest.mark.parametrize("place", ["enqueue", "next_time"])
def test_killed_in_between_nothing_is_lost_or_doubled(
    place: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_schedule("ann", "bob")
    with monkeypatch.context() as patched, pytest.raises(RuntimeError):
        patched.setattr(reports_schedule, place, _dying)
        sent()
    assert sent(MONDAY + timedelta(minutes=5)) == 2
    assert sent(MONDAY + timedelta(minutes=10)) == 0
    assert len(mailbox.mails) == 2


def _dying(*args: object) -> object:
    raise RuntimeError("killed")


def test_what_a_server_refuses_comes_later_and_once(mailbox: Mailbox) -> None:
    a_schedule("ann")
    mailbox.refusal = "451 later"
    assert sent() == 0
    assert OutboxMessage.objects.get().last_error == "The email server responded with code 451."
    mailbox.refusal = ""
    assert sent(MONDAY + timedelta(minutes=2)) == 1
    assert sent(MONDAY + timedelta(minutes=4)) == 0
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_who_has_left_or_has_no_address_gets_none(change: dict[str, Any], mailbox: Mailbox) -> None:
    a_schedule("ann")
    User.objects.update(**change)
    assert sent() == 0
    assert OutboxMessage.objects.get().state == MessageState.DEAD


def test_a_schedule_that_is_off_sends_nothing(mailbox: Mailbox) -> None:
    a_schedule("ann", active=False)
    assert sent() == 0
    assert not OutboxMessage.objects.exists()


def test_the_job_queues_and_wakes_the_sender() -> None:
    a_schedule("ann")
    with time_machine.travel(MONDAY):
        assert make_reports() == 1


@pytest.mark.parametrize(
    ("zone", "hour", "period", "due"),
    [
        ("UTC", 7, "2026-W10", "2026-03-09T07:00"),
        ("UTC", 0, "2026-W10", "2026-03-09T00:10"),
        ("Europe/Berlin", 7, "2026-W10", "2026-03-09T06:00"),
        ("Europe/Berlin", 7, "2026-03", "2026-04-01T05:00"),
        ("America/New_York", 7, "2026-03", "2026-04-01T11:00"),
        ("Pacific/Auckland", 7, "2026-W10", "2026-03-09T00:10"),
    ],
)
def test_it_is_due_at_the_hour_of_the_zone_and_never_before_the_period_is_over(
    zone: str, hour: int, period: str, due: str
) -> None:
    found = read_period(period)
    assert found is not None
    schedule = ReportSchedule(period=found.kind, zone=zone, hour=hour)
    moment = datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert due_time(schedule, found) == moment
    assert next_time(schedule, moment - timedelta(seconds=1)) == moment
    assert next_time(schedule, moment) == due_time(schedule, found.after())
    assert timezone.is_aware(moment)


def test_a_schedule_that_cannot_be_sent_is_shown_so(admin_client: Client, settings: Settings) -> None:
    schedule = a_schedule("ann")
    pages = [f"/monitoring/reportschedule/{page}" for page in ("", "add/")]
    assert not any("Scheduled reports are not sent" in text_of(admin_client.get(page)) for page in pages)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert all("Scheduled reports are not sent" in text_of(admin_client.get(page)) for page in pages)
    assert "No email server" in text_of(admin_client.get(pages[0]))
    # The date on which it would be sent shows whether the schedule is as intended.
    assert schedule.next_at and moment_text(schedule.next_at) in text_of(admin_client.get(pages[0]))


def test_schedules_are_listed_by_their_next_report_and_disabled_ones_last(admin_client: Client) -> None:
    for name, fields in (("A off", {"active": False}), ("B late", {"hour": 9}), ("C soon", {"hour": 6})):
        a_schedule(name=name, **fields)
    text = text_of(admin_client.get("/monitoring/reportschedule/"))
    assert text.index("C soon") < text.index("B late") < text.index("A off")


def test_a_recipient_without_address_stays_in_the_form_and_is_counted(admin_client: Client) -> None:
    schedule = a_schedule("ann", "bob", "carl")
    User.objects.filter(username="ann").update(email="")
    User.objects.filter(username="bob").update(is_active=False)
    User.objects.filter(username="carl").update(first_name="Carl", last_name="Lee", email="carl@acme.example")
    list_page = "/monitoring/reportschedule/"
    listed = text_of(admin_client.get(list_page))
    assert "3 users, 1 without email address ann, bob (bob@example.com), Carl Lee (carl@acme.example)" in listed
    answer = admin_client.get(f"{list_page}{schedule.pk}/change/")
    assert "ann: no email address, receives nothing. Add one under “Users”." in text_of(answer)
    assert "bob (bob@example.com): deactivated, receives nothing." in text_of(answer)
    assert "Carl Lee (carl@acme.example) " in text_of(answer)
    assert len(re.findall(r'name="people"[^>]* checked>', answer.content.decode())) == 3
    assert "receives nothing" not in text_of(admin_client.get(f"{list_page}add/"))
