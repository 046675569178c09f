"""The report as a page, a PDF and a spreadsheet, and the schedules by which it is sent by email."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import PageAdmin
from core.admin.deletion import Part
from core.admin.removal import WatchedRemoval
from core.audit import record
from core.db import insert_new
from core.ids import time_first_id
from core.markup import badge, two_lines
from core.outbound.mail_server import has_mail_server, mail_server_context, no_server_text, set_up_text_for
from core.text import ago, counted, country_name, moment_text
from core.visibility import scope_of
from monitoring.alerts.rules import few
from monitoring.models import PeriodKind, ReportRecipient, ReportRegistration, ReportSchedule, Severity
from monitoring.reports.compute import MOST_EVENTS, SHOWN, Report, make_report
from monitoring.reports.coverage import about_line, made
from monitoring.reports.decision_section import SHOWN as SHOWN_DECISIONS
from monitoring.reports.decision_section import DecisionSection, over_limit_text
from monitoring.reports.periods import Period, last_complete, lately, read_period
from monitoring.reports.schedule import PDF, XLSX, file_stem, plan, queue_period
from monitoring.reports.schedule_form import RECIPIENTS, ReportScheduleForm, with_address
from monitoring.reports.sentences import (
    SEVERITIES,
    as_of,
    change_sentences,
    entries_note,
    more_worse_words,
    pulled_words,
    risk_note,
    severities,
    speeds,
    summary,
    title_of,
    waited_words,
    waiting_words,
    worth,
)
from monitoring.reports.xlsx import report_xlsx

WEEKS, MONTHS = 13, 12
CHART_HEIGHT, CHART_WIDTH = 150, 720


@admin.register(ReportSchedule)
class ReportScheduleAdmin(WatchedRemoval, PageAdmin):
    form = ReportScheduleForm
    list_display = ("what", "recipients", "next_time", "last", "status")
    list_display_links = ("what",)
    ordering = ("-active", "next_at", "name", "id")
    sortable_by = ()
    actions = ("send",)
    fieldsets = (
        (None, {"fields": ("name", "active")}),
        (_("Schedule"), {"fields": ("period", "hour", "zone")}),
        (_("Content"), {"fields": ("unit", "chosen")}),
        (_("Recipients"), {"fields": ("people",), "description": RECIPIENTS}),
    )
    list_before_template = "monitoring/reports/no_mail_server.html"
    change_form_outer_before_template = "monitoring/reports/before_form.html"
    deleted_with = {
        "monitoring.reportrecipient": Part(_("Selection of recipients"), "person"),
        "monitoring.reportregistration": Part(_("Selection of registrations"), "registration"),
    }
    kept_text = (_("The users. Under “Reports” they can open any report that their role permits."),)
    empty_title = _("No report schedules yet")
    empty_text = _("A schedule emails the report for the last week or month, with a PDF and a spreadsheet attached.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("report/", view(self.report), name="monitoring_reportschedule_report"),
            path("report.pdf", view(self.pdf), name="monitoring_reportschedule_pdf"),
            path("report.xlsx", view(self.xlsx), name="monitoring_reportschedule_xlsx"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), **mail_server_context()})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        warning = getattr(context["adminform"].form, "warning", "")
        return super().render_change_form(
            request, {**context, **mail_server_context(), "warning": warning}, *args, **kwargs
        )

    # The report
    def report(self, request: HttpRequest) -> HttpResponse:
        report, choice = self.chosen_report(request)
        context = {**choice, **page_context(report), "may_schedule": self.has_add_permission(request)}
        context["shows_all"] = scope_of(request.user).sees_all
        return self.page(request, "monitoring/reports/report.html", title=gettext("Reports"), **context)

    def pdf(self, request: HttpRequest) -> HttpResponse:
        from monitoring.reports.pdf import report_pdf

        return self.file(request, report_pdf, "pdf", PDF)

    def xlsx(self, request: HttpRequest) -> HttpResponse:
        return self.file(request, report_xlsx, "xlsx", XLSX)

    def file(self, request: HttpRequest, make: Callable[[Report], bytes], ending: str, kind: str) -> HttpResponse:
        report, _ = self.chosen_report(request, events=MOST_EVENTS)
        name = f'attachment; filename="{file_stem(report)}.{ending}"'
        return HttpResponse(make(report), content_type=kind, headers={"Content-Disposition": name})

    def chosen_report(self, request: HttpRequest, events: int = SHOWN) -> tuple[Report, dict[str, Any]]:
        """By the address; wrong values are ignored."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        period = read_period(request.GET.get("period", "")) or last_complete(PeriodKind.WEEK, timezone.now())
        asked = {key for text in request.GET.getlist("registration") if (key := key_of(text))}
        make = partial(make_report, period, events=events, seen_as=scope_of(request.user), reader=request.user)
        report = make(sorted(asked))
        if asked and not report.held:
            report, asked = make(), set()
        return report, {"chosen": asked, "query": query_of(period, sorted(asked))}

    # Schedules
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = audit_values(obj) if change else None
        plan(obj)
        obj.created_by = obj.created_by or request.user.get_username()
        super().save_model(request, obj, form, change)
        replace(ReportRecipient, obj, "person_id", [person.pk for person in form.cleaned_data["people"]])
        replace(ReportRegistration, obj, "registration_id", [row.pk for row in form.cleaned_data["chosen"]])
        action = "change report schedule" if change else "add report schedule"
        words = gettext("Report schedule %(name)s changed") if change else gettext("Report schedule %(name)s created")
        by, summary_text = request.user.get_username(), words % {"name": obj}
        record(actor=by, action=action, thing=obj, summary=summary_text, before=before, after=audit_values(obj))

    def before_removal(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            words = gettext("Report schedule %(name)s deleted") % {"name": row}
            by = request.user.get_username()
            record(actor=by, action="delete report schedule", thing=row, summary=words, before=audit_values(row))

    @admin.action(description=_("Send latest report now"), permissions=["change"])
    def send(self, request: HttpRequest, queryset: QuerySet[ReportSchedule]) -> None:
        for schedule in queryset:
            period = last_complete(schedule.period, timezone.now())
            count = queue_period(schedule, period)
            by = request.user.get_username()
            tail = (
                gettext("It will be sent within a minute.")
                if count
                else gettext("All recipients already have it, or it is being sent.")
            )
            queued = ngettext(
                "Report for %(period)s (%(schedule)s) queued for %(count)s recipient",
                "Report for %(period)s (%(schedule)s) queued for %(count)s recipients",
                count,
            ) % {"period": period.title, "schedule": schedule, "count": counted(count)}
            record(actor=by, action="send report", thing=schedule, summary=queued)
            messages.success(request, f"{queued}. {tail}")
            if not has_mail_server():
                messages.warning(request, f"{no_server_text()} {set_up_text_for(request.user)}")

    @admin.display(description=_("Report"))
    def what(self, row: ReportSchedule) -> SafeString:
        return two_lines(row.name, f"{PeriodKind(row.period).label}, {row.hour:02}:00 ({row.zone})")

    @admin.display(description=_("Recipients"))
    def recipients(self, row: ReportSchedule) -> SafeString:
        people = [one.person for one in ReportRecipient.objects.filter(schedule=row).select_related("person")]
        names = few(sorted(map(with_address, people), key=str.casefold))
        return two_lines(_recipients_text(len(people), sum(not one.email for one in people)), names)

    @admin.display(description=_("Next report"))
    def next_time(self, row: ReportSchedule) -> SafeString | str:
        """Its date too, by which a reader checks the schedule. Whether it can be sent is its state."""
        return two_lines(moment_text(row.next_at), ago(row.next_at)) if row.active and row.next_at else "–"

    @admin.display(description=_("Latest report"))
    def last(self, row: ReportSchedule) -> str:
        period = read_period(row.sent_period)
        return period.title if period else gettext("None yet")

    @admin.display(description=_("State"))
    def status(self, row: ReportSchedule) -> SafeString:
        if row.active and not has_mail_server():
            return badge(gettext("No email server"), "warn", no_server_text())
        return badge(gettext("Enabled"), "good") if row.active else badge(gettext("Disabled"), "calm")


def _recipients_text(count: int, without: int) -> str:
    words = ngettext("%(count)s user", "%(count)s users", count) % {"count": counted(count)}
    if not without:
        return words
    return gettext("%(users)s, %(count)s without email address") % {"users": words, "count": counted(without)}


def key_of(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def audit_values(schedule: ReportSchedule) -> dict[str, Any]:
    """For the audit: as the rows say it now."""
    row = ReportSchedule.objects.get(pk=schedule.pk)
    fields = {name: getattr(row, name) for name in ReportScheduleForm.Meta.fields}
    recipients = ReportRecipient.objects.filter(schedule=row).values_list("person__username", flat=True)
    chosen = ReportRegistration.objects.filter(schedule=row).values_list("registration__reference", flat=True)
    return {**fields, "people": sorted(recipients), "registrations": sorted(chosen)}


def replace(model: Any, schedule: ReportSchedule, field: str, keys: list[uuid.UUID]) -> None:
    """Make the schedule's rows those that were chosen."""
    rows = model.objects.filter(schedule=schedule)
    rows.exclude(**{f"{field}__in": keys}).delete()
    known = set(rows.values_list(field, flat=True))
    missing = [model(id=time_first_id(), schedule=schedule, **{field: key}) for key in keys if key not in known]
    insert_new(model, missing)


# What the page shows


def query_of(period: Period, registrations: list[uuid.UUID]) -> str:
    return urlencode([("period", period.name), *(("registration", str(key)) for key in registrations)])


def page_context(report: Report) -> dict[str, Any]:
    now = timezone.now()
    return {
        "report": report,
        "report_title": title_of(report),
        "about_line": about_line(report),
        "made": made(report),
        "as_of": as_of(report),
        "entries_note": entries_note(report),
        "summary": summary(report, of_today=False),
        "summary_today": summary(report, of_period=False),
        "worth": worth(report),
        "speeds": speeds(report),
        "severities": [(severity.name.lower(), severity.label, count) for severity, count in severities(report)],
        "bars": bars(report),
        "ticks": ticks(report),
        "chart_width": CHART_WIDTH,
        "chart_full_width": CHART_WIDTH + 38,
        "chart_height": CHART_HEIGHT,
        "what": with_widths(report.counts.what),
        "countries": with_widths([(country_name(code), count) for code, count in report.counts.countries]),
        "held": [(one, pulled_words(one, report), changes_of(report, one)) for one in report.held],
        "waiting": [(one, waited_words(one)) for one in report.waiting],
        "waiting_words": waiting_words(report),
        "decisions": report.decisions and decision_context(report.decisions),
        "risk_note": risk_note(report),
        "more_worse_words": more_worse_words(report),
        "events": [(event, report.reference(event.registration)) for event in report.events],
        "periods": [
            (gettext("Weeks"), lately(PeriodKind.WEEK, now, WEEKS)),
            (gettext("Months"), lately(PeriodKind.MONTH, now, MONTHS)),
        ],
        "registrations": report.every,
        "critical": Severity.CRITICAL.value,
    }


def decision_context(section: DecisionSection) -> dict[str, Any]:
    over = section.over_limit
    return {
        "shown": section.decided[:SHOWN_DECISIONS],
        "more": max(section.count - SHOWN_DECISIONS, 0),
        "over_limit": over,
        "over_limit_text": "" if over is None else over_limit_text(over),
    }


def changes_of(report: Report, one: Any) -> int:
    return report.counts.by_registration[one.registration.pk]


def with_widths(counts: list[tuple[str, int]]) -> list[tuple[str, int, str]]:
    highest = max((count for _, count in counts), default=0) or 1
    return [(label, count, f"{100 * count / highest:.1f}") for label, count in counts]


def highest_day(report: Report) -> int:
    return max((sum(counts.values()) for counts in report.counts.by_day.values()), default=0) or 1


def ticks(report: Report) -> list[dict[str, Any]]:
    """The numbers beside the chart: none, half and the highest day."""
    highest = highest_day(report)
    found = []
    for count in sorted({0, highest // 2, highest}):
        y = CHART_HEIGHT - count / highest * (CHART_HEIGHT - 8)
        found.append({"count": count, "y": f"{y:.1f}", "baseline": f"{y + 4:.1f}"})
    return found


def bars(report: Report) -> list[dict[str, Any]]:
    """The days of the chart, each with its pieces from the bottom up, and where its list is."""
    days = report.counts.by_day
    highest = highest_day(report)
    step = CHART_WIDTH / len(days)
    changes = reverse("admin:monitoring_change_changelist")
    found = []
    for number, (day, counts) in enumerate(days.items()):
        bar = {"day": day, "x": f"{number * step:.1f}", "step": f"{step:.1f}", "total": sum(counts.values())}
        link = f"{changes}?day_from={day}&day_to={day}"
        middle, has_label = f"{(number + 0.5) * step:.1f}", len(days) == 7 or number % 5 == 0
        found.append({**bar, "pieces": pieces(counts, highest, number * step, step), "link": link, "middle": middle,
                      "has_label": has_label})  # fmt: skip
    return found


def pieces(counts: Any, highest: int, left: float, step: float) -> list[dict[str, Any]]:
    top, found = float(CHART_HEIGHT), []
    for severity in SEVERITIES:
        if count := counts[severity]:
            height = max(count / highest * (CHART_HEIGHT - 8), 1.5)
            top -= height
            place = {"x": f"{left + step * 0.14:.1f}", "y": f"{top:.1f}", "width": f"{step * 0.72:.1f}"}
            words = change_sentences(severity, count)
            found.append({**place, "height": f"{height:.1f}", "tone": severity.name.lower(), "words": words})
    return found
