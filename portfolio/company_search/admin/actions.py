"""What people do with a search: one function each, named by the word in its address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from core.actors import actor_of
from core.admin.row_actions import Outcome
from portfolio.company_search.decide import choose, reject, reopen, take
from portfolio.imports.states import Refused
from portfolio.jobs import start_import_work
from portfolio.models import CompanySearch, Registration


def _choose(request: HttpRequest, search: CompanySearch) -> Outcome:
    duns = request.POST.get("duns", "")
    if search.subject_import_id is None:
        return _take(request, search, duns)
    choose(search=search, duns=duns, decided_by=actor_of(request))
    return gettext("Company chosen for %(search)s: %(chosen)s.") % {"search": search, "chosen": duns}


def _take(request: HttpRequest, search: CompanySearch, duns: str) -> HttpResponse:
    import_ = take(search=search, duns=duns, registration=_registration(request), taken_by=actor_of(request))
    start_import_work(import_.pk)
    return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[import_.pk]))


def _registration(request: HttpRequest) -> Registration:
    try:
        key = UUID(request.POST.get("registration", ""))
        return Registration.objects.select_related("contract").get(pk=key)
    except (ValueError, Registration.DoesNotExist):
        raise Refused(gettext("Choose the registration to add the company to.")) from None


def _reject(request: HttpRequest, search: CompanySearch) -> Outcome:
    reject(search=search, decided_by=actor_of(request))
    return gettext("No candidate chosen for %(search)s.") % {"search": search}


def _reopen(request: HttpRequest, search: CompanySearch) -> Outcome:
    reopen(search=search, reopened_by=actor_of(request))
    return gettext("The decision on %(search)s was reopened.") % {"search": search}


ACTIONS: Mapping[str, Callable[[HttpRequest, CompanySearch], Outcome]] = {
    "choose": _choose,
    "reject": _reject,
    "reopen": _reopen,
}


def back_to_list(request: HttpRequest, outcome: Outcome) -> Outcome:
    """Who decides on one after the other stays in the list."""
    if isinstance(outcome, HttpResponse) or "back" not in request.POST:
        return outcome
    level, words = outcome if isinstance(outcome, tuple) else (messages.SUCCESS, outcome)
    messages.add_message(request, level, str(words))
    query = f"?import={key}" if (key := request.POST["back"]) else ""
    return HttpResponseRedirect(reverse("admin:portfolio_companysearch_decide") + query)
