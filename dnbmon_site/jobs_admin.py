"""django-q2's pages in the look of the others, safe to use: a schedule that would stop all others is refused."""

from __future__ import annotations

import ast
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Schedule, Success, Task
from django_q.tasks import async_task

from health.scheduling import PAUSED, name_in_words, pause, resume, run_now
from portfolio.auditing import record
from portfolio.edits import record_edit, record_removal
from portfolio.markup import ago, badge
from portfolio.pages import PageAdmin, ReadOnlyAdmin
from portfolio.wording import counted

for model in (Schedule, Success, Failure, OrmQ):
    if admin.site.is_registered(model):
        admin.site.unregister(model)

LITERALS = _("Only plain values can be used here, such as 1, 'Leeds', True or [1, 2]; texts need quotation marks.")


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Refuses what the scheduler could not read: it would stop there, and no schedule after this one would run."""

    class Meta:
        model = Schedule
        fields = ("name", "func", "args", "kwargs", "schedule_type", "minutes", "next_run", "repeats")

    def clean_args(self) -> str:
        text = (self.cleaned_data["args"] or "").strip()
        if text:
            read_literal(text)
        return text

    def clean_kwargs(self) -> str:
        text = (self.cleaned_data["kwargs"] or "").strip()
        if text:
            read_keywords(text)
        return text


def read_literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValidationError(
            gettext("“%(text)s” cannot be read. %(advice)s") % {"text": text, "advice": LITERALS}
        ) from None


def read_keywords(text: str) -> dict[str, object]:
    """`x=1, name='Leeds'`, or a dictionary."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValidationError(
            gettext("“%(text)s” cannot be read. Write it like: x=1, name='Leeds'.") % {"text": text}
        ) from None
    assert isinstance(call, ast.Call)
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        return _dictionary(text)
    return {str(keyword.arg): read_literal(ast.unparse(keyword.value)) for keyword in call.keywords}


def _dictionary(text: str) -> dict[str, object]:
    found = read_literal(text)
    if isinstance(found, dict) and all(isinstance(name, str) for name in found):
        return found
    raise ValidationError(gettext("“%(text)s” names no arguments. Write it like: x=1, name='Leeds'.") % {"text": text})


@admin.register(Schedule)
class ScheduleAdmin(PageAdmin):
    form = ScheduleForm
    list_display = ("shown_name", "state", "often", "next", "last", "func")
    search_fields = ("name", "func")
    ordering = ("id",)
    sortable_by = ()
    actions = ("pause", "resume", "run_now")
    empty_title = _("No schedules")
    empty_text = _("The worker installs them when it starts (manage.py worker).")

    def get_readonly_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        """What runs, and with what, is only for those who may add schedules: any function can be named there."""
        return () if request.user.has_perm("django_q.add_schedule") else ("func", "args", "kwargs")

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=change)

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        record_removal(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        record_removal(request, list(queryset))
        super().delete_queryset(request, queryset)

    def complete_rows(self, rows: list[Any]) -> None:
        """How the last run went, for all rows in one query."""
        last = Task.objects.only("id", "success", "stopped").in_bulk([row.task for row in rows if row.task])
        for row in rows:
            row.last_task = last.get(row.task)

    @admin.display(description=_("What"))
    def shown_name(self, row: Schedule) -> str:
        return name_in_words(row)

    @admin.display(description=_("State"))
    def state(self, row: Schedule) -> SafeString:
        return (
            badge(gettext("Paused"), "warn", gettext("It does not run"))
            if row.repeats == PAUSED
            else badge(gettext("Runs"), "good")
        )

    @admin.display(description=_("How often"))
    def often(self, row: Schedule) -> str:
        if row.schedule_type != Schedule.MINUTES:
            return str(row.get_schedule_type_display())
        return ngettext("every minute", "every %(count)s minutes", row.minutes or 0) % {"count": row.minutes}

    @admin.display(description=_("Next run"))
    def next(self, row: Schedule) -> SafeString | str:
        return "" if row.repeats == PAUSED else ago(row.next_run)

    @admin.display(description=_("Last run"))
    def last(self, row: Any) -> SafeString | str:
        task = row.last_task
        if task is None:
            return ""
        return badge(
            gettext("went well") if task.success else gettext("failed"),
            "good" if task.success else "bad",
            ago(task.stopped),
        )

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        count = pause(queryset, actor=request.user.get_username())
        said = ngettext("%(count)s schedule paused.", "%(count)s schedules paused.", count)
        messages.success(request, said % {"count": counted(count)})

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        count = resume(queryset, actor=request.user.get_username())
        said = ngettext("%(count)s schedule resumed.", "%(count)s schedules resumed.", count)
        messages.success(request, said % {"count": counted(count)})

    @admin.action(description=_("Run now"), permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        run_now(queryset, actor=request.user.get_username())
        messages.success(request, gettext("They run as soon as a worker is free."))


class TaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "began", "took", "outcome")
    search_fields = ("name", "func")
    ordering = ("-stopped",)
    sortable_by = ()
    fields = ("name", "func", "group", "cluster", "started", "stopped", "attempt_count", "result")
    empty_title = _("No tasks")

    @admin.display(description=_("Began"))
    def began(self, row: Task) -> SafeString | str:
        return ago(row.started)

    @admin.display(description=_("Took"))
    def took(self, row: Task) -> str:
        return f"{row.time_taken():,.2f} s"

    @admin.display(description=_("Result"))
    def outcome(self, row: Task) -> str:
        return str(row.result if row.result is not None else "")[:120]


@admin.register(Success)
class SuccessAdmin(TaskAdmin):
    empty_text = _("What the worker has done appears here.")


@admin.register(Failure)
class FailureAdmin(TaskAdmin):
    actions = ("resubmit",)
    empty_title = _("No failed tasks")
    empty_text = _("What failed would appear here, with the reason.")

    def has_rerun_permission(self, request: HttpRequest) -> bool:
        """Of those who may pause and run schedules."""
        return bool(request.user.has_perm("django_q.change_schedule"))

    @admin.action(description=_("Run again"), permissions=["rerun"])
    def resubmit(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for task in queryset:
            async_task(task.func, *(task.args or ()), **(task.kwargs or {}))
            summary = gettext("Failed job “%(name)s” (%(function)s) run again")
            summary %= {"name": task.name, "function": task.func}
            record(actor=request.user.get_username(), action="task.rerun", thing=task, summary=summary)
            task.delete()
        messages.success(request, gettext("They run again as soon as a worker is free."))


class QueueAdmin(ReadOnlyAdmin):
    list_display = ("name", "func", "lock", "task_id")
    ordering = ("id",)
    sortable_by = ()
    fields = ("key", "lock", "task_id", "name", "func")
    empty_title = _("The queue is empty")
    empty_text = _("Tasks wait here until a worker takes them.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A task that a worker cannot finish has to go."""
        return bool(request.user.has_perm("django_q.delete_ormq"))

    def delete_model(self, request: HttpRequest, obj: OrmQ) -> None:
        record_removal(request, [obj])
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[OrmQ]) -> None:
        record_removal(request, list(queryset))
        super().delete_queryset(request, queryset)


if Conf.ORM or Conf.TESTING:
    admin.site.register(OrmQ, QueueAdmin)
