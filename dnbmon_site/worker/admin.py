"""django-q2's pages in the look of the others, safe to use: only the program's own jobs can be scheduled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Case, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from core.admin.base import PageAdmin, ReadOnlyAdmin, name_model
from core.admin.removal import RecordedRemoval
from core.audit import record, record_edit
from core.jobs import ask_worker
from core.markup import ago, badge, due, shortened, two_lines
from core.text import counted
from dnbmon_site.worker.schedules import ALL_JOBS, EXTRAS, JOBS, ON_DEMAND, RENAMED
from health.job_results import NO_BACKUP_FOLDER, error_text, result_text
from health.pausing import ask_for_terms
from health.schedule_status import (
    FOR_EVER,
    REFUSED_TEXT,
    interval_of,
    is_overdue,
    is_refused,
    job_label,
    next_run,
    pause,
    resume,
    run_now,
)
from portfolio.registrations.pull_job import PAUSED, pauses_of

for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
name_model(Schedule, _("schedule"), _("schedules"))
name_model(Success, _("finished job"), _("finished jobs"))
name_model(Failure, _("failed job"), _("failed jobs"))
name_model(OrmQ, _("queued job"), _("queued jobs"))
# Pages, messages and the audit log name both by their job; django-q2 by the function's path, or four random words.
Schedule.__str__ = job_label
Task.__str__ = lambda task: job_name(task.func, task.name)

TYPES = [(value, label) for value, label in Schedule.TYPE if value != Schedule.CRON]
NAMES = sorted((name, function) for name, function, minutes in JOBS)


JOB_NAMES = {
    **{function: name for name, function in NAMES},
    "health.jobs.beat": gettext_noop("Record a heartbeat"),
    "monitoring.jobs.process_published": gettext_noop("Process published changes"),
}


def job_name(function: str | None, name: str | None) -> str:
    """Of a job of the table; what was asked for has a name that whoever asked gave it. What cannot be read has none."""
    known = JOB_NAMES.get(function or "", name or function)
    return job_label(Schedule(name=known)) if known else "–"


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """One of the program's own jobs, and when. Nothing else is ever run (task_packages.py)."""

    func = forms.ChoiceField(label=_("Job"))

    class Meta:
        model = Schedule
        fields = ("name", "func", "schedule_type", "minutes", "next_run")
        labels = {"schedule_type": _("Frequency"), "next_run": _("Next run")}
        help_texts = {
            "name": _("Optional. Shown in the list of jobs."),
            "schedule_type": _("How often the job runs."),
            "minutes": _("Interval in minutes. Used with the frequency “Minutes” only."),
            "next_run": _("In your time zone."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Names of jobs in the reader's language. Nothing is chosen for a schedule that is refused.
        jobs = [("", "---------"), *((function, job_label(Schedule(name=name))) for name, function in NAMES)]
        for field, choices in (("func", jobs), ("schedule_type", TYPES)):
            if field in self.fields:
                self.fields[field].choices = choices  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        name = self.cleaned_data["name"] or ""
        if Schedule.objects.filter(name=name).exclude(pk=self.instance.pk).exists():
            raise ValidationError(gettext("A schedule with this name exists. Choose another name."))
        return name

    def clean_next_run(self) -> Any:
        """What is past would be made up for one by one, while everything waits."""
        moment = self.cleaned_data["next_run"]
        return max(moment, timezone.now()) if moment else moment


class JobSearch:
    """Finds jobs by the names that the pages show, which are not the stored ones."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip().casefold()
        shown = [function for function in JOB_NAMES if term in job_name(function, None).casefold()]
        return (queryset.filter(Q(func__in=shown) | Q(name__icontains=term)) if term else queryset), False


@admin.register(Schedule)
class ScheduleAdmin(JobSearch, RecordedRemoval, PageAdmin):
    form = ScheduleForm
    list_display = ("shown_name", "state", "often", "next", "last")
    search_fields = ("name", "func")
    # The next run first, paused ones last.
    ordering = (Case(When(repeats=PAUSED, then=1), default=0), "next_run", "id")
    sortable_by = ()
    actions = ("pause", "resume", "run_now")
    kept_text = (_("Results of earlier runs"),)
    deletion_advice = _("The worker may create the schedule again when it restarts. To stop the job, pause it instead.")
    empty_title = _("No schedules yet")
    empty_text = _("The worker creates the schedules when it starts. Run “.venv/bin/python manage.py worker”.")

    def get_readonly_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        """What runs is chosen by those who may add schedules."""
        return () if request.user.has_perm("django_q.add_schedule") else ("func",)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        if "func" in form.cleaned_data:
            # A job of the table was chosen, also for one that was refused.
            obj.repeats = FOR_EVER if is_refused(obj) else obj.repeats
            for name, value in EXTRAS.items():
                setattr(obj, name, value)
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=change)

    def complete_rows(self, rows: list[Any]) -> None:
        """How the last run went, for all rows in one query."""
        last = Task.objects.only("id", "success", "stopped", "result").in_bulk([row.task for row in rows if row.task])
        pauses = pauses_of(rows)
        for row in rows:
            row.last_task, row.pause = last.get(row.task), pauses.get(str(row.pk))

    @admin.display(description=_("Job"))
    def shown_name(self, row: Schedule) -> str:
        return job_label(row)

    @admin.display(description=_("State"))
    def state(self, row: Any) -> SafeString:
        if is_refused(row):
            return badge(
                gettext("Disabled"),
                "bad",
                gettext("Disabled, because the schedule does not run a job of D&B Monitoring"),
            )
        return (
            two_lines(badge(gettext("Paused"), "warn"), row.pause.note if row.pause else "")
            if row.repeats == PAUSED
            else badge(gettext("Enabled"), "good")
        )

    @admin.display(description=_("Interval"))
    def often(self, row: Schedule) -> str:
        return interval_of(row)

    @admin.display(description=_("Next run"))
    def next(self, row: Schedule) -> SafeString | str:
        """As the page of health shows it."""
        if is_refused(row):
            return ""
        if row.repeats == PAUSED:
            return due(row.pause.until) if row.pause and row.pause.until else gettext("When resumed")
        return badge(next_run(row), "warn") if is_overdue(row, timezone.now()) else next_run(row)

    @admin.display(description=_("Last run"))
    def last(self, row: Any) -> SafeString | str:
        task = row.last_task
        if task is None:
            return ""
        return format_html("{} {}", _outcome(task), ago(task.stopped))

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> HttpResponse | None:
        rows = list(queryset)
        terms = ask_for_terms(request, rows, reverse("admin:django_q_schedule_changelist"))
        if isinstance(terms, HttpResponse):
            return terms
        count = pause(rows, actor=request.user.get_username(), **terms._asdict())
        said = ngettext("%(count)s schedule paused.", "%(count)s schedules paused.", count)
        messages.success(request, said % {"count": counted(count)})
        return None

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        tell_refused(request, queryset)
        count = resume(queryset, actor=request.user.get_username())
        said = ngettext("%(count)s schedule resumed.", "%(count)s schedules resumed.", count)
        messages.success(request, said % {"count": counted(count)})

    @admin.action(description=_("Run now"), permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        tell_refused(request, queryset)
        if run_now(queryset, actor=request.user.get_username()):
            messages.success(request, gettext("The jobs run as soon as a worker is free."))


def _outcome(task: Task) -> SafeString:
    if task.result == NO_BACKUP_FOLDER:
        return badge(gettext("Not set up"), "calm", task.result)
    return badge(gettext("Succeeded"), "good") if task.success else badge(gettext("Failed"), "bad")


def tell_refused(request: HttpRequest, rows: Iterable[Schedule]) -> None:
    for row in rows:
        if is_refused(row):
            messages.error(request, REFUSED_TEXT % {"name": job_label(row)})


class TaskAdmin(JobSearch, ReadOnlyAdmin):
    list_display = ("job", "began", "took", "outcome")
    search_fields = ("name", "func")
    ordering = ("-stopped",)
    sortable_by = ()
    fields = ("job", "func", "started", "stopped", "took", "result_text")
    empty_title = _("No finished jobs yet")

    @admin.display(description=_("Job"))
    def job(self, row: Task) -> str:
        return str(row)

    @admin.display(description=_("Started"))
    def began(self, row: Task) -> SafeString | str:
        return ago(row.started)

    @admin.display(description=_("Duration"))
    def took(self, row: Task) -> str:
        return f"{row.time_taken():,.2f} s"

    @admin.display(description=_("Result"))
    def outcome(self, row: Task) -> str:
        return shortened(self.result_text(row) if row.success else error_text(row.result))

    @admin.display(description=_("Result"))
    def result_text(self, row: Task) -> str:
        if row.result is None and not row.success:
            return gettext("Saved by an earlier version in a format that is no longer supported.")
        return result_text(row.func, row.result)


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    empty_text = _("Jobs appear here after the worker has run them.")


@admin.register(Failure)
class FailureAdmin(TaskAdmin):
    actions = ("resubmit",)
    empty_title = _("No failed jobs")
    empty_text = _("A job that fails appears here with the reason.")

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        """Of those who may pause and run schedules."""
        return bool(request.user.has_perm("django_q.change_schedule"))

    @admin.action(description=_("Rerun"), permissions=["rerun"])
    def resubmit(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        again = [task for task in queryset if run_again(task, request.user.get_username())]
        if again:
            messages.success(request, gettext("The jobs rerun as soon as a worker is free."))
        if len(again) < len(queryset):
            messages.error(
                request,
                gettext(
                    "Some jobs were not rerun: they are not jobs of D&B Monitoring, or an earlier version saved them."
                ),
            )


def run_again(task: Task, actor: str) -> bool:
    job = RENAMED.get(task.func, task.func)
    if job not in ALL_JOBS or task.kwargs or (job in ON_DEMAND and not task.args):
        return False
    ask_worker(job, *(task.args or ()), task_name=task.name)
    summary = gettext("Failed job “%(name)s” (%(function)s) rerun") % {"name": task.name, "function": task.func}
    record(actor=actor, action="task.rerun", thing=task, summary=summary)
    task.delete()
    return True


class QueueAdmin(RecordedRemoval, ReadOnlyAdmin):
    list_display = ("job", "lock", "task_id")
    ordering = ("id",)
    sortable_by = ()
    fields = ("job", "func", "key", "lock", "task_id")
    kept_text = (_("The schedule of the job. It is queued again at its next run."),)
    empty_title = _("The queue is empty")
    empty_text = _("Jobs appear here until a worker starts them.")

    @admin.display(description=_("Job"))
    def job(self, row: OrmQ) -> str:
        return job_name(row.func(), row.name())

    def deletion_name(self, row: OrmQ) -> str:
        return self.job(row)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A task that a worker cannot finish has to go."""
        return bool(request.user.has_perm("django_q.delete_ormq"))


if Conf.ORM or Conf.TESTING:
    admin.site.register(OrmQ, QueueAdmin)
