"""The lists of D&B's codes that were fetched, and the button that fetches them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.row_actions import demand
from core.text import counted
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls
from portfolio.models import Contract, ReferenceList
from portfolio.reference_data.fetch import last_request, planned_fetch, request_reference_data

FETCH = "portfolio.fetch_referencelist"
LIST = "admin:portfolio_referencelist_changelist"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@admin.register(ReferenceList)
class ReferenceListAdmin(ReadOnlyAdmin):
    list_display = ("name", "language_name", "codes", "fetched_at", "status")
    list_display_links = None
    ordering = ("category", "language")
    sortable_by = ()
    list_before_template = "portfolio/reference_data/bar.html"
    empty_title = _("No reference data yet")
    empty_text = _("D&B's descriptions of its codes, in your users' languages, appear here after you fetch them.")

    def get_urls(self) -> list[URLPattern]:
        fetch = path("fetch/", self.admin_site.admin_view(self.fetch), name="portfolio_referencelist_fetch")
        return [fetch, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReferenceList]:
        """D&B's list of categories is only a means."""
        rows: QuerySet[ReferenceList] = super().get_queryset(request).exclude(category="")
        return rows

    @admin.display(description=_("Category"))
    def name(self, row: ReferenceList) -> str:
        return str(row)

    @admin.display(description=_("Language"))
    def language_name(self, row: ReferenceList) -> str:
        return str(get_language_info(row.language)["name_translated"])

    @admin.display(description=_("Codes"))
    def codes(self, row: ReferenceList) -> str:
        return counted(row.count) if row.count else "–"

    @admin.display(description=_("Status"))
    def status(self, row: ReferenceList) -> str:
        if row.error:
            return row.error
        if row.called_at is None or row.called_at < row.requested_at:
            return gettext("Requested")
        return gettext("Available") if row.fetched_at else gettext("No response")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_fetch": request.user.has_perm(FETCH), **(extra_context or {})})

    def fetch(self, request: HttpRequest) -> HttpResponse:
        """The calls first; with the number that was shown, they are requested."""
        demand(request.user.has_perm(FETCH))
        chosen = request.POST.get("contract") or request.GET.get("contract") or ""
        contracts = list(Contract.objects.order_by("name"))
        contract = next((row for row in contracts if row.pk == chosen), contracts[0] if contracts else None)
        if contract is None:
            messages.error(request, gettext("Set up a contract with D&B first."))
            return HttpResponseRedirect(reverse(LIST))
        if request.method == "POST":
            return self._requested(request, contract)
        calls = planned_calls(contract, planned_fetch())
        context = {"contract": contract, "contracts": contracts, "calls": calls, "seen": _text(last_request())}
        return self.page(
            request, "portfolio/reference_data/fetch.html", title=gettext("Fetch reference data"), **context
        )

    def _requested(self, request: HttpRequest, contract: Contract) -> HttpResponse:
        confirmed, seen = confirmed_in(request.POST), _moment(request.POST.get("seen", ""))
        try:
            count = request_reference_data(contract, confirmed=confirmed, requested_by=actor_of(request), seen=seen)
        except (BudgetUsedUp, CallsChanged) as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:portfolio_referencelist_fetch"))
        if count:
            messages.success(request, gettext("Requested. The lists appear here within a few minutes."))
        else:
            messages.info(request, gettext("The lists are already requested. No further call is made."))
        return HttpResponseRedirect(reverse(LIST))


def _text(moment: datetime | None) -> str:
    return (moment or NEVER).isoformat()


def _moment(text: str) -> datetime:
    """Of the last request when the page was shown; without it, none is known to be new."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else NEVER
    except ValueError:
        return NEVER
