"""Daily counts: the program's own record, read only."""

from __future__ import annotations

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.text import country_name, day_text
from monitoring.feed.admin import with_registrations
from monitoring.models import (
    DailyStat,
    Kind,
    NotificationType,
    Severity,
)
from portfolio.registrations.filters import RegistrationFilter


@admin.register(DailyStat)
class DailyStatAdmin(ReadOnlyAdmin):
    list_display = ("date", "reference", "what", "kind_words", "element", "severity_badge", "place", "count", "reports")
    list_filter = (
        choice_filter("what", [("change", _("Changes")), ("notification", _("Notifications"))], _("content")),
        RegistrationFilter,
    )
    ordering = ("-day", "-what", "-id")
    sortable_by = ()
    empty_title = _("No statistics yet")
    empty_text = _("Changes and notifications are counted per day after they are published.")

    def complete_rows(self, rows: list[DailyStat]) -> None:
        with_registrations(rows)

    @admin.display(description=_("Date"))
    def date(self, row: DailyStat) -> SafeString:
        return format_html('<span class="dm-one-line">{}</span>', day_text(row.day))

    @admin.display(description=_("Registration"))
    def reference(self, row: DailyStat) -> str:
        return row.registration.reference

    @admin.display(description=_("Type"))
    def kind_words(self, row: DailyStat) -> str:
        known = dict(Kind.choices if row.what == "change" else NotificationType.choices)
        return str(known.get(row.kind, row.kind))

    @admin.display(description=_("Country"))
    def place(self, row: DailyStat) -> str:
        return country_name(row.country)

    @admin.display(description=_("Severity"))
    def severity_badge(self, row: DailyStat) -> str:
        return str(Severity(row.severity).label) if row.what == "change" else ""
