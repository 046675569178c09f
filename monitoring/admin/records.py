"""Replay passes, publications and daily counts: the program's own records, read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.markup import ago, badge, exact
from core.text import country_name
from monitoring.admin.changes import with_registrations
from monitoring.models import (
    DailyCount,
    Delivery,
    Kind,
    NotificationType,
    PassState,
    Publication,
    Purpose,
    ReplayPass,
    Severity,
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
    page_template = "pages/replay_pass.html"
    empty_title = _("No replays yet")
    empty_text = _("A replay runs after every doubtful answer, and once a night for the last 24 hours.")

    def complete_rows(self, rows: list[ReplayPass]) -> None:
        with_registrations(rows)

    @admin.display(description=_("Begun"))
    def begun(self, row: ReplayPass) -> SafeString | str:
        return ago(row.begun_at)

    @admin.display(description=_("Why"))
    def why(self, row: ReplayPass) -> str:
        return row.get_purpose_display()

    @admin.display(description=_("Registration"))
    def reference(self, row: ReplayPass) -> str:
        return row.registration.reference

    @admin.display(description=_("State"))
    def status(self, row: ReplayPass) -> SafeString:
        return badge(row.get_state_display(), TONES[PassState(row.state)])

    @admin.display(description=_("From (D&B's clock)"))
    def since(self, row: ReplayPass) -> SafeString | str:
        return exact(row.replay_from)

    def page_context(self, request: HttpRequest, row: ReplayPass) -> dict[str, Any]:
        with_registrations([row])
        return {
            "tone": TONES[PassState(row.state)],
            "deliveries": Delivery.objects.filter(replay_pass=row).order_by("-id")[:100],
        }


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ("number", "changes", "published", "told_by")
    ordering = ("-number",)
    sortable_by = ()
    empty_title = _("Nothing published yet")
    empty_text = _(
        "A delivery gets the next number when it is completely read: the order in which the world sees things."
    )

    @admin.display(description=_("Changes"))
    def changes(self, row: Publication) -> int:
        return row.change_count

    @admin.display(description=_("Delivery"))
    def told_by(self, row: Publication) -> str:
        return str(row.delivery_id)

    @admin.display(description=_("Published"))
    def published(self, row: Publication) -> SafeString | str:
        return ago(row.published_at)


@admin.register(DailyCount)
class DailyCountAdmin(ReadOnlyAdmin):
    list_display = ("day", "what", "kind_words", "element", "weight", "place", "count")
    list_filter = (choice_filter("what", [("change", _("Changes")), ("notification", _("Notifications"))], _("what")),)
    ordering = ("-day", "-what", "-id")
    sortable_by = ()
    empty_title = _("Nothing counted yet")
    empty_text = _("Changes and notifications are counted by day as they are published.")

    @admin.display(description=_("Kind"))
    def kind_words(self, row: DailyCount) -> str:
        known = dict(Kind.choices if row.what == "change" else NotificationType.choices)
        return str(known.get(row.kind, row.kind))

    @admin.display(description=_("Country"))
    def place(self, row: DailyCount) -> str:
        return country_name(row.country)

    @admin.display(description=_("Weight"))
    def weight(self, row: DailyCount) -> str:
        return str(Severity(row.severity).label)
