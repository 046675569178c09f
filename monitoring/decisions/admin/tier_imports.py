"""Imports of tiers: upload a file, look at the validation of each row, confirm the number."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
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
from monitoring.decisions.tier_file import TierCheck, TierRow
from monitoring.decisions.upload import (
    CANCELLABLE,
    IN_WORK,
    accepted,
    cancel_tiers,
    changing,
    confirm_tiers,
    create_tier_import,
    rows_of,
)
from monitoring.decisions.work import start_tier_work
from monitoring.models import TierImport
from portfolio.imports.admin.imports import too_large
from portfolio.imports.admin.page_context import TONES
from portfolio.imports.columns import BadFile
from portfolio.imports.csv_reader import check_kind
from portfolio.imports.row_files import XLSX, csv_line, sheet_of
from portfolio.imports.states import Refused, counts_of
from portfolio.models import Company, ImportState

ROWS_SHOWN = 100
HEADER = ("Line", "Validation", "Reason", "Company as written", "Tier as written", "D-U-N-S", "Tier before", "Tier")
TEMPLATE = ("D-U-N-S", "Customer reference", "Tier")
CHECK_TONES = {TierCheck.CHANGED: "good", TierCheck.SAME: "calm", TierCheck.DUPLICATE: "warn"}


class UploadForm(forms.Form):
    file = forms.FileField(required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        """Either a file or pasted text; what can hold no list is refused at once."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        file, text = given.get("file"), given.get("text", "")
        if (file is not None) == bool(text.strip()):
            raise ValidationError(gettext("Choose a file, or paste rows."))
        given["content"] = file.read() if file is not None else text.encode("utf-8", "replace")
        given["name"] = file.name if file is not None else gettext("Pasted tiers")
        try:
            check_kind(given["content"])
        except BadFile as error:
            raise ValidationError(str(error)) from error
        return given


def _confirm(request: HttpRequest, row: TierImport) -> str:
    number = request.POST.get("confirmed", "")
    confirmed = int(number) if number.isdecimal() and len(number) < 9 else -1
    confirm_tiers(row, confirmed=confirmed, by=actor_of(request))
    start_tier_work(row.pk)
    return gettext("Confirmed. The tiers are being set.")


def _cancel(request: HttpRequest, row: TierImport) -> str:
    cancel_tiers(row, by=actor_of(request))
    return gettext("Cancelled. Nothing was changed.")


ACTIONS: Mapping[str, Callable[[HttpRequest, TierImport], str]] = {"confirm": _confirm, "cancel": _cancel}


@admin.register(TierImport)
class TierImportAdmin(RowActions, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("name", "result", "status", "person", "when")
    list_filter = ("state",)
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "monitoring/decisions/tier_imports_bar.html"
    page_template = "monitoring/decisions/tier_import.html"
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
            source="upload" if given.get("file") else "paste",
            requested_by=actor_of(request),
        )
        start_tier_work(row.pk)
        return HttpResponseRedirect(reverse("admin:monitoring_tierimport_change", args=[row.pk]))

    def template(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="tiers-template.xlsx"'}
        return HttpResponse(_template(), content_type=XLSX, headers=headers)

    # The page of one
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        counts, check = counts_of(row), request.GET.get("validation", "")
        found = list(islice(rows_of(row, check), ROWS_SHOWN + 1))
        names = Company.objects.in_bulk(list({one.duns for one in found if one.duns}))
        return {
            "tone": TONES[ImportState(row.state)],
            "is_in_work": row.state in IN_WORK,
            "tiles": [(one, counts[one], one.label, one == check) for one in TierCheck if counts.get(one)],
            "rows": [(one, _tone_of(one), names.get(one.duns)) for one in found[:ROWS_SHOWN]],
            "has_more": len(found) > ROWS_SHOWN,
            "shown": check,
            "count": accepted(row),
            "changes": changing(row),
            "may_confirm": row.state == ImportState.READ and accepted(row) > 0,
            "may_cancel": row.state in CANCELLABLE,
        }

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


def _tone_of(row: TierRow) -> str:
    return CHECK_TONES.get(TierCheck(row.validation), "bad")


def _as_csv(upload: TierImport, check: str) -> Iterator[bytes]:
    """Piece by piece; the mark at its beginning tells Excel that it is UTF-8."""
    yield b"\xef\xbb\xbf" + csv_line(HEADER)
    for row in rows_of(upload, check):
        texts = (row.label, row.reason, row.company, row.written, row.duns, row.before, row.tier)
        yield csv_line([f"{row.line}", *map(harmless, texts)])


def _template() -> bytes:
    """The columns that are read; numbers are text, so that no zero is lost."""
    import xlsxwriter

    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = sheet_of(book, TEMPLATE, (16, 24, 14))
        sheet.set_column(0, 1, 20, book.add_format({"num_format": "@"}))
    return buffer.getvalue()
