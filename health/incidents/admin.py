"""Incidents: what went wrong, for how long, and what people noted about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.audit import record
from core.markup import ago, badge, two_lines
from core.text import span
from health.checks.result import RUNBOOK, TONES, help_url
from health.incidents.lifecycle import add_note
from health.models import Incident, IncidentNote, State


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ("what", "how_bad", "began", "lasted")
    list_filter = (choice_filter("state", State.choices, _("how bad")),)
    ordering = ("-started_at", "-id")
    sortable_by = ()
    page_template = "health/incident.html"
    empty_title = _("No incidents")
    empty_text = _("What goes wrong is written down here by itself, and closed by itself.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.do)
        return [path("<uuid:key>/do/<slug:action>/", view, name="health_incident_do"), *super().get_urls()]

    @admin.display(description=_("What"))
    def what(self, row: Incident) -> SafeString:
        return two_lines(row.title, row.latest)

    @admin.display(description=_("How bad"))
    def how_bad(self, row: Incident) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Began"))
    def began(self, row: Incident) -> SafeString | str:
        return ago(row.started_at)

    @admin.display(description=_("Lasted"))
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

    def do(self, request: HttpRequest, key: UUID, action: str) -> HttpResponse:
        row = self.object_or_404(request, str(key))
        if not may_note(request):
            raise PermissionDenied
        if action != "note" or request.method != "POST":
            raise Http404(gettext("Nothing here is called %(action)s.") % {"action": action})
        if text := request.POST.get("text", "").strip():
            actor = request.user.get_username()
            note = add_note(row, author=actor, text=text)
            record(
                actor=actor,
                action="incident.note",
                thing=row,
                summary=gettext("Note on “%(incident)s”: %(text)s") % {"incident": row, "text": note.text},
            )
            messages.success(request, gettext("The note is kept."))
        else:
            messages.warning(request, gettext("Write something first."))
        return HttpResponseRedirect(reverse("admin:health_incident_change", args=[row.pk]))


def may_note(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("health.change_incident"))


def state_badge(row: Incident) -> SafeString:
    state = State(row.state)
    return badge(state.label, TONES[state])


def duration(row: Incident) -> str:
    return span(((row.ended_at or timezone.now()) - row.started_at).total_seconds())
