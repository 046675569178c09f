"""What lists of registrations and companies offer: importing into one, and removing what is selected."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext

from portfolio.acting import actor_of
from portfolio.admin.import_actions import UPLOAD
from portfolio.importing import create_import
from portfolio.importing.jobs import start_import_work
from portfolio.models import ImportMode, Registration, Subject, SubjectImport
from portfolio.rows import in_batches


def stop_monitoring(request: HttpRequest, duns: Iterable[str]) -> HttpResponse:
    """An import that removes these companies, for each registration that wants some of them; to be confirmed there."""
    return stop_in(request, _wanted_in(list(duns)))


def stop_in(request: HttpRequest, wanted: Mapping[uuid.UUID, list[str]]) -> HttpResponse:
    """The same for companies of certain registrations."""
    if not request.user.has_perm(UPLOAD):
        raise PermissionDenied
    made = [_removal(request, registration, numbers) for registration, numbers in wanted.items()]
    if not made:
        messages.warning(
            request, gettext("None of these companies is wanted in a registration, so there is nothing to stop.")
        )
        return HttpResponseRedirect(request.get_full_path())
    if len(made) == 1:
        return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[made[0].pk]))
    messages.info(
        request, gettext("There are %(count)s removals to confirm, one for each registration.") % {"count": len(made)}
    )
    return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_changelist"))


def upload_into(request: HttpRequest, registrations: QuerySet[Registration], mode: str = "add") -> HttpResponse | None:
    """The upload form, with the registration chosen."""
    keys = list(registrations.values_list("pk", flat=True)[:2])
    if len(keys) != 1:
        messages.warning(request, gettext("A list is imported into one registration. Tick one."))
        return None
    return HttpResponseRedirect(f"{reverse('admin:portfolio_subjectimport_upload')}?registration={keys[0]}&mode={mode}")


def _wanted_in(duns: list[str]) -> dict[uuid.UUID, list[str]]:
    found: dict[uuid.UUID, list[str]] = {}
    for batch in in_batches(duns):
        rows = Subject.objects.filter(company__in=batch, wanted=True).order_by("registration", "company")
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
        asked_by=actor_of(request),
    )
    start_import_work(import_.pk)
    return import_
