"""Companies: found by number or name, and the page that tells what one is and what happened to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from monitoring.history import Event, events_of, fold
from monitoring.retention import note_for
from monitoring.timeline import facts_of, mark_drift, timeline
from portfolio.admin.chosen import ChosenList
from portfolio.admin.import_actions import UPLOAD
from portfolio.admin.import_selection import stop_monitoring
from portfolio.filters import CountryFilter, start_of
from portfolio.markup import ago, badge
from portfolio.models import Company, Registration
from portfolio.pages import ReadOnlyAdmin
from portfolio.proposing import continued_by, continues
from portfolio.searching import duns_digits, find_companies

GOOD = ("active",)
BAD = ("out of business", "deleted at d&b", "merged into another company")


def status_tone(status: str) -> str:
    known = status.lower()
    return "good" if known in GOOD else "bad" if known in BAD else "calm"


def status_badge(company: Company) -> SafeString | str:
    return badge(company.operating_status, status_tone(company.operating_status)) if company.operating_status else ""


@admin.register(Company)
class CompanyAdmin(ChosenList, ReadOnlyAdmin):
    list_display = ("shown_name", "number", "city", "country", "status", "last_change")
    list_filter = (CountryFilter,)
    search_fields = ("name",)
    search_help_text = "A D-U-N-S number or its beginning, or how the name begins"
    sortable_by = ("shown_name", "number", "last_change")
    column_order = {"name": "search_name", "duns": "duns", "changed_at": "changed_at"}
    actions = ("stop_selected",)
    list_before_template = "pages/companies_intro.html"
    page_template = "pages/company.html"
    empty_title = "No companies"
    empty_text = "A company appears here with the first notification about it. Start a registration to get them."

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(UPLOAD)

    @admin.action(description="Stop monitoring…", permissions=["import"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Company]) -> HttpResponse:
        return stop_monitoring(request, queryset.order_by().values_list("duns", flat=True))

    @admin.display(description="Name", ordering="search_name")
    def shown_name(self, company: Company) -> str:
        return company.name or f"Name not known yet ({company.duns})"

    @admin.display(description="D-U-N-S", ordering="duns")
    def number(self, company: Company) -> str:
        return company.duns

    @admin.display(description="Status")
    def status(self, company: Company) -> SafeString | str:
        return status_badge(company)

    @admin.display(description="Last change", ordering="changed_at")
    def last_change(self, company: Company) -> SafeString | str:
        return ago(company.changed_at)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """The order of the index that the search or filter uses, so that nothing has to be sorted."""
        by_key = request.GET.get("country") or duns_digits(request.GET.get("q", ""))
        return ("duns",) if by_key else ("search_name", "duns")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (find_companies(queryset, search_term) if search_term.strip() else queryset), False

    def page_context(self, request: HttpRequest, row: Company) -> dict[str, Any]:
        until = end_of_day(request.GET.get("as_of", ""))
        events = events_of([row.duns], until=until)[row.duns]
        profile = fold(events)
        page = timeline(row.duns, before=request.GET.get("before", ""), until=until)
        mark_drift(page, events, profile)
        return {
            "status_tone": status_tone(row.operating_status),
            "facts": facts_of(profile.document),
            "page": page,
            "until": until,
            "as_of": request.GET.get("as_of", "") if until else "",
            "kept_note": note_for(until),
            "is_first": not request.GET.get("before"),
            "watched_by": watched_by(events),
            "continues": continues(row.duns),
            "continued_by": continued_by(row.duns),
            "address": profile.value("organization.primaryAddress"),
        }


def end_of_day(text: str) -> datetime | None:
    """The last moment of a day in the reader's zone; None where no day is given."""
    start = start_of(text) if text else None
    return start + timedelta(days=1) - timedelta(milliseconds=1) if start else None


def watched_by(events: list[Event]) -> list[Registration]:
    """The registrations through which something was heard of the company."""
    found = Registration.objects.defer("detail").in_bulk(list({event.registration for event in events}))
    return sorted(found.values(), key=lambda registration: registration.reference)
