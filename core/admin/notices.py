"""Portfolio notices: reminders and other news about the portfolio."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.markup import ago
from core.models import Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("subject", "text", "link", "when")
    ordering = ("-created_at",)
    sortable_by = ()
    fields = ("subject", "text", "url", "created_at")
    empty_title = _("No portfolio notices yet")
    empty_text = _("Reminders of contract anniversaries and other notices about the portfolio appear here.")

    @admin.display(description=_("Page"))
    def link(self, row: Notice) -> SafeString | str:
        return (
            format_html('<a href="{}">{}</a>', row.url, gettext("View page"))
            if row.url.startswith(("/", "https://"))
            else ""
        )

    @admin.display(description=_("Created"))
    def when(self, row: Notice) -> SafeString | str:
        return ago(row.created_at)
