"""The page of the portfolio's risk, its files, and the lists behind its numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from core import plurals
from core.audit import note_act
from core.visibility import visible_to
from portfolio.companies.conditions import NO, in_portfolio
from portfolio.models import Company

# numpy is loaded with the first page, not with the program: what is imported here must not import it.
MAY_SEE = "portfolio.view_company"
MAY_SEE_MONEY = "portfolio.view_exposure"
CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    from monitoring.portfolio_page.form import form_context
    from monitoring.portfolio_page.view_data import page_context

    overview = _overview(request)
    context = {**page_context(overview), **form_context(overview.asked, overview.world.snapshot, request.user)}
    return _page(request, "monitoring/portfolio_page/risk.html", gettext("Portfolio risk"), context)


@require_safe
def trend(request: HttpRequest) -> HttpResponse:
    """The sentence on top of the page, which comes later: an earlier day takes longer than today."""
    from monitoring.portfolio_page.asked import read_asked
    from monitoring.portfolio_page.trend import trend_of

    _demand(request)
    found = trend_of(read_asked(request.GET, request.user), with_money=_may_see_money(request))
    return TemplateResponse(request, "monitoring/portfolio_page/trend.html", {"trend": found})


@require_safe
def uncounted(request: HttpRequest) -> HttpResponse:
    """A sentence on top of the page, which comes later too: the companies of the list that the page does not count."""
    _demand(request)
    count = in_portfolio(visible_to(request.user, Company.objects.all()), NO).count()
    return TemplateResponse(request, "monitoring/portfolio_page/uncounted.html", {"count": count})


@require_safe
def movement(request: HttpRequest) -> HttpResponse:
    from monitoring.portfolio_page.asked import read_asked
    from monitoring.portfolio_page.comparison import comparison_of
    from monitoring.portfolio_page.form import form_context
    from monitoring.portfolio_page.movement_data import movement_context

    _demand(request)
    found = comparison_of(read_asked(request.GET, request.user), with_money=_may_see_money(request))
    form = form_context(found.asked, found.after_world.snapshot, request.user, is_movement=True)
    return _page(
        request, "monitoring/portfolio_page/movement.html", gettext("Movement"), movement_context(found) | form
    )


@require_safe
def companies(request: HttpRequest) -> HttpResponse:
    from monitoring.portfolio_page.list_data import list_context

    _demand(request)
    context = list_context(request.GET, request.user, with_money=_may_see_money(request))
    return _page(request, "monitoring/portfolio_page/companies.html", gettext("Companies"), context)


@require_safe
def companies_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All companies of the list, sent while they are read."""
    from monitoring.portfolio_page.list_file import list_file

    _demand(request)
    count, pieces = list_file(request.GET, request.user, with_money=_may_see_money(request))
    return StreamingHttpResponse(pieces, content_type=CSV, headers=_noted(request, count, "CSV"))


@require_safe
def companies_xlsx(request: HttpRequest) -> HttpResponse:
    """As a spreadsheet, where the list is not too long for one."""
    from monitoring.portfolio_page.list_file import list_sheet

    _demand(request)
    count, sheet = list_sheet(request.GET, request.user, with_money=_may_see_money(request))
    if not sheet:
        raise Http404(gettext("This list is too long for a spreadsheet. Download it as CSV."))
    return HttpResponse(sheet, content_type=XLSX, headers=_noted(request, count, "XLSX"))


def _noted(request: HttpRequest, count: int, form: str) -> dict[str, str]:
    """Who took how many companies out is in the audit log; the file's name."""
    from monitoring.portfolio_page.list_data import words_of_list

    filters, words = words_of_list(request.GET, request.user), gettext("%(list)s exported as %(format)s")
    if filters:
        words = gettext("%(list)s exported as %(format)s, filtered by %(query)s")
    summary = words % {"list": plurals.companies(count), "format": form, "query": filters}
    note_act(actor=request.user.get_username(), action="export", what="portfolio", key="", summary=summary)
    name = f"portfolio-companies-{timezone.now():%Y%m%d-%H%M%S}.{form.lower()}"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@require_safe
def pdf(request: HttpRequest) -> HttpResponse:
    from monitoring.portfolio_page.files.pdf import overview_pdf

    return _file(request, overview_pdf, "pdf", PDF)


@require_safe
def xlsx(request: HttpRequest) -> HttpResponse:
    from monitoring.portfolio_page.files.xlsx import overview_xlsx

    return _file(request, overview_xlsx, "xlsx", XLSX)


def _file(request: HttpRequest, make: Callable[[Any], bytes], ending: str, kind: str) -> HttpResponse:
    overview = _overview(request)
    name = f'attachment; filename="portfolio-risk-{overview.day:%Y-%m-%d}.{ending}"'
    return HttpResponse(make(overview), content_type=kind, headers={"Content-Disposition": name})


def _overview(request: HttpRequest) -> Any:
    from monitoring.portfolio_page.asked import read_asked
    from monitoring.portfolio_page.overview import overview_of

    _demand(request)
    return overview_of(read_asked(request.GET, request.user), with_money=_may_see_money(request))


def _demand(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied


def _may_see_money(request: HttpRequest) -> bool:
    return request.user.has_perm(MAY_SEE_MONEY)


def _page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    request.current_app = admin.site.name
    return TemplateResponse(request, template, {**admin.site.each_context(request), "title": title, **context})
