"""Imports: upload a list, look at the validation of each row, confirm the number, undo."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.exports import ExportedList
from core.admin.row_actions import Outcome, RowActions
from core.markup import ago, badge
from core.uploads import is_too_large
from core.visibility import visible_to
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged
from portfolio.company_search.bulk import may_search_rows
from portfolio.imports.admin.actions import ACTIONS, APPROVE, CONFIRM, SEARCH, SEARCHES, UPLOAD
from portfolio.imports.admin.page_context import page_of, summary_of
from portfolio.imports.admin.uploads import TONES, FileOrText
from portfolio.imports.outcomes import with_results
from portfolio.imports.row_files import XLSX, as_csv, as_xlsx, template
from portfolio.imports.states import NotAllowed, Refused, state_text
from portfolio.imports.upload import create_import
from portfolio.imports.validate import validated_rows
from portfolio.jobs import start_import_work
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport, Validation


class UploadForm(FileOrText):
    registration = forms.ModelChoiceField(Registration.objects.none(), empty_label=None)
    mode = forms.ChoiceField(choices=ImportMode.choices, initial=ImportMode.ADD)
    pasted = _("Pasted numbers")
    nothing = _("Choose a file, or paste D-U-N-S numbers.")
    both = _("You chose a file and pasted numbers. Remove one of them.")

    def __init__(self, registrations: QuerySet[Registration], *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        field: Any = self.fields["registration"]
        field.queryset = registrations


@admin.register(SubjectImport)
class SubjectImportAdmin(RowActions, ExportedList, ReadOnlyAdmin):
    row_actions = ACTIONS
    list_display = ("name", "reference", "what", "status", "does", "created_by_text", "when")
    list_filter = ("state", "mode")
    list_select_related = ("registration",)
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "portfolio/imports/bar.html"
    # The bar has the button.
    show_add_link = False
    page_template = "portfolio/imports/import.html"
    live_template = "portfolio/imports/live.html"
    empty_title = _("No imports yet")
    empty_template = "portfolio/imports/empty.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(UPLOAD)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("registration__contract")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("upload/", view(self.upload), name="portfolio_subjectimport_upload"),
            path("template/", view(self.template), name="portfolio_subjectimport_template"),
            path(
                "<uuid:key>/validations.<slug:form>", view(self.validations), name="portfolio_subjectimport_validations"
            ),
            *super().get_urls(),
        ]

    # The list
    @admin.display(description=_("Import"))
    def name(self, row: SubjectImport) -> str:
        return str(row)

    @admin.display(description=_("Registration"))
    def reference(self, row: SubjectImport) -> str:
        return row.registration.reference

    @admin.display(description=_("Action"))
    def what(self, row: SubjectImport) -> str:
        return row.get_mode_display()

    @admin.display(description=_("State"))
    def status(self, row: SubjectImport) -> SafeString:
        return badge(state_text(row), TONES[ImportState(row.state)])

    @admin.display(description=_("Changes"))
    def does(self, row: SubjectImport) -> str:
        return summary_of(row)

    @admin.display(description=_("Uploaded by"))
    def created_by_text(self, row: SubjectImport) -> str:
        return row.created_by

    @admin.display(description=_("Uploaded"))
    def when(self, row: SubjectImport) -> SafeString | str:
        return ago(row.created_at)

    # Uploading
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_upload"))

    def upload(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        registrations = visible_to(request.user, Registration.objects.order_by("reference"))
        form = UploadForm(registrations, request.POST or None, request.FILES or None, initial=request.GET.dict())
        is_cut = is_too_large(request)
        if request.method == "POST" and not is_cut and form.is_valid():
            return self._create(request, form.cleaned_data)
        given = form.data or form.initial
        context = {
            "form": form,
            "errors": [too_large()] if is_cut else form.non_field_errors(),
            "chosen": {name: given.get(name, "") for name in ("registration", "mode")},
            "modes": MODES,
            "limit": settings.IMPORT_LIMIT_MB,
            "registrations": registrations,
        }
        return self.page(request, "portfolio/imports/upload.html", title=gettext("Add companies"), **context)

    def _create(self, request: HttpRequest, given: Mapping[str, Any]) -> HttpResponse:
        import_ = create_import(
            registration=given["registration"],
            content=given["content"],
            file_name=given["name"],
            mode=given["mode"],
            source=given["source"],
            requested_by=actor_of(request),
        )
        start_import_work(import_.pk)
        return HttpResponseRedirect(reverse("admin:portfolio_subjectimport_change", args=[import_.pk]))

    def template(self, request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": 'attachment; filename="duns-template.xlsx"'}
        return HttpResponse(template(), content_type=XLSX, headers=headers)

    # The page
    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        return page_of(request, row)

    def validations(self, request: HttpRequest, key: uuid.UUID, form: str) -> Any:
        row = self.object_or_404(request, str(key))
        validation = request.GET.get("validation") or None
        if form not in ("csv", "xlsx") or validation not in (None, *Validation.values):
            raise Http404(gettext("This file does not exist. Open the import and download the rows again."))
        rows = with_results(row, validated_rows(row, validation))
        name = f"validations-{row.created_at:%Y%m%d-%H%M}.{form}"
        if form == "csv":
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return StreamingHttpResponse(as_csv(rows), content_type="text/csv; charset=utf-8", headers=headers)
        return FileResponse(as_xlsx(rows), as_attachment=True, filename=name, content_type=XLSX)

    # What people do
    def may_act(self, request: HttpRequest, row: SubjectImport, action: str) -> bool:
        """Each asks for a right of its own, and says to those who have another one whom to ask."""
        if action in SEARCHES and not may_search_rows(request.user):
            return False
        return any(map(request.user.has_perm, (UPLOAD, CONFIRM, APPROVE, SEARCH)))

    def act(self, request: HttpRequest, row: SubjectImport, action: str) -> Outcome:
        try:
            return super().act(request, row, action)
        except (NotAllowed, Refused, BudgetUsedUp, CallsChanged) as error:
            return messages.ERROR, str(error)


MODES = (
    (ImportMode.ADD, _("Add"), _("Request monitoring of these companies. Nothing is removed.")),
    (ImportMode.REMOVE, _("Stop monitoring"), _("Remove these companies from monitoring.")),
    (
        ImportMode.EQUAL,
        _("Replace list"),
        _("Monitor exactly these companies. Companies not in the list are removed."),
    ),
)


def too_large() -> str:
    return gettext(
        "The file is larger than %(limit)s MB. Remove columns you do not need and upload it again, "
        "or split it into several files."
    ) % {"limit": settings.IMPORT_LIMIT_MB}
