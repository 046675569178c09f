"""Unreadable items: look, try again, or set aside."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import PageAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import RowAction, RowActions
from core.audit import record
from core.blobs import load_bytes
from core.markup import ago, badge
from core.text import counted
from monitoring.deliveries.admin import as_download
from monitoring.feed.admin import with_registrations
from monitoring.ingest.raw_item import pretty
from monitoring.models import DeadLetter, DeadLetterState
from monitoring.pipeline.ingest import retry_dead_letter
from portfolio.registrations.filters import RegistrationFilter

TONES = {DeadLetterState.OPEN: "bad", DeadLetterState.SOLVED: "good", DeadLetterState.SET_ASIDE: "calm"}
SHOWN_BYTES = 100_000


def try_again(letters: list[DeadLetter]) -> str:
    """Read each again; says how many could be read this time."""
    solved = sum(retry_dead_letter(letter) for letter in letters)
    left = len(letters) - solved
    text = ngettext("%(count)s item was parsed.", "%(count)s items were parsed.", solved)
    rest = ngettext("%(left)s item still failed.", "%(left)s items still failed.", left) % {"left": left}
    return text % {"count": counted(solved)} + (f" {rest}" if left else "")


def set_aside(letters: list[DeadLetter]) -> str:
    keys = [letter.pk for letter in letters]
    count = DeadLetter.objects.filter(pk__in=keys).update(state=DeadLetterState.SET_ASIDE)
    return ngettext(
        "%(count)s item dismissed. Its data is kept.", "%(count)s items dismissed. Their data is kept.", count
    ) % {"count": counted(count)}


ACTIONS = {"try-again": try_again, "set-aside": set_aside}


def act(action: str, letters: list[DeadLetter], *, by: str) -> str:
    """Carry it out and write it down."""
    said = ACTIONS[action](letters)
    for row in letters:
        record(actor=by, action=f"unreadable.{action}", thing=row, summary=said, before={"state": row.state})
    return said


def _acts(name: str) -> RowAction:
    return lambda request, row: (messages.INFO, act(name, [row], by=request.user.get_username()))


@admin.register(DeadLetter)
class DeadLetterAdmin(RowActions, PageAdmin):
    list_display = ("when", "reference", "status", "reason", "begins")
    list_filter = (choice_filter("state", DeadLetterState.choices, _("state")), RegistrationFilter)
    ordering = ("-recorded_at", "-id")
    sortable_by = ()
    row_actions = {name: _acts(name) for name in ACTIONS}
    actions = ("try_selected_again", "set_selected_aside")
    page_template = "monitoring/ingest/dead_letter.html"
    empty_title = _("No parsing errors")
    empty_template = "monitoring/ingest/dead_letters_empty.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:key>/raw/", view(self.raw), name="monitoring_deadletter_raw"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def raw(self, request: HttpRequest, key: Any) -> HttpResponse:
        row = self.object_or_404(request, str(key))
        return as_download(load_bytes(row.pk), f"unreadable-{row.pk}.txt")

    @admin.action(description=_("Retry"), permissions=["change"])
    def try_selected_again(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        messages.info(request, act("try-again", list(queryset), by=request.user.get_username()))

    @admin.action(description=_("Dismiss"), permissions=["change"])
    def set_selected_aside(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        messages.info(request, act("set-aside", list(queryset), by=request.user.get_username()))

    def complete_rows(self, rows: list[DeadLetter]) -> None:
        with_registrations(rows)

    @admin.display(description=_("Found"))
    def when(self, row: DeadLetter) -> SafeString | str:
        return ago(row.recorded_at)

    @admin.display(description=_("Registration"))
    def reference(self, row: DeadLetter) -> str:
        return row.registration.reference

    @admin.display(description=_("State"))
    def status(self, row: DeadLetter) -> SafeString:
        state = DeadLetterState(row.state)
        return badge(state.label, TONES[state])

    @admin.display(description=_("Begins with"))
    def begins(self, row: DeadLetter) -> str:
        return row.preview[:80]

    def page_context(self, request: HttpRequest, row: DeadLetter) -> dict[str, Any]:
        with_registrations([row])
        content = load_bytes(row.pk)
        return {
            "title": gettext("Parsing error"),
            "tone": TONES[DeadLetterState(row.state)],
            "may_act": self.has_change_permission(request, row) and row.state != DeadLetterState.SOLVED,
            "size": len(content),
            "is_cut": len(content) > SHOWN_BYTES,
            "raw": pretty(content[:SHOWN_BYTES]),
        }
