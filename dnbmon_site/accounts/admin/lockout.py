"""Logins and failed logins, for administrators; with an action that unblocks."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessAttemptExpiration, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin, name_model
from core.audit import record
from core.markup import ago, badge
from core.text import counted

name_model(AccessAttempt, _("blocked login"), _("blocked logins"))
name_model(AccessLog, _("login"), _("logins"))
# Only in the permissions of a role.
name_model(AccessAttemptExpiration, _("end of a blocked login"), _("ends of blocked logins"))
name_model(AccessFailureLog, _("failed login"), _("failed logins"))


class PlacesAdmin(ReadOnlyAdmin):
    """What both lists show: the user, the address and the browser."""

    ordering = ("-id",)
    sortable_by = ()
    search_fields = ("username", "ip_address")
    fields = ("username", "ip_address", "user_agent", "path_info", "attempt_time")
    title: str | Promise = ""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: HttpResponse = super().changelist_view(request, {**(extra_context or {}), "title": self.title})
        return page

    @admin.display(description=_("Date"))
    def when(self, row: Any) -> SafeString | str:
        return ago(row.attempt_time)

    @admin.display(description=_("Username"))
    def name(self, row: Any) -> str:
        return row.username or gettext("None")

    @admin.display(description=_("IP address"))
    def place(self, row: Any) -> str:
        return row.ip_address or gettext("Unknown")

    @admin.display(description=_("Browser"))
    def browser(self, row: Any) -> str:
        return str(row.user_agent)


@admin.register(AccessAttempt)
class AttemptAdmin(PlacesAdmin):
    list_display = ("name", "place", "state", "failed", "when", "browser")
    actions = ("unlock",)
    title = _("Blocked logins")
    empty_title = _("No failed logins in the last 15 minutes")
    empty_text = _(
        "Failed logins are listed here for 15 minutes. After 5 failures, the login is blocked for 15 minutes."
    )

    @admin.display(description=_("State"))
    def state(self, row: AccessAttempt) -> SafeString:
        is_over = row.attempt_time < timezone.now() - settings.AXES_COOLOFF_TIME
        if is_over or row.failures_since_start < settings.AXES_FAILURE_LIMIT:
            return badge(gettext("Not blocked"), "calm")
        return badge(gettext("Blocked"), "bad", gettext("The block ends 15 minutes after the last attempt."))

    @admin.display(description=_("Failed attempts"))
    def failed(self, row: AccessAttempt) -> int:
        return int(row.failures_since_start)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("axes.delete_accessattempt"))

    @admin.action(description=_("Unblock logins"), permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        rows = list(queryset)
        for row in rows:
            summary = gettext("Login of %(name)s from %(place)s unblocked") % {
                "name": self.name(row),
                "place": self.place(row),
            }
            record(actor=request.user.get_username(), action="signin.unlocked", thing=row, summary=summary)
            row.delete()
        text = ngettext(
            "%(count)s login unblocked. The user can sign in again.",
            "%(count)s logins unblocked. The users can sign in again.",
            len(rows),
        )
        messages.success(request, text % {"count": counted(len(rows))})


@admin.register(AccessLog)
class SignInAdmin(PlacesAdmin):
    list_display = ("name", "place", "when", "left", "browser")
    title = _("Login history")
    list_before_template = "dnbmon_site/accounts/login_history_intro.html"
    empty_title = _("No logins yet")
    empty_text = _("Logins are listed here for 90 days.")

    @admin.display(description=_("Logout"))
    def left(self, row: AccessLog) -> SafeString | str:
        return ago(row.logout_time)
