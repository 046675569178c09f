"""Searches: the list that several people work on, one search, many to decide on, and the page that makes one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge
from core.text import country_name
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.company_search.admin.actions import ACTIONS, back_to_list
from portfolio.company_search.admin.find_page import contract_of, find_context, find_form, search_from
from portfolio.company_search.admin.page_context import TONES, search_context, shown
from portfolio.company_search.candidates import candidates_of
from portfolio.company_search.decide import not_added
from portfolio.imports.admin.actions import SEARCH, UPLOAD
from portfolio.imports.states import Refused
from portfolio.models import CompanySearch, SearchState, SubjectImport

# What a page of the list shows: searches, and candidates of each.
AT_ONCE, FIRST = 20, 4


class SearchedImportFilter(DropdownFilter):  # type: ignore[misc]
    """By a link from the import's page, so no other import is offered."""

    title = _("import")
    parameter_name = "subject_import"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = import_named(self.value() or "")
        return [(self.value() or "", str(found))] if found else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = import_named(self.value() or "")
        return queryset.filter(subject_import=found.pk) if found else queryset


def import_named(key: str) -> SubjectImport | None:
    try:
        return SubjectImport.objects.select_related("registration").filter(pk=uuid.UUID(key)).first()
    except ValueError:
        return None


@admin.register(CompanySearch)
class CompanySearchAdmin(RowActions, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("shown_name", "place", "status", "best", "source", "decision", "when")
    list_filter = (choice_filter("state", SearchState.choices, _("state")), SearchedImportFilter)
    list_select_related = ("subject_import",)
    ordering = ("-requested_at",)
    sortable_by = ()
    list_before_template = "portfolio/company_search/bar.html"
    page_template = "portfolio/company_search/search.html"
    empty_title = _("No company searches yet")
    empty_text = _("Companies that you search for at D&B by their names appear here, with the candidates found.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contract", "subject_import")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("find/", view(self.find), name="portfolio_companysearch_find"),
            path("decide/", view(self.decide), name="portfolio_companysearch_decide"),
            *super().get_urls(),
        ]

    # The list
    @admin.display(description=_("Name"))
    def shown_name(self, row: CompanySearch) -> str:
        return row.name

    @admin.display(description=_("Country"))
    def place(self, row: CompanySearch) -> str:
        return country_name(row.country)

    @admin.display(description=_("State"))
    def status(self, row: CompanySearch) -> SafeString:
        state = SearchState(row.state)
        return badge(state.label, TONES[state])

    @admin.display(description=_("Candidates"))
    def best(self, row: CompanySearch) -> str:
        return str(len(candidates_of(row)) or "")

    @admin.display(description=_("Import"))
    def source(self, row: CompanySearch) -> str:
        return str(row.subject_import) if row.subject_import else ""

    @admin.display(description=_("Decided by"))
    def decision(self, row: CompanySearch) -> str:
        return row.decided_by

    @admin.display(description=_("Requested"))
    def when(self, row: CompanySearch) -> SafeString | str:
        return ago(row.requested_at)

    # Finding one
    def find(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(SEARCH):
            raise PermissionDenied
        form, contract = find_form(request), contract_of(request)
        if request.method == "POST" and form.is_valid():
            try:
                search = search_from(request, form.cleaned_data)
                return HttpResponseRedirect(reverse("admin:portfolio_companysearch_change", args=[search.pk]))
            except (BudgetUsedUp, CallsChanged) as error:
                messages.error(request, str(error))
        context = find_context(request, contract, form)
        return self.page(request, "portfolio/company_search/find.html", title=gettext("Find a company"), **context)

    # Deciding
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return search_context(request, row)

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Those that nobody has decided on yet, of one import or of all."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        import_ = import_named(request.GET.get("import", ""))
        rows = self.get_queryset(request).filter(state=SearchState.FOUND)
        rows = rows.filter(subject_import=import_.pk).order_by("line") if import_ else rows.order_by("requested_at")
        found = list(rows[: AT_ONCE + 1])
        context = {
            "searches": shown(request, found[:AT_ONCE], FIRST),
            "has_more": len(found) > AT_ONCE,
            "import": import_,
            "back": import_.pk if import_ else "",
            "not_added": not_added(import_) if import_ else 0,
        }
        return self.page(request, "portfolio/company_search/decide.html", title=gettext("Choose companies"), **context)

    def may_act(self, request: HttpRequest, row: CompanySearch, action: str) -> bool:
        return request.user.has_perm(UPLOAD)

    def act(self, request: HttpRequest, row: CompanySearch, action: str) -> Outcome:
        try:
            outcome = super().act(request, row, action)
        except Refused as error:
            outcome = messages.ERROR, str(error)
        return back_to_list(request, outcome)
