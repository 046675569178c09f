"""The feed of changes, newest first, and the page of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import BoundedPaginator, ReadOnlyAdmin
from core.admin.chips import Chip
from core.admin.filters import DaysFilter, choice_filter
from core.admin.lists import ChosenList
from core.visibility import visible_to
from monitoring.company_page.timeline import lines_of
from monitoring.deliveries.filters import DeliveryFilter
from monitoring.elements.admin.filters import ElementFilter
from monitoring.ingest.raw_item import pretty
from monitoring.models import NO_NOISE, Alert, AlertItem, Change, Kind, Severity
from monitoring.publications.filters import PublishedAfterFilter
from monitoring.publications.places import newest_for
from monitoring.story_order import LATEST_FIRST, newest, story_key
from monitoring.visibility import as_reported_to
from portfolio.companies.search import of_companies, with_companies
from portfolio.models import Registration
from portfolio.registrations.filters import RegistrationFilter


def with_registrations(rows: list[Any]) -> None:
    registrations = Registration.objects.defer("detail").in_bulk(list({row.registration_id for row in rows}))
    for row in rows:
        row.registration = registrations[row.registration_id]


def _raised(row: Change, reader: Any) -> list[Alert] | None:
    """The alerts that contain the change, as far as the reader sees them; None for who sees no alerts."""
    if not reader.has_perm("monitoring.view_alert"):
        return None
    items = AlertItem.objects.filter(company=row.company_id, changed_at=row.changed_at, change=row.pk)
    found = visible_to(reader, Alert.objects.filter(pk__in=list(items.values_list("alert_id", flat=True))))
    return list(found.order_by("raised_at", "id"))


FROM = {
    "from-high": (_("High and critical"), Severity.HIGH),
    "from-medium": (_("Medium and higher"), Severity.MEDIUM),
    "from-low": (_("Without noise"), Severity.LOW),
}
# What neither filters nor searches: with nothing else in the address, the list opens without noise.
NO_FILTERS = {"p", "o", "columns"}


class StoryPaginator(BoundedPaginator):
    """Pages in the order of keys that are never cut through a moment at random."""

    within: Sequence[str] = LATEST_FIRST

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows: Any = self.object_list
        return Page(newest(rows, start, start + self.per_page, self.within), number, self)


class SeverityFilter(choice_filter("severity", Severity.choices[::-1], _("severity"), Severity.NOISE.value)):  # type: ignore[misc]
    """One severity, or all from one on: each severity is a range of the same index."""

    all_option = ("all", _("All severities"))

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        self.is_opened = not set(request.GET) - NO_FILTERS
        # Other change types are few: they are found by their own index, which holds the severity.
        if request.GET.get("kind", Kind.ELEMENT) not in ("", Kind.ELEMENT):
            self.common = None
        super().__init__(request, params, model, model_admin)

    def value(self) -> str:
        return str(super().value() or "") or ("from-low" if self.is_opened else "all")

    @property
    def opening_chips(self) -> list[Chip]:
        """What the list leaves out before anything is filtered."""
        return [Chip(_("severity"), gettext("noise is hidden"), ChangeAdmin.everything)] if self.is_opened else []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        groups = [(value, words) for value, (words, _) in FROM.items()]
        return [*groups, *super().lookups(request, model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "from-low":
            # No range of the index: nearly all are meant, and the newest are read by their keys.
            return queryset.exclude(severity=Severity.NOISE)
        if self.value() in FROM:
            _, least = FROM[self.value()]
            found = queryset.filter(severity__in=[one.value for one in Severity if one >= least])
            return found if self.common is None else found.filter(NO_NOISE)
        chosen: QuerySet[Any] = super().queryset(request, queryset)
        return chosen


@admin.register(Change)
class ChangeAdmin(ChosenList, ReadOnlyAdmin):
    list_display = ("company_id", "element", "changed_at")
    usual_columns = ("duns", "name", "changed_at", "severity", "told")
    list_filter = (
        SeverityFilter,
        choice_filter("kind", Kind.choices, _("change type"), Kind.ELEMENT.value),
        RegistrationFilter,
        ElementFilter,
        DaysFilter,
        DeliveryFilter,
        PublishedAfterFilter,
    )
    search_fields = ("company",)
    search_help_text = _("D-U-N-S number or company name")
    ordering = ("-id",)
    seen = staticmethod(as_reported_to)
    paginator = StoryPaginator
    everything = "?severity=all"
    sortable_by = ()
    list_before_template = "monitoring/feed/changes_intro.html"
    page_template = "monitoring/feed/change.html"
    empty_title = _("No changes")
    empty_text = _("Changes to your companies appear here automatically, within a second of being pulled from D&B.")

    def get_urls(self) -> list[URLPattern]:
        pulse = path("pulse/", self.admin_site.admin_view(self.pulse), name="monitoring_change_pulse")
        return [pulse, *super().get_urls()]

    def pulse(self, request: HttpRequest) -> JsonResponse:
        """What open pages ask for: has anything been published since?"""
        return JsonResponse({"published": newest_for(request.user)})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found: Any = super().get_changelist_instance(request)
        found.published = newest_for(request.user)
        return found

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        # A scheduled export also tells what became of a change.
        return rows if getattr(request, "with_past", False) else rows.filter(superseded=False)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (of_companies(queryset, search_term, request.user) if search_term.strip() else queryset), False

    def complete_rows(self, rows: list[Change]) -> None:
        # Keys begin with the time; within one moment they follow no order of the story.
        rows.sort(key=story_key, reverse=True)
        with_companies(rows)
        for row, line in zip(rows, lines_of(rows), strict=True):
            row.line = line  # type: ignore[attr-defined]

    def page_context(self, request: HttpRequest, row: Change) -> dict[str, Any]:
        as_reported_to(request.user, [row])
        self.complete_rows([row])
        with_registrations([row])
        return {
            "title": f"{row.company}: {row.line.label}",  # type: ignore[attr-defined]
            "line": row.line,  # type: ignore[attr-defined]
            "raw_before": pretty(row.previous or ""),
            "raw_after": pretty(row.current or ""),
            "derived": row.derived_from.split(":") if row.derived_from else [],
            "alerts": _raised(row, request.user),
        }
