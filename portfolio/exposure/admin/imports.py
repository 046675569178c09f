"""Imports of amounts: upload a file, look at the validation of each row, apply all of it, undo."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge
from core.uploads import is_too_large
from portfolio.exposure.admin.amount_form import amount_page, kinds_of_amounts
from portfolio.exposure.admin.base import ExposureAdmin, WithDay
from portfolio.exposure.admin.page_context import overview_of, page_of, sums_text
from portfolio.exposure.currencies import CODES
from portfolio.exposure.days import today
from portfolio.exposure.flaws import Check
from portfolio.exposure.rates import exposure_settings
from portfolio.exposure.row_files import as_csv, template
from portfolio.exposure.upload import (
    apply_exposure,
    cancel_exposure,
    choose_mark,
    choose_sheet,
    create_exposure_import,
    undo_exposure,
)
from portfolio.exposure.validate import ExposureRow
from portfolio.exposure.work import start_reading, start_refresh
from portfolio.imports.admin.imports import too_large
from portfolio.imports.admin.uploads import TONES, FileOrText
from portfolio.imports.chunks import stored_rows
from portfolio.imports.row_files import XLSX
from portfolio.imports.states import NotAllowed, Refused
from portfolio.models import ExposureImport, ExposureMode, ImportState

MODES = (
    (
        ExposureMode.ADD,
        _("Add or change"),
        _("Amounts of companies in the file are set. Other companies keep the amounts that they have."),
    ),
    (
        ExposureMode.REPLACE,
        _("Replace"),
        _(
            "The file has all amounts of its kind. Companies that are not in the file have no amount of this kind from "
            "that day on."
        ),
    ),
)


class UploadForm(WithDay, FileOrText):
    mode = forms.ChoiceField(choices=ExposureMode.choices)
    book = forms.CharField(max_length=64)
    currency = forms.ChoiceField(choices=[(code, code) for code in sorted(CODES)])
    as_of = forms.CharField()
    pasted = _("Pasted amounts")


def _apply(request: HttpRequest, row: ExposureImport) -> str:
    apply_exposure(row, applied_by=actor_of(request))
    start_refresh()
    return gettext(
        "Applied. The amounts are in use from now on. Within a minute, lists of companies and the Overview show them, "
        "with the companies that exceed their limits."
    )


def _undo(request: HttpRequest, row: ExposureImport) -> str:
    undo_exposure(row, undone_by=actor_of(request))
    start_refresh()
    return gettext("Undone. The previous amounts are in use again.")


def _cancel(request: HttpRequest, row: ExposureImport) -> str:
    cancel_exposure(row, cancelled_by=actor_of(request))
    return gettext("Cancelled. No changes were made.")


def _choose_mark(request: HttpRequest, row: ExposureImport) -> str:
    choose_mark(row, mark=request.POST.get("mark", ""), chosen_by=actor_of(request))
    start_reading(row.pk)
    return gettext("All rows are being checked again.")


def _choose_sheet(request: HttpRequest, row: ExposureImport) -> str:
    choose_sheet(row, sheet=request.POST.get("sheet", ""), chosen_by=actor_of(request))
    start_reading(row.pk)
    return gettext("Checking the sheet “%(sheet)s” instead.") % {"sheet": row.sheet}


ACTIONS: Mapping[str, Callable[[HttpRequest, ExposureImport], str]] = {
    "apply": _apply,
    "undo": _undo,
    "cancel": _cancel,
    "mark": _choose_mark,
    "sheet": _choose_sheet,
}


@admin.register(ExposureImport)
class ExposureImportAdmin(RowActions, ExposureAdmin):
    row_actions = ACTIONS
    list_display = ("name", "sums", "status", "created_by_text", "when")
    list_filter = ("state",)
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "portfolio/exposure/bar.html"
    page_template = "portfolio/exposure/import.html"
    live_template = "portfolio/exposure/live.html"
    empty_title = _("No exposure imports yet")
    empty_template = "portfolio/exposure/empty.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("upload/", view(self.upload), name="portfolio_exposureimport_upload"),
            path("template/", view(self.template), name="portfolio_exposureimport_template"),
            path("amount/<str:duns>/", view(self.amount), name="portfolio_exposureimport_amount"),
            path("overview/", view(self.overview), name="portfolio_exposureimport_overview"),
            path("<uuid:key>/rows.csv", view(self.rows), name="portfolio_exposureimport_rows"),
            *super().get_urls(),
        ]

    # The list
    @admin.display(description=_("Import"))
    def name(self, row: ExposureImport) -> str:
        return str(row)

    @admin.display(description=_("Amounts"))
    def sums(self, row: ExposureImport) -> str:
        return row.error if row.state == ImportState.FAILED else sums_text(row)

    @admin.display(description=_("State"))
    def status(self, row: ExposureImport) -> SafeString:
        return badge(row.get_state_display(), TONES[ImportState(row.state)])

    @admin.display(description=_("Uploaded by"))
    def created_by_text(self, row: ExposureImport) -> str:
        return row.created_by

    @admin.display(description=_("Uploaded"))
    def when(self, row: ExposureImport) -> SafeString | str:
        return ago(row.created_at)

    # Uploading
    def upload(self, request: HttpRequest) -> HttpResponse:
        if not self.may_change(request):
            raise PermissionDenied
        initial = {"currency": exposure_settings().reporting_currency, "as_of": today().isoformat()}
        form = UploadForm(request.POST or None, request.FILES or None, initial={**initial, **request.GET.dict()})
        is_cut = is_too_large(request)
        if request.method == "POST" and not is_cut and form.is_valid():
            return self._create(request, form.cleaned_data)
        given = form.data or form.initial
        context = {
            "form": form,
            "errors": [too_large()] if is_cut else form.non_field_errors(),
            "chosen": {name: given.get(name, "") for name in ("mode", "book", "currency", "as_of")},
            "modes": MODES,
            "kinds": kinds_of_amounts(),
            "currencies": sorted(CODES),
            "limit": settings.IMPORT_LIMIT_MB,
        }
        return self.page(request, "portfolio/exposure/upload.html", title=gettext("Import exposure"), **context)

    def _create(self, request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
        row = create_exposure_import(
            content=given["content"],
            file_name=given["name"],
            source=given["source"],
            requested_by=actor_of(request),
            **{name: given[name] for name in ("mode", "book", "currency", "as_of")},
        )
        start_reading(row.pk)
        return HttpResponseRedirect(reverse("admin:portfolio_exposureimport_change", args=[row.pk]))

    def amount(self, request: HttpRequest, duns: str) -> HttpResponse:
        return amount_page(self, request, duns)

    def template(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="exposure-template.xlsx"'}
        return HttpResponse(template(), content_type=XLSX, headers=headers)

    # The pages
    def overview(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = overview_of(may_change=self.may_change(request))
        return self.page(request, "portfolio/exposure/overview.html", title=gettext("Exposure"), **context)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return page_of(request, row, may_change=self.may_change(request))

    def rows(self, request: HttpRequest, key: uuid.UUID) -> StreamingHttpResponse:
        row = self.object_or_404(request, str(key))
        check = request.GET.get("validation", "")
        if check and check not in Check.values:
            raise Http404(gettext("This file does not exist. Open the import and download the rows again."))
        rows = (one for one in stored_rows(row, ExposureRow) if not check or one.validation == check)
        headers = {"Content-Disposition": f'attachment; filename="exposure-{row.created_at:%Y%m%d-%H%M}.csv"'}
        return StreamingHttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8", headers=headers)

    # What people do
    def may_act(self, request: HttpRequest, row: ExposureImport, action: str) -> bool:
        return self.may_change(request)

    def act(self, request: HttpRequest, row: ExposureImport, action: str) -> Outcome:
        try:
            return super().act(request, row, action)
        except (NotAllowed, Refused) as error:
            return messages.ERROR, str(error)
