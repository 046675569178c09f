"""The dossier of a company as a page, at `/portfolio/company/<D-U-N-S number>/dossier/`, and as a PDF."""

from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from core.actors import actor_of, person_text
from monitoring.dossier.dossier import Dossier, dossier_of, record_reading
from monitoring.dossier.reader import Reader, reader_of_user
from monitoring.dossier.span import Span, quick_spans, read_span
from monitoring.dossier.view_data import page_context
from portfolio.models import Company

MAY_SEE = "portfolio.view_company"


@require_safe
def page(request: HttpRequest, duns: str) -> HttpResponse:
    dossier, problem = _dossier(request, duns, "page")
    request.current_app = admin.site.name
    context = {
        **admin.site.each_context(request),
        **page_context(dossier, request.GET.get("page")),
        "opts": Company._meta,
        "title": gettext("Dossier of %(company)s") % {"company": dossier.company},
        "problem": problem,
        "today": timezone.localdate(),
        "query": _query(dossier.span),
        "quick": [(label, span, _query(span)) for label, span in quick_spans()],
    }
    return TemplateResponse(request, "monitoring/dossier/dossier.html", context)


@require_safe
def pdf(request: HttpRequest, duns: str) -> HttpResponse:
    from monitoring.dossier.pdf import dossier_pdf

    if read_span(request.GET.dict())[1]:
        # The page says what is wrong: a file of other days would be taken for the one that was asked for.
        return HttpResponseRedirect(f"{reverse('company_dossier', args=[duns])}?{request.GET.urlencode()}")
    dossier, _problem = _dossier(request, duns, "PDF")
    name = f"dossier-{duns}-{dossier.span.first}-{dossier.span.last}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(
        dossier_pdf(dossier, by=person_text(request.user)), content_type="application/pdf", headers=headers
    )


def _query(span: Span) -> str:
    return f"since={span.first}&until={span.last}"


def _dossier(request: HttpRequest, duns: str, how: str) -> tuple[Dossier, str]:
    if not request.user.has_perm(MAY_SEE):
        raise PermissionDenied
    reader, (span, problem) = reader_of_user(request.user), read_span(request.GET.dict())
    dossier = dossier_of(_company(reader, duns), span, reader)
    record_reading(dossier, by=actor_of(request), how=how)
    return dossier, problem


def _company(reader: Reader, duns: str) -> Company:
    row = reader.rows(Company).filter(pk=duns).first() if duns.isascii() and duns.isdigit() else None
    if row is None:
        raise Http404(gettext("D&B Monitoring has no company with this D-U-N-S number."))
    return row
