"""Publications: the program's own record, read only."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.markup import ago
from monitoring.models import (
    Publication,
)


@admin.register(Publication)
class PublicationAdmin(ReadOnlyAdmin):
    list_display = ("sequence", "changes", "published", "delivery_key")
    ordering = ("-sequence",)
    sortable_by = ()
    list_before_template = "monitoring/feed/publications_intro.html"
    empty_title = _("No events published yet")
    empty_text = _(
        "Each processed delivery gets the next sequence number. API clients and webhooks receive changes in this order."
    )

    @admin.display(description=_("Changes"))
    def changes(self, row: Publication) -> int:
        return row.change_count

    @admin.display(description=_("Delivery"))
    def delivery_key(self, row: Publication) -> SafeString:
        page = reverse("admin:monitoring_delivery_change", args=[row.delivery_id])
        return format_html('<a href="{}">{}</a>', page, gettext("View delivery"))

    @admin.display(description=_("Published"))
    def published(self, row: Publication) -> SafeString | str:
        return ago(row.published_at)
