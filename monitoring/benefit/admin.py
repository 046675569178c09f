"""The pages of the contract review: what monitoring brought, what could be saved, and the companies of a reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from core.text import span
from monitoring.benefit.gains import gains_of
from monitoring.benefit.savings import Reason, candidates_of
from monitoring.benefit.year import year_so_far
from monitoring.models import Severity
from portfolio.exposure.rates import exposure_settings
from portfolio.models import Company, Contract, Subject

RIGHTS = ("portfolio.view_contract", "monitoring.view_alert")
MAY_SEE_EXPOSURE = "portfolio.view_exposure"
MAY_PLAN = "portfolio.change_subject"
A_PAGE = 100


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    _demand(request)
    year, with_exposure = year_so_far(), request.user.has_perm(MAY_SEE_EXPOSURE)
    gains, candidates = gains_of(year, with_exposure=with_exposure), candidates_of(year)
    median = gains.handled.since_change.median
    context = {
        "title": gettext("Contract review"),
        "year": year,
        "gains": gains,
        "severities": [(Severity(key).label, gains.changes[key]) for key in sorted(gains.changes, reverse=True)],
        "median": None if median is None else span(median),
        "candidates": candidates,
        "savings": candidates.savings(),
        "with_exposure": with_exposure,
        "currency": exposure_settings().reporting_currency,
    }
    return _show(request, "monitoring/benefit/review.html", context)


@require_safe
def companies(request: HttpRequest, reason: str) -> HttpResponse:
    """Each with its entries in registrations, to be selected for removal before the anniversary."""
    _demand(request)
    if reason not in Reason.values:
        raise Http404(gettext("This reason does not exist."))
    candidates = candidates_of(year_so_far())
    found = Paginator(sorted(candidates.by_reason[Reason(reason)]), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": Reason(reason).label,
        "found": found,
        "rows": _rows(list(found), candidates.alerts),
        "may_plan": request.user.has_perm(MAY_PLAN),
        "with_exposure": request.user.has_perm(MAY_SEE_EXPOSURE),
        "currency": exposure_settings().reporting_currency,
    }
    return _show(request, "monitoring/benefit/companies.html", context)


def _demand(request: HttpRequest) -> None:
    if not request.user.has_perms(RIGHTS):
        raise PermissionDenied


def _show(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**admin.site.each_context(request), "opts": Contract._meta, **context})


def _rows(numbers: list[str], alerts: Counter[str]) -> list[tuple[Company, list[Subject], int]]:
    """Each company with its entries, and how many alerts about it were raised."""
    companies = Company.objects.in_bulk(numbers)
    entries: dict[str, list[Subject]] = defaultdict(list)
    rows = Subject.objects.filter(company__in=numbers).select_related("registration").defer("registration__detail")
    for row in rows.order_by("registration__reference"):
        entries[row.company_id].append(row)
    return [(companies[duns], entries[duns], alerts[duns]) for duns in numbers]
