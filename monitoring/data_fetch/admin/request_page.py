"""What a fetch would do, shown before anybody confirms it; confirmed, it begins."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from core.actors import actor_of
from core.admin.row_actions import demand
from core.ids import time_first_id
from monitoring.data_fetch.blocks import NoBlocks
from monitoring.data_fetch.plan import CannotFetch, GapInWork, Plan, plan_companies, plan_gap
from monitoring.data_fetch.request import known_fetch, request_fetch
from monitoring.models import DataFetch
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.call_budgets.confirmation import confirmed_in, planned_calls
from portfolio.models import Company, Registration

PERMISSION = "monitoring.request_datafetch"
# More would not fit a form; a data gap has no such limit.
MOST_COMPANIES = 500
NAMED = 20


def request_page(request: HttpRequest, companies: Sequence[str] = ()) -> HttpResponse:
    """Of companies selected in a list, of those named in the address, or of a registration's gap."""
    demand(request.user.has_perm(PERMISSION))
    given = request.POST if request.method == "POST" else request.GET
    numbers, gap = companies or given.getlist("company")[:MOST_COMPANIES], _gap_in(given.get("gap", ""))
    key = _key_in(request.POST.get("key", ""))
    if known := known_fetch(key):
        return _redirect(known)
    try:
        plan = plan_gap(gap) if gap else plan_companies(numbers)
        if "confirmed" in request.POST:
            return _redirect(request_fetch(plan, confirmed_in(request.POST), by=actor_of(request), key=key))
    except (CallsChanged, BudgetUsedUp) as error:
        messages.error(request, str(error))
    except (CannotFetch, NoBlocks) as error:
        other = error.fetch if isinstance(error, GapInWork) else None
        return _page(request, gap, {"refusal": str(error), "other": other})
    return _page(request, gap, {**_shown(plan), "key": key or time_first_id()})


def _redirect(fetch: DataFetch) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:monitoring_datafetch_change", args=[fetch.pk]))


def _key_in(text: str) -> uuid.UUID | None:
    """Of the form: sent twice, it is one request."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _gap_in(text: str) -> Registration | None:
    if not text:
        return None
    try:
        return get_object_or_404(Registration.objects.select_related("contract"), pk=uuid.UUID(text))
    except ValueError:
        raise Http404(gettext("This registration does not exist.")) from None


def _shown(plan: Plan) -> dict[str, Any]:
    numbers = [] if plan.gap else list(plan.companies)
    return {
        "plan": plan,
        "count": len(plan.companies),
        "numbers": numbers,
        "named": _names(numbers[:NAMED]),
        "more": max(len(numbers) - NAMED, 0),
        "calls": planned_calls(plan.contract, plan.calls),
    }


def _names(numbers: Collection[str]) -> Mapping[str, str]:
    names = dict(Company.objects.filter(pk__in=list(numbers)).values_list("pk", "name"))
    return {duns: names.get(duns) or duns for duns in numbers}


def _page(request: HttpRequest, gap: Registration | None, shown: Mapping[str, Any]) -> HttpResponse:
    title = gettext("Close data gap") if gap else gettext("Refresh from D&B")
    request.current_app = admin.site.name
    context = {**admin.site.each_context(request), "title": title, "gap": gap, **shown}
    return TemplateResponse(request, "monitoring/data_fetch/request.html", context)
