"""Who came in and who failed to, for administrators; with a button that unlocks."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.audit import record
from core.markup import ago, badge
from core.text import counted


class PlacesAdmin(ReadOnlyAdmin):
    """What both lists tell: who, from where, with what."""

    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "path_info", "attempt_time")
    title: str | Promise = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "title": self.title})
        return page

    @admin.display(description=_("When"))
    def when(self, row: Any) -> SafeString | str:
        return ago(row.attempt_time)

    @admin.display(description=_("Name"))
    def name(self, row: Any) -> str:
        return row.username or gettext("none")

    @admin.display(description=_("From"))
    def place(self, row: Any) -> str:
        return row.ip_address or gettext("unknown")


@admin.register(AccessAttempt)
class AttemptAdmin(PlacesAdmin):
    list_display = ("name", "place", "state", "failed", "when", "user_agent")
    actions = ("unlock",)
    title = _("Failed sign-ins")
    empty_title = _("Nobody failed to sign in lately")
    empty_text = _("Who gives a wrong password stands here for a quarter of an hour, and is locked after five.")

    @admin.display(description=_("State"))
    def state(self, row: AccessAttempt) -> SafeString:
        is_over = row.attempt_time < timezone.now() - settings.AXES_COOLOFF_TIME
        if is_over or row.failures_since_start < settings.AXES_FAILURE_LIMIT:
            return badge(gettext("May try again"), "calm")
        return badge(gettext("Locked"), "bad", gettext("Until a quarter of an hour after the last attempt"))

    @admin.display(description=_("Failures"))
    def failed(self, row: AccessAttempt) -> int:
        return int(row.failures_since_start)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @admin.action(description=_("Unlock"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        for row in rows:
            summary = gettext("Sign-in unlocked: %(name)s from %(place)s") % {
                "name": self.name(row),
                "place": self.place(row),
            }
            record(actor=request.user.get_username(), action="signin.unlocked", thing=row, summary=summary)
            row.delete()
        said = ngettext(
            "%(count)s sign-in unlocked: they may try again at once.",
            "%(count)s sign-ins unlocked: they may try again at once.",
            len(rows),
        )
        messages.success(request, said % {"count": counted(len(rows))})


@admin.register(AccessLog)
class SignInAdmin(PlacesAdmin):
    list_display = ("name", "place", "when", "left", "user_agent")
    title = _("Sign-ins")
    empty_title = _("Nobody signed in yet")
    empty_text = _("Everybody who signs in is listed here for 90 days.")

    @admin.display(description=_("Signed out"))
    def left(self, row: AccessLog) -> SafeString | str:
        return ago(row.logout_time)
