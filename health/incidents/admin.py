"""Incidents: what went wrong, for how long, and what people noted about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.audit import record
from core.markup import ago, badge, two_lines
from core.text import span
from health.checks.result import RUNBOOK, TONES, help_url
from health.incidents.lifecycle import add_note
from health.models import Incident, IncidentNote, State


def _note(request: HttpRequest, row: Incident) -> Outcome:
    text = request.POST.get("text", "").strip()
    if not text:
        return messages.WARNING, gettext("Enter a note first.")
    actor = request.user.get_username()
    note = add_note(row, author=actor, text=text)
    summary = gettext("Note on “%(incident)s”: %(text)s") % {"incident": row, "text": note.text}
    record(actor=actor, action="incident.note", thing=row, summary=summary)
    return gettext("Note added.")


@admin.register(Incident)
class IncidentAdmin(RowActions, ReadOnlyAdmin):
    row_actions = {"note": _note}
    list_display = ("what", "how_bad", "began", "lasted")
    list_filter = (choice_filter("state", State.choices, _("severity")),)
    ordering = ("-started_at", "-id")
    sortable_by = ()
    page_template = "health/incident.html"
    empty_title = _("No incidents")
    empty_text = _("Problems are recorded here automatically and closed when they are resolved.")

    @admin.display(description=_("Incident"))
    def what(self, row: Incident) -> SafeString:
        return two_lines(row.title, row.latest_detail)

    @admin.display(description=_("Severity"))
    def how_bad(self, row: Incident) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Started"))
    def began(self, row: Incident) -> SafeString | str:
        return ago(row.started_at)

    @admin.display(description=_("Duration"))
    def lasted(self, row: Incident) -> SafeString | str:
        return badge(gettext("Open"), "bad") if row.ended_at is None else duration(row)

    def page_context(self, request: HttpRequest, row: Incident) -> dict[str, Any]:
        return {
            "badge": state_badge(row),
            "lasted": duration(row),
            "help_url": help_url(row.runbook or RUNBOOK),
            "notes": list(IncidentNote.objects.filter(incident=row).order_by("id")),
            "may_note": may_note(request),
        }

    def may_act(self, request: HttpRequest, row: Incident, action: str) -> bool:
        return may_note(request)


def may_note(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("health.change_incident"))


def state_badge(row: Incident) -> SafeString:
    state = State(row.state)
    return badge(state.label, TONES[state])


def duration(row: Incident) -> str:
    return span(((row.ended_at or timezone.now()) - row.started_at).total_seconds())
