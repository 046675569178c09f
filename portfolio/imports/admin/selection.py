"""What lists of registrations and companies offer: importing into one, and removing what is selected.

Who stops monitoring companies is first shown what ends, until when it stays billed, and what goes on elsewhere.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from core.actors import actor_of
from core.db import in_batches
from portfolio.billing.contract_year import is_billed, next_anniversary
from portfolio.billing.new_billable import contract_year_start
from portfolio.imports.admin.actions import UPLOAD
from portfolio.imports.upload import create_import
from portfolio.jobs import start_import_work
from portfolio.models import Company, ImportMode, Registration, Subject, SubjectImport, SubjectState

TOKEN = "csrfmiddlewaretoken"


NAMED = 5
AGREED = "stop"
REQUESTED = Q(requested=True)


@dataclass(frozen=True, slots=True)
class Ending:
    """What ends in one registration."""

    registration: Registration
    companies: int
    names: list[str]
    billed: int
    anniversary: date | None

    @property
    def more(self) -> int:
        return self.companies - len(self.names)


def stop_monitoring(request: HttpRequest, duns: Iterable[str]) -> HttpResponse:
    """What ends for these companies, in each registration that requests some of them; once that is agreed, an import
    for each that removes them, to be confirmed there."""
    chosen = list(duns)
    requested = _found_in(chosen, REQUESTED)
    ending = {number for numbers in requested.values() for number in numbers}
    return stop_in(request, requested, spared=[number for number in chosen if number not in ending])


def stop_in(
    request: HttpRequest, requested: Mapping[uuid.UUID, list[str]], *, spared: Sequence[str] = ()
) -> HttpResponse:
    """The same for companies of certain registrations; for the `spared` ones there is nothing to stop."""
    if not request.user.has_perm(UPLOAD):
        raise PermissionDenied
    if requested and AGREED not in request.POST:
        return _ask(request, requested, spared)
    made = [_removal(request, registration, numbers) for registration, numbers in requested.items()]
    if not made:
        messages.warning(
            request, gettext("None of these companies is requested in a registration, so there is nothing to stop.")
        )
        return HttpResponseRedirect(request.get_full_path())
    if len(made) == 1:
        return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[made[0].pk]))
    messages.info(request, gettext("Confirm %(count)s removals, one for each registration.") % {"count": len(made)})
    return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_changelist"))


def _ask(request: HttpRequest, requested: Mapping[uuid.UUID, list[str]], spared: Sequence[str]) -> HttpResponse:
    """The same form again, with the word that it was agreed to."""
    rows = Registration.objects.select_related("contract").defer("detail").in_bulk(list(requested))
    context = {
        "title": gettext("Stop monitoring"),
        "endings": [_ending(rows[key], numbers) for key, numbers in requested.items()],
        "elsewhere": _monitored_elsewhere(requested),
        "spared": len(spared),
        "spared_names": _names(spared),
        "given": [(name, value) for name, values in request.POST.lists() for value in values if name != TOKEN],
        "agreed": AGREED,
    }
    return TemplateResponse(
        request, "portfolio/imports/stop_monitoring.html", {**admin.site.each_context(request), **context}
    )


def _ending(registration: Registration, numbers: list[str]) -> Ending:
    billed = is_billed(contract_year_start(registration.contract))
    subjects = Subject.objects.filter(registration=registration)
    count = sum(subjects.filter(billed, company__in=batch).count() for batch in in_batches(numbers))
    return Ending(registration, len(numbers), _names(numbers), count, next_anniversary(registration.contract))


def _names(numbers: Sequence[str]) -> list[str]:
    named = Company.objects.filter(pk__in=numbers[:NAMED]).order_by("pk")
    return [company.name or company.duns for company in named]


def _monitored_elsewhere(requested: Mapping[uuid.UUID, list[str]]) -> int:
    """How many of these companies another registration goes on to monitor, also where nobody requests them any more."""
    ending = {(registration, number) for registration, numbers in requested.items() for number in numbers}
    every = _found_in(sorted({number for _, number in ending}), REQUESTED | Q(state=SubjectState.MONITORED))
    pairs = {(registration, number) for registration, numbers in every.items() for number in numbers}
    return len({number for _, number in pairs - ending})


def upload_into(request: HttpRequest, registrations: QuerySet[Registration], mode: str = "add") -> HttpResponse | None:
    """The upload form, with the registration chosen."""
    keys = list(registrations.values_list("pk", flat=True)[:2])
    if len(keys) != 1:
        messages.warning(request, gettext("A list is imported into one registration. Select exactly one."))
        return None
    return HttpResponseRedirect(f"{reverse('admin:portfolio_subjectimport_upload')}?registration={keys[0]}&mode={mode}")


def _found_in(duns: list[str], which: Q) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for batch in in_batches(duns):
        rows = Subject.objects.filter(which, company__in=batch).order_by("registration", "company")
        for registration, number in rows.values_list("registration_id", "company_id"):
            found.setdefault(registration, []).append(number)
    return found


def _removal(request: HttpRequest, registration: uuid.UUID, numbers: list[str]) -> SubjectImport:
    import_ = create_import(
        registration=Registration.objects.get(pk=registration),
        content="\n".join(["D-U-N-S", *numbers]).encode(),
        file_name=gettext("Selected companies"),
        mode=ImportMode.REMOVE,
        source="selection",
        requested_by=actor_of(request),
    )
    start_import_work(import_.pk)
    return import_
