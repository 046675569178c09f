"""Notifications as D&B sent them, and what each one changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import DaysFilter, choice_filter
from core.admin.lists import ChosenList
from monitoring.company_page.timeline import Line, lines_of
from monitoring.deliveries.filters import DeliveryFilter
from monitoring.elements.formatting import lower_first
from monitoring.feed.admin import StoryPaginator, with_registrations
from monitoring.history.state import SNAPSHOT
from monitoring.ingest.raw_item import pretty, raw_item
from monitoring.models import Change, Delivery, Notification, NotificationType
from monitoring.story_order import LATEST_NOTIFICATIONS_FIRST, story_key
from portfolio.companies.search import of_companies, with_companies
from portfolio.registrations.filters import RegistrationFilter

TONES = {"DELETE": "bad", "TRANSFER": "bad", "UNDER_REVIEW": "warn", "EXIT": "warn", "REMOVED": "warn", "SEED": "good"}
TOLD, MOST = 3, 2_000


def changes_of(notifications: list[Notification], most: int) -> dict[Any, tuple[list[Line], int]]:
    """The most severe lines of each notification, and how many more it has."""
    rows = Change.objects.filter(notification__in=[row.pk for row in notifications], superseded=False)
    found: dict[Any, list[Any]] = {row.pk: [] for row in notifications}
    for notification, key in rows.order_by("-severity", "place", "-id").values_list("notification_id", "pk"):
        found[notification].append(key)
    changes = Change.objects.in_bulk([key for keys in found.values() for key in keys[:most]])
    lines = {line.change.pk: line for line in lines_of(list(changes.values()))}
    return {
        notification: ([lines[key] for key in keys[:most] if key in lines], max(len(keys) - most, 0))
        for notification, keys in found.items()
    }


def replacements_of(notification: Notification) -> list[Line]:
    """The changes that report what this notification brought, where those replaced its own."""
    replaced = Change.objects.filter(notification=notification.pk, replaced_by__isnull=False)
    keys = {key for key in replaced.values_list("replaced_by", flat=True)[:MOST] if key}
    rows = Change.objects.in_bulk(list(keys)).values() if keys else []
    return lines_of(sorted(rows, key=story_key, reverse=True))


class NotificationPaginator(StoryPaginator):
    within = LATEST_NOTIFICATIONS_FIRST


@admin.register(Notification)
class NotificationAdmin(ChosenList, ReadOnlyAdmin):
    list_display = ("type", "company_id", "delivered_at")
    usual_columns = ("duns", "name", "type", "delivered_at")
    list_filter = (
        choice_filter("type", NotificationType.choices, _("type"), NotificationType.UPDATE.value),
        RegistrationFilter,
        DaysFilter,
        DeliveryFilter,
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("-id",)
    paginator = NotificationPaginator
    sortable_by = ()
    page_template = "monitoring/ingest/notification.html"
    empty_title = _("No notifications")
    empty_text = _("Every notification from D&B appears here once, even if D&B delivers it several times.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(type=SNAPSHOT).defer("organization")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Any]) -> None:
        # Keys begin with the time; within one moment they follow no order of the story.
        rows.sort(key=lambda row: (row.pk.int >> 80, row.place, row.pk.int), reverse=True)
        with_companies(rows)
        with_registrations(rows)
        changes = changes_of(rows, TOLD)
        for row in rows:
            row.lines, row.more = changes[row.pk]
            row.tone = TONES.get(row.type, "calm")
            row.type_words = type_words(row.type)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        with_companies([row])
        with_registrations([row])
        row.delivery = Delivery.objects.get(pk=row.delivery_id)
        lines, more = changes_of([row], MOST)[row.pk]
        return {
            "title": f"{row.company}: {lower_first(type_words(row.type))}",
            "type_words": type_words(row.type),
            "tone": TONES.get(row.type, "calm"),
            "lines": lines,
            "more": more,
            "replacements": replacements_of(row),
            "raw": pretty(raw_item(row) or row.organization),
        }


def type_words(type_: str) -> str:
    """D&B's set of types is open: an unknown one is shown as it came."""
    return str(dict(NotificationType.choices).get(type_, type_))
