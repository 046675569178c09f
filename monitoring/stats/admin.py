"""Daily counts: the program's own record, read only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.text import country_name
from monitoring.models import (
    DailyStat,
    Kind,
    NotificationType,
    Severity,
)


@admin.register(DailyStat)
class DailyStatAdmin(ReadOnlyAdmin):
    list_display = ("day", "what", "kind_words", "element", "severity_badge", "place", "count")
    list_filter = (
        choice_filter("what", [("change", _("Changes")), ("notification", _("Notifications"))], _("content")),
    )
    ordering = ("-day", "-what", "-id")
    sortable_by = ()
    empty_title = _("No statistics yet")
    empty_text = _("Changes and notifications are counted per day after they are published.")

    @admin.display(description=_("Type"))
    def kind_words(self, row: DailyStat) -> str:
        known = dict(Kind.choices if row.what == "change" else NotificationType.choices)
        return str(known.get(row.kind, row.kind))

    @admin.display(description=_("Country"))
    def place(self, row: DailyStat) -> str:
        return country_name(row.country)

    @admin.display(description=_("Severity"))
    def severity_badge(self, row: DailyStat) -> str:
        return str(Severity(row.severity).label)
