"""Publications: the program's own record, read only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
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
    empty_title = _("Nothing published yet")
    empty_text = _(
        "A delivery gets the next number when it is completely read: the order in which the world sees things."
    )

    @admin.display(description=_("Changes"))
    def changes(self, row: Publication) -> int:
        return row.change_count

    @admin.display(description=_("Delivery"))
    def delivery_key(self, row: Publication) -> str:
        return str(row.delivery_id)

    @admin.display(description=_("Published"))
    def published(self, row: Publication) -> SafeString | str:
        return ago(row.published_at)
