"""The page of the contract year: what is billed, what will be, what renews, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext

from core.cached_counts import last_count
from portfolio.billing.contract_year import Year, contract_year
from portfolio.models import Contract


class ContractYearPage:
    """For the admin of contracts: the page beside it (before other bases)."""

    admin_site: Any

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.year)
        return [path("year/", view, name="portfolio_contract_year"), *super().get_urls()]  # type: ignore[misc]

    def year(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        counted, counted_at = last_count("held")
        numbers = {one["name"]: one["year"] for one in counted["contracts"]}
        contracts = Contract.objects.order_by("name")
        years = [year_context(contract_year(contract, numbers.get(contract.name))) for contract in contracts]
        may_plan = request.user.has_perm("portfolio.change_subject")
        may_set = request.user.has_perm("portfolio.change_contract")
        context = {"years": years, "may_plan": may_plan, "may_set": may_set, "counted_at": counted_at}
        return self.page(request, "portfolio/billing/contract_year.html", title=gettext("Contract year"), **context)  # type: ignore[attr-defined, no-any-return]


def year_context(year: Year) -> dict[str, Any]:
    """The numbers and the lengths of the bar, in percent."""
    number = year.contract.contracted_number
    whole = max(number or 0, year.forecast, 1)
    return {
        "year": year,
        "number": number,
        "billed_width": f"{100 * year.billed / whole:.2f}",
        "coming_width": f"{100 * year.coming / whole:.2f}",
        "number_at": f"{100 * number / whole:.2f}" if number is not None else "",
        "over": max(year.forecast - number, 0) if number is not None else 0,
        "left": max(number - year.forecast, 0) if number is not None else 0,
        "renewing_over": max(year.renewing - number, 0) if number is not None else 0,
        "late": sum(plan.count for plan in year.plans if plan.too_late),
    }
