"""The pages of the contract review: what monitoring brought, what could be saved, and the companies of a reason."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from core.text import counted, span
from monitoring.benefit.gains import EVENTS_SHOWN
from monitoring.benefit.review import STEPS, Review, ask_for_review, begun, companies_of, review
from monitoring.benefit.savings import Reason, alerts_of
from monitoring.benefit.year import Year
from monitoring.models import Severity
from portfolio.companies.columns import SEE_EXPOSURE, exposure_in
from portfolio.models import Company, Contract, Subject

RIGHTS = ("portfolio.view_contract", "monitoring.view_alert")
MAY_PLAN = "portfolio.change_subject"
A_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    _demand(request)
    if request.method == "POST":
        ask_for_review()
        messages.info(request, gettext("The numbers are being updated. You may leave this page."))
        return redirect("contract_review")
    found = review()
    context = {
        "title": gettext("Contract review"),
        "progress": _progress(),
        **(_numbers(found, request) if found else {}),
    }
    return _show(request, "monitoring/benefit/review.html", context)


def _numbers(found: Review, request: HttpRequest) -> dict[str, Any]:
    numbers, gains = found.numbers, found.numbers.gains
    median = gains.handled.since_change.median
    events = gains.events
    companies = Company.objects.in_bulk([one.duns for one in events])
    return {
        "made_at": found.made_at,
        "numbers": numbers,
        "year": numbers.year,
        "gains": gains,
        "severities": [(key, Severity(key).label, gains.changes[key]) for key in sorted(gains.changes, reverse=True)],
        "median": None if median is None else span(median),
        "events": [(one, companies.get(one.duns) or Company(duns=one.duns)) for one in events],
        "has_all_events": len(events) < EVENTS_SHOWN,
        **_money(request, numbers.currency),
    }


@require_safe
def companies(request: HttpRequest, reason: str) -> HttpResponse:
    """Each with its entries in registrations, to be selected for removal before the anniversary."""
    _demand(request)
    if reason not in Reason.values:
        raise Http404(gettext("This reason does not exist."))
    last = review()
    if last is None:
        return redirect("contract_review")
    found = Paginator(list(companies_of(last, Reason(reason))), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": Reason(reason).label,
        "year": last.numbers.year,
        "found": found,
        "rows": _rows(list(found), last.numbers.year),
        "may_plan": request.user.has_perm(MAY_PLAN),
        **_money(request, last.numbers.currency),
    }
    return _show(request, "monitoring/benefit/companies.html", context)


def _demand(request: HttpRequest) -> None:
    if not request.user.has_perms(RIGHTS):
        raise PermissionDenied


def _money(request: HttpRequest, currency: str) -> dict[str, Any]:
    """The heading of amounts, for those who may see them."""
    return {"exposure_heading": exposure_in(currency) if request.user.has_perm(SEE_EXPOSURE) else ""}


def _progress() -> dict[str, Any] | None:
    row = begun()
    if row is None:
        return None
    step = {"step": counted(max(row.step, 1)), "steps": counted(STEPS)}
    words = gettext("Being updated: step %(step)s of %(steps)s.") if row.step else gettext("Starts in a moment …")
    return {"percent": 100 * row.step // (STEPS + 1), "words": words % step}


def _show(request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**admin.site.each_context(request), "opts": Contract._meta, **context})


def _rows(numbers: list[str], year: Year) -> list[tuple[Company, list[Subject], int]]:
    """Each company with its entries, and how many alerts about it were raised in the year."""
    companies, alerts = Company.objects.in_bulk(numbers), alerts_of(year, numbers)
    entries: dict[str, list[Subject]] = defaultdict(list)
    rows = Subject.objects.filter(company__in=numbers).select_related("registration").defer("registration__detail")
    for row in rows.order_by("registration__reference"):
        entries[row.company_id].append(row)
    return [(companies[duns], entries[duns], alerts[duns]) for duns in numbers if duns in companies]
