"""Imports of tiers: upload a file, look at the validation of each row, confirm the number."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.row_actions import Outcome, RowActions
from core.exports.spreadsheet_escape import harmless
from core.markup import ago, badge
from core.uploads import is_too_large
from monitoring.decisions.admin.company import SET_TIER
from monitoring.decisions.admin.tier_import_page import page_of
from monitoring.decisions.tier_file import TierCheck, TierRow
from monitoring.decisions.upload import (
    accepted,
    cancel_tiers,
    changing,
    confirm_tiers,
    create_tier_import,
    rows_of,
    undo_tiers,
)
from monitoring.decisions.work import start_tier_work
from monitoring.models import TierImport
from portfolio.imports.admin.imports import too_large
from portfolio.imports.admin.uploads import TONES, FileOrText
from portfolio.imports.row_files import XLSX, csv_of, template_of
from portfolio.imports.states import Refused
from portfolio.models import ImportState

HEADER = ("Line", "Validation", "Reason", "Company as written", "Tier as written", "D-U-N-S", "Tier before", "Tier")
TEMPLATE = ("D-U-N-S", "Customer reference", "Tier")


class UploadForm(FileOrText):
    pasted = _("Pasted tiers")


def _confirm(request: HttpRequest, row: TierImport) -> str:
    number = request.POST.get("confirmed", "")
    confirmed = int(number) if number.isdecimal() and len(number) < 9 else -1
    confirm_tiers(row, confirmed=confirmed, by=actor_of(request))
    start_tier_work(row.pk)
    return gettext("Confirmed. The tiers are being set.")


def _cancel(request: HttpRequest, row: TierImport) -> str:
    cancel_tiers(row, by=actor_of(request))
    return gettext("Cancelled. No changes were made.")


def _undo(request: HttpRequest, row: TierImport) -> str:
    undo_tiers(row, by=actor_of(request))
    start_tier_work(row.pk)
    return gettext("The previous tiers are being restored.")


ACTIONS: Mapping[str, Callable[[HttpRequest, TierImport], str]] = {
    "confirm": _confirm,
    "cancel": _cancel,
    "undo": _undo,
}


@admin.register(TierImport)
class TierImportAdmin(RowActions, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("name", "result", "status", "person", "when")
    list_filter = ("state",)
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "monitoring/decisions/tier_imports_bar.html"
    page_template = "monitoring/decisions/tier_import.html"
    live_template = "monitoring/decisions/tier_import_live.html"
    empty_title = _("No tier imports yet")
    empty_text = _("Upload a file with the columns “D-U-N-S” or “Customer reference”, and “Tier”.")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(SET_TIER)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("upload/", view(self.upload), name="monitoring_tierimport_upload"),
            path("template/", view(self.template), name="monitoring_tierimport_template"),
            path("<uuid:key>/rows.csv", view(self.rows), name="monitoring_tierimport_rows"),
            *super().get_urls(),
        ]

    @admin.display(description=_("Import"))
    def name(self, row: TierImport) -> str:
        return str(row)

    @admin.display(description=_("Result"))
    def result(self, row: TierImport) -> str:
        if row.state == ImportState.FAILED:
            return row.error
        return gettext("%(count)s tiers, %(changes)s changes") % {"count": accepted(row), "changes": changing(row)}

    @admin.display(description=_("State"))
    def status(self, row: TierImport) -> SafeString:
        return badge(row.get_state_display(), TONES[ImportState(row.state)])

    @admin.display(description=_("Uploaded by"))
    def person(self, row: TierImport) -> str:
        return row.created_by

    @admin.display(description=_("Uploaded"))
    def when(self, row: TierImport) -> SafeString | str:
        return ago(row.created_at)

    # Uploading
    def upload(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form, is_cut = UploadForm(request.POST or None, request.FILES or None), is_too_large(request)
        if request.method == "POST" and not is_cut and form.is_valid():
            return self._create(request, form.cleaned_data)
        errors = [too_large()] if is_cut else form.non_field_errors()
        context = {"form": form, "errors": errors, "limit": settings.IMPORT_LIMIT_MB}
        return self.page(request, "monitoring/decisions/tier_upload.html", title=gettext("Import tiers"), **context)

    def _create(self, request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
        row = create_tier_import(
            content=given["content"],
            file_name=given["name"],
            source=given["source"],
            requested_by=actor_of(request),
        )
        start_tier_work(row.pk)
        return HttpResponseRedirect(reverse("admin:monitoring_tierimport_change", args=[row.pk]))

    def template(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="tiers-template.xlsx"'}
        return HttpResponse(template_of(gettext("Tiers"), TEMPLATE, (16, 24, 14)), content_type=XLSX, headers=headers)

    # The page of one
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return page_of(request, row)

    def rows(self, request: HttpRequest, key: uuid.UUID) -> StreamingHttpResponse:
        row, check = self.object_or_404(request, str(key)), request.GET.get("validation", "")
        if check and check not in TierCheck.values:
            raise Http404(gettext("This file does not exist. Open the import and download the rows again."))
        headers = {"Content-Disposition": f'attachment; filename="tiers-{row.created_at:%Y%m%d-%H%M}.csv"'}
        return StreamingHttpResponse(_as_csv(row, check), content_type="text/csv; charset=utf-8", headers=headers)

    def may_act(self, request: HttpRequest, row: TierImport, action: str) -> bool:
        return self.has_view_permission(request)

    def act(self, request: HttpRequest, row: TierImport, action: str) -> Outcome:
        try:
            return super().act(request, row, action)
        except Refused as error:
            return messages.ERROR, str(error)


def _as_csv(upload: TierImport, check: str) -> Iterator[bytes]:
    return csv_of(HEADER, map(_cells, rows_of(upload, check)))


def _cells(row: TierRow) -> list[str]:
    texts = (row.label, row.reason, row.company, row.written, row.duns, row.before, row.tier)
    return [f"{row.line}", *map(harmless, texts)]
