"""Replay passes: the program's own record, read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.markup import ago, badge, exact
from monitoring.feed.admin import with_registrations
from monitoring.models import (
    Delivery,
    PassState,
    Purpose,
    ReplayPass,
)
from portfolio.registrations.filters import RegistrationFilter

TONES = {PassState.RUNNING: "info", PassState.ENDED: "good", PassState.FAILED: "warn"}


@admin.register(ReplayPass)
class ReplayPassAdmin(ReadOnlyAdmin):
    list_display = ("begun", "why", "reference", "status", "since", "pages", "found", "mark")
    list_filter = (
        choice_filter("purpose", Purpose.choices, _("purpose")),
        choice_filter("state", PassState.choices, _("state")),
        RegistrationFilter,
    )
    ordering = ("-id",)
    sortable_by = ()
    page_template = "monitoring/replay/replay_pass.html"
    empty_title = _("No replays yet")
    empty_text = _("A replay runs after each call in doubt, and once per day for the last 24 hours.")

    def complete_rows(self, rows: list[ReplayPass]) -> None:
        with_registrations(rows)

    @admin.display(description=_("Started"))
    def begun(self, row: ReplayPass) -> SafeString | str:
        return ago(row.begun_at)

    @admin.display(description=_("Purpose"))
    def why(self, row: ReplayPass) -> str:
        return row.get_purpose_display()

    @admin.display(description=_("Registration"))
    def reference(self, row: ReplayPass) -> str:
        return row.registration.reference

    @admin.display(description=_("State"))
    def status(self, row: ReplayPass) -> SafeString:
        return badge(row.get_state_display(), TONES[PassState(row.state)])

    @admin.display(description=_("From (D&B time)"))
    def since(self, row: ReplayPass) -> SafeString | str:
        return exact(row.replay_from)

    def page_context(self, request: HttpRequest, row: ReplayPass) -> dict[str, Any]:
        with_registrations([row])
        return {
            "tone": TONES[PassState(row.state)],
            "deliveries": Delivery.objects.filter(replay_pass=row).order_by("-id")[:100],
        }
