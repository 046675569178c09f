"""How long jobs are paused, and why: asked before they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext

from core.admin.pause_form import PauseForm
from core.admin.row_actions import CSRF_FIELD
from core.jobs import Schedule
from core.text import counted, moment_text
from health.schedule_status import job_label
from portfolio.registrations.pull_job import PULL_JOB


class Terms(NamedTuple):
    until: datetime | None
    reason: str

    @property
    def end(self) -> str:
        return moment_text(self.until) if self.until else ""


def ask_for_terms(request: HttpRequest, rows: Sequence[Schedule], back: str) -> Terms | HttpResponse:
    """The page that asks; the terms once they were given."""
    form = PauseForm(request.POST if "confirmed" in request.POST else None)
    if form.is_bound and form.is_valid():
        return Terms(form.cleaned_data["until"], form.cleaned_data["reason"])
    asked = {CSRF_FIELD, "confirmed", *form.fields}
    fields = [(name, value) for name, values in request.POST.lists() for value in values if name not in asked]
    request.current_app = admin.site.name
    shown = {**_words(rows), "form": form, "fields": fields, "back": back}
    return TemplateResponse(request, "core/pause.html", {**admin.site.each_context(request), **shown})


def _words(rows: Sequence[Schedule]) -> dict[str, Any]:
    if any(row.func == PULL_JOB for row in rows):
        warning = gettext(
            "No registration is pulled until the job is resumed. D&B deletes notifications that are not pulled within "
            "4 days."
        )
        title = gettext("Pause all pulls from D&B?")
        return {"title": title, "heading": title, "warnings": [warning], "button": gettext("Pause all pulls")}
    names = ", ".join(f"“{job_label(row)}”" for row in rows[:3])
    words = ngettext("Pause the job %(names)s?", "Pause %(count)s jobs?", len(rows))
    title = words % {"names": names, "count": counted(len(rows))}
    button = ngettext("Pause job", "Pause jobs", len(rows))
    return {"title": title, "heading": title, "warnings": [], "button": button}
