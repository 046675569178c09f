"""The page of a family tree, at `/portfolio/family-tree/<D-U-N-S number of a member>/`, and what is added from it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from core.actors import actor_of
from core.admin.row_actions import demand
from core.visibility import is_restricted, visible_to
from direct_plus.duns import usable_numbers
from monitoring.company_page.admin import end_of_day
from monitoring.family_tree.add import add_members
from monitoring.family_tree.admin.request_page import may_fetch_trees
from monitoring.family_tree.snapshots import latest_tree, none_at_dnb
from monitoring.family_tree.view_data import Here, TreeView, tree_view
from monitoring.models import FamilyTree, TreeKind, TreeState
from portfolio.companies.columns import exposure_in
from portfolio.exposure.rates import exposure_settings
from portfolio.imports.admin.actions import UPLOAD
from portfolio.imports.states import Refused
from portfolio.jobs import start_import_work
from portfolio.models import Company, Registration, Subject

NINE_DIGITS = re.compile("[0-9]{9}")
MAY_SEE = ("portfolio.view_company", "monitoring.view_familytree")
NO_TREE = _("No family tree that includes this company has been fetched from D&B yet.")
MAY_SEE_EXPOSURE = "portfolio.view_exposure"


def here_of(request: HttpRequest) -> Here:
    return Here(visible_to(request.user, Company.objects.all()), visible_to(request.user, Subject.objects.all()))


@require_safe
def page(request: HttpRequest, duns: str) -> HttpResponse:
    """The last full tree with this company, and by a day, the last by then."""
    demand(request.user.has_perms(MAY_SEE))
    until = end_of_day(request.GET.get("as_of", ""))
    here = here_of(request)
    company = here.companies.filter(pk=duns).first() if NINE_DIGITS.fullmatch(duns) else None
    tree = _tree_of(request, duns, company, until)
    if company is None and tree is None:
        raise Http404(NO_TREE)
    context = _context(request, duns, company, tree, until, here)
    request.current_app = admin.site.name
    return TemplateResponse(
        request, "monitoring/family_tree/tree.html", {**admin.site.each_context(request), **context}
    )


def _tree_of(
    request: HttpRequest, duns: str, company: Company | None, until: datetime | None = None
) -> FamilyTree | None:
    """A tree is for users of the business units that hold one of its companies, and opened from that one."""
    if not NINE_DIGITS.fullmatch(duns) or (company is None and is_restricted(request.user)):
        return None
    return latest_tree(duns, TreeKind.FULL, until)


def _context(
    request: HttpRequest,
    duns: str,
    company: Company | None,
    tree: FamilyTree | None,
    until: datetime | None,
    here: Here,
) -> dict[str, Any]:
    below, number = request.GET.get("below", ""), _whole_number(request.GET.get("page", ""))
    view = tree_view(tree, here, below=below, page=number, until=until) if tree else None
    may_add = view is not None and until is None and request.user.has_perm(UPLOAD)
    currency = exposure_settings().reporting_currency
    return {
        "opts": FamilyTree._meta,
        "title": gettext("Family tree of %(name)s") % {"name": view.name if view else _name(company, duns)},
        "duns": duns,
        "company": company,
        "tree": tree,
        "view": view,
        "until": until,
        "as_of": request.GET.get("as_of", "") if until else "",
        "below": below,
        "latest": f"{timezone.localdate():%Y-%m-%d}",
        "asked_at": None if tree else none_at_dnb(duns, TreeKind.FULL, until),
        "may_fetch": until is None and company is not None and may_fetch_trees(request),
        "fetching": None if until or is_restricted(request.user) else _fetching(duns),
        "registrations": _registrations(request, tree) if tree and may_add and not _is_whole(view) else [],
        "is_whole": may_add and _is_whole(view),
        "with_exposure": until is None and request.user.has_perm(MAY_SEE_EXPOSURE),
        "exposure_heading": exposure_in(currency),
    }


def _is_whole(view: TreeView | None) -> bool:
    """Nothing is left to add."""
    return view is not None and 0 < view.total == view.monitored


def _fetching(duns: str) -> FamilyTree | None:
    rows = FamilyTree.objects.filter(duns=duns, kind=TreeKind.FULL, state=TreeState.RUNNING)
    return rows.order_by("-requested_at").first()


def _name(company: Company | None, duns: str) -> str:
    return (company.name if company else "") or duns


def _registrations(request: HttpRequest, tree: FamilyTree) -> list[Registration]:
    rows = visible_to(request.user, Registration.objects.filter(contract=tree.contract_id))
    return list(rows.defer("detail").order_by("reference"))


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


@require_POST
def add(request: HttpRequest, duns: str) -> HttpResponse:
    """The selected members, into an import, which is confirmed."""
    demand(request.user.has_perms((*MAY_SEE, UPLOAD)))
    tree = _tree_of(request, duns, here_of(request).companies.filter(pk=duns).first())
    if tree is None:
        raise Http404(NO_TREE)
    numbers = usable_numbers(request.POST.getlist("member"))
    try:
        made = add_members(tree, numbers, _registration(request, tree), by=actor_of(request))
    except Refused as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("family_tree", args=[duns]))
    start_import_work(made.pk)
    return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[made.pk]))


def _registration(request: HttpRequest, tree: FamilyTree) -> Registration:
    try:
        key = UUID(request.POST.get("registration", ""))
        rows = visible_to(request.user, Registration.objects.select_related("contract"))
        return rows.get(pk=key, contract=tree.contract_id)
    except (ValueError, Registration.DoesNotExist):
        raise Refused(gettext("Choose the registration to add the companies to.")) from None
