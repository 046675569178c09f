"""Data fetches: their list, the page of one, and what its documents change."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge
from monitoring.data_fetch.admin.page_context import TONES, company_of, fetch_of
from monitoring.data_fetch.admin.request_page import PERMISSION, request_page
from monitoring.data_fetch.decide import Chosen, NumberChanged, accept, discard, give_up
from monitoring.data_fetch.request import may_resume, resume_fetch, stop_fetch
from monitoring.models import DataFetch, FetchedCompany, FetchState
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.call_budgets.confirmation import confirmed_in


def _accept(request: HttpRequest, row: DataFetch) -> Outcome:
    return _decided(request, row, accept, gettext("Accepted: %(companies)s."))


def _discard(request: HttpRequest, row: DataFetch) -> Outcome:
    return _decided(request, row, discard, gettext("Discarded: %(companies)s. No company data was changed."))


def _give_up(request: HttpRequest, row: DataFetch) -> Outcome:
    return _decided(request, row, give_up, gettext("Discarded: %(companies)s. No company data was changed."))


def _decided(request: HttpRequest, row: DataFetch, act: Callable[..., int], words: str) -> Outcome:
    try:
        count = act(row, _chosen(request), by=actor_of(request))
    except NumberChanged as error:
        return messages.ERROR, str(error)
    return words % {"companies": plurals.companies(count)}


def _stop(request: HttpRequest, row: DataFetch) -> str:
    stopped = stop_fetch(row, by=actor_of(request))
    return gettext("Stopped. No further call is made.") if stopped else gettext("The data fetch had already ended.")


def _resume(request: HttpRequest, row: DataFetch) -> Outcome:
    if not may_resume(row):
        return messages.ERROR, gettext("No companies are left to fetch.")
    try:
        resume_fetch(row, confirmed_in(request.POST), by=actor_of(request))
    except (CallsChanged, BudgetUsedUp) as error:
        return messages.ERROR, str(error)
    return gettext("The data fetch continues.")


def _chosen(request: HttpRequest) -> Chosen:
    """Named companies, or the number that the page showed; without one, none that there can be."""
    shown = request.POST.get("number", "")
    number = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 10 else -1
    return request.POST.getlist("company") or number


ACTIONS: Mapping[str, Callable[[HttpRequest, DataFetch], Outcome]] = {
    "accept": _accept,
    "discard": _discard,
    "give-up": _give_up,
    "stop": _stop,
    "resume": _resume,
}


@admin.register(DataFetch)
class DataFetchAdmin(RowActions, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("name", "status", "findings", "requested_by", "when")
    list_filter = (choice_filter("state", FetchState.choices, _("state")),)
    ordering = ("-requested_at",)
    sortable_by = ()
    page_template = "monitoring/data_fetch/fetch.html"
    live_template = "monitoring/data_fetch/live.html"
    empty_title = _("No data fetches yet")
    empty_text = _("Open a company and select “Refresh from D&B”, or close a data gap on a registration's page.")
    empty_template = "monitoring/company_page/choose_company.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("request/", view(request_page), name="monitoring_datafetch_request"),
            path("<uuid:key>/company/<str:duns>/", view(self.company), name="monitoring_datafetch_company"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contract", "registration")

    @admin.display(description=_("Data fetch"))
    def name(self, row: DataFetch) -> str:
        return str(row)

    @admin.display(description=_("State"))
    def status(self, row: DataFetch) -> SafeString:
        return badge(row.get_state_display(), TONES[FetchState(row.state)], row.reason)

    @admin.display(description=_("Result"))
    def findings(self, row: DataFetch) -> str:
        return row.found or row.reason

    @admin.display(description=_("Requested"))
    def when(self, row: DataFetch) -> SafeString | str:
        return ago(row.requested_at)

    def may_act(self, request: HttpRequest, row: DataFetch, action: str) -> bool:
        return request.user.has_perm(PERMISSION)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return fetch_of(request, row, may_decide=self.may_act(request, row, "accept"))

    def company(self, request: HttpRequest, key: uuid.UUID, duns: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = FetchedCompany.objects.select_related("fetch__registration", "company", "registration")
        row = rows.filter(pk=FetchedCompany.key(key, duns)).first()
        if row is None:
            raise Http404(gettext("This company is not part of the data fetch."))
        context = company_of(row, may_decide=self.may_act(request, row.fetch, "accept"))
        return self.page(request, "monitoring/data_fetch/company.html", title=row.company.name or duns, **context)
