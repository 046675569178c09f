"""How long people have for alerts, by severity, and who receives those that are overdue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of, person_text
from core.admin.base import PageAdmin
from core.audit import record
from core.markup import badge
from core.text import counted
from monitoring.alerts.admin.filters import ChoosesUsers
from monitoring.models import ResponseTime, Severity


@admin.register(ResponseTime)
class ResponseTimeAdmin(ChoosesUsers, PageAdmin):
    list_display = ("severity_badge", "time", "second")
    list_display_links = ("severity_badge",)
    ordering = ("-severity",)
    sortable_by = ()
    list_before_template = "monitoring/alerts/response_times_intro.html"
    fields = ("working_days", "escalate_to")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def complete_rows(self, rows: list[ResponseTime]) -> None:
        people = get_user_model().objects.in_bulk({row.escalate_to_id for row in rows if row.escalate_to_id})
        for row in rows:
            row.escalate_to = people.get(row.escalate_to_id) if row.escalate_to_id else None

    @admin.display(description=_("Severity"))
    def severity_badge(self, row: ResponseTime) -> SafeString:
        severity = Severity(row.severity)
        return badge(severity.label, severity.name.lower())

    @admin.display(description=_("Due after"))
    def time(self, row: ResponseTime) -> str:
        words = ngettext("%(count)s working day", "%(count)s working days", row.working_days or 0)
        return words % {"count": counted(row.working_days)} if row.working_days else gettext("Never")

    @admin.display(description=_("Escalate to"))
    def second(self, row: ResponseTime) -> str:
        return person_text(row.escalate_to) if row.escalate_to else gettext("No one")

    def save_model(self, request: HttpRequest, obj: ResponseTime, form: forms.ModelForm[Any], change: bool) -> None:
        super().save_model(request, obj, form, change)
        summary = gettext("Response time of alerts changed: %(severity)s") % {"severity": obj}
        after = {name: str(value) for name, value in form.cleaned_data.items()}
        record(actor=actor_of(request), action="alert.response_time", thing=obj, summary=summary, after=after)
