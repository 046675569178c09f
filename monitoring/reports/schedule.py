"""Reports by email: due once the week or month is over, one for each person and period, with PDF and XLSX.

What is due is put into the sending queue, whose keys are made of schedule, period and person, and only then the
schedule moves on: a process that dies in between sends nothing twice and leaves no recipient out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from core.urls import link
from core.visibility import common_scope
from monitoring.alerts.channel_messages import SPACING
from monitoring.models import OutboxMessage, ReportRecipient, ReportRegistration, ReportSchedule, TargetKind
from monitoring.outbox.channels import deliver
from monitoring.outbox.queue import ROUTES, Answer, NotSent, Route, enqueue
from monitoring.reports.compute import MOST_EVENTS, Report, make_report
from monitoring.reports.coverage import about_line, made
from monitoring.reports.periods import Period, last_complete, read_period
from monitoring.reports.sentences import speeds, summary, title_of, worth
from monitoring.reports.xlsx import report_xlsx
from portfolio.visibility import scope_of_unit

# What came in the last minutes of the period is counted by then.
SETTLE = timedelta(minutes=10)
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# When


def due_time(schedule: ReportSchedule, period: Period) -> datetime:
    """When the report of a period goes out: at the hour of the day after it, and never before it is over."""
    hour = datetime.combine(period.end, time(schedule.hour), ZoneInfo(schedule.zone))
    return max(hour.astimezone(UTC), period.moments[1] + SETTLE)


def next_time(schedule: ReportSchedule, after: datetime) -> datetime:
    """The next time after a moment."""
    period = last_complete(schedule.period, after).before()
    while (due := due_time(schedule, period)) <= after:
        period = period.after()
    return due


def plan(schedule: ReportSchedule) -> None:
    """A new or changed one: what is over already is not sent."""
    schedule.next_at = next_time(schedule, timezone.now())


def queue_due() -> int:
    """Put the reports whose time has come into the queue; returns how many are new."""
    due = ReportSchedule.objects.filter(active=True, next_at__lte=timezone.now()).order_by("next_at")
    return sum(_queue(schedule) for schedule in list(due))


def _queue(schedule: ReportSchedule) -> int:
    """The queue first, the next time last: each may be repeated."""
    due = schedule.next_at or timezone.now()
    # By the time it was due: a worker that comes late still sends what was due then.
    count = queue_period(schedule, _period_due_at(schedule, due))
    later = next_time(schedule, timezone.now())
    ReportSchedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at).update(next_at=later)
    return count


def _period_due_at(schedule: ReportSchedule, due: datetime) -> Period:
    """The newest period that was to be sent by now, however long the worker was stopped."""
    now = max(due, timezone.now())
    period = last_complete(schedule.period, now)
    return period if due_time(schedule, period) <= now else period.before()


def queue_period(schedule: ReportSchedule, period: Period) -> int:
    """Put one period's report into the queue for all recipients; returns for how many it is new."""
    count = len(enqueue(_messages(schedule, period)))
    ReportSchedule.objects.filter(pk=schedule.pk).update(sent_period=period.name)
    return count


def _messages(schedule: ReportSchedule, period: Period) -> Iterable[OutboxMessage]:
    event = f"report:{schedule.pk}:{period.name}"
    told = {"schedule": str(schedule.pk), "period": period.name}
    for person in ReportRecipient.objects.filter(schedule=schedule).values_list("person_id", flat=True):
        yield OutboxMessage(
            id=OutboxMessage.key(person, event),
            kind=TargetKind.REPORT,
            target=person,
            event=event,
            event_type="report",
            payload=json.dumps(told),
            next_try_at=timezone.now(),
            created_at=timezone.now(),
        )


# What


def send_report(message: OutboxMessage) -> Answer:
    """Make the report and email it to the user; raises NotSent."""
    told = json.loads(message.payload)
    schedule = ReportSchedule.objects.filter(pk=told["schedule"]).first()
    period = read_period(told["period"])
    person = get_user_model().objects.filter(Q(pk=message.target), is_active=True).first()
    if schedule is None or period is None or person is None:
        raise NotSent(gettext("The schedule was deleted, or the user was deactivated."), final=True)
    if not person.email:
        raise NotSent(gettext("The user has no email address. Add one under “Users”."), final=True)
    return deliver(report_mail(schedule, period, person, message.pk))


def registrations_of(schedule: ReportSchedule) -> list[uuid.UUID]:
    """None stands for all of them."""
    rows = ReportRegistration.objects.filter(schedule=schedule)
    return list(rows.values_list("registration_id", flat=True))


def report_mail(schedule: ReportSchedule, period: Period, person: Any, key: uuid.UUID) -> EmailMultiAlternatives:
    """With what both the schedule's business unit and the person see by now."""
    from monitoring.reports.pdf import report_pdf

    with timezone.override(ZoneInfo(schedule.zone)):
        chosen = registrations_of(schedule)
        scope = common_scope(scope_of_unit(schedule.unit_id), person)
        report = make_report(period, chosen, events=MOST_EVENTS, seen_as=scope, reader=person)
        context = mail_context(schedule, report, chosen)
        mail = EmailMultiAlternatives(
            subject=f"{title_of(report)}: {schedule.name}",
            body=render_to_string("monitoring/reports/mail.txt", context).strip() + "\n",
            to=[person.email],
            # The same on every try, so that a reader's email program shows it once.
            headers={"Message-ID": f"<{key}@dnbmon>", "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(render_to_string("monitoring/reports/mail.html", context), "text/html")
        mail.attach(f"{file_stem(report)}.pdf", report_pdf(report), PDF)
        mail.attach(f"{file_stem(report)}.xlsx", report_xlsx(report), XLSX)
        return mail


def mail_context(schedule: ReportSchedule, report: Report, chosen: Iterable[uuid.UUID]) -> dict[str, object]:
    query = "".join(f"&registration={key}" for key in chosen)
    return {
        "schedule": schedule,
        "title": title_of(report),
        "about_line": about_line(report),
        "made": made(report),
        "summary": summary(report),
        "worth": worth(report),
        "speeds": speeds(report),
        "url": f"{link('admin:monitoring_reportschedule_report')}?period={report.period.name}{query}",
    }


def file_stem(report: Report) -> str:
    return f"dnb-report-{report.period.name}"


ROUTES[TargetKind.REPORT] = Route(send_report, SPACING)
