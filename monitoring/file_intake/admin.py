"""Delivered files: what arrived, what became of it, and an upload."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.actors import actor_of
from core.admin.base import ReadOnlyAdmin
from core.admin.filters import choice_filter
from core.admin.row_actions import Outcome, RowActions, confirmation, demand
from core.markup import ago, badge, file_size, two_lines
from core.text import counted, moment_text
from core.uploads import is_too_large
from monitoring.file_intake.arrivals import NotPermitted, intake_folder, upload_file
from monitoring.file_intake.headers import HEADER_OF, HEADERS
from monitoring.file_intake.intake import have_files_imported, import_now
from monitoring.file_intake.lists import NumberChanged, confirm_complete, preview_of
from monitoring.file_intake.reports import report_lines
from monitoring.models import DeliveredFile, DeliveredKind, FileSource, FileState
from portfolio.registrations.dnb_list_files import Preview
from portfolio.registrations.filters import RegistrationFilter

MAY_UPLOAD = "monitoring.add_deliveredfile"
MAY_CHANGE = "monitoring.change_deliveredfile"
CHANGES_LISTS = "portfolio.change_subject"
CONFIRM_LIST = "confirm-list"
TONES = {
    FileState.WAITING: "info",
    FileState.PROCESSING: "info",
    FileState.IMPORTED: "good",
    FileState.REFUSED: "bad",
}


def what_next(row: DeliveredFile) -> str:
    """What happens to the file automatically, or what a person has to do."""
    if row.state == FileState.REFUSED:
        return gettext("No part of this file was imported. Correct the cause, then add the file again.")
    if row.state == FileState.IMPORTED and row.kind == DeliveredKind.EXPORT and row.remark:
        return row.remark
    if row.state == FileState.IMPORTED:
        return gettext("Complete. If the same file arrives again, no changes are made.")
    if row.registration and row.registration.ingest_stopped_reason:
        return gettext("The file is processed once a user resumes processing on the registration's page.")
    if row.state == FileState.PROCESSING:
        return gettext("The file is stored and is being processed.")
    return _waiting_text(row) % {"until": moment_text(row.wait_until)}


def _waiting_text(row: DeliveredFile) -> str:
    if row.kind in HEADERS:
        return gettext("The header waits for the files that it lists until %(until)s.")
    if row.kind in HEADER_OF:
        return gettext("The file waits for its header until %(until)s, and is then imported without a header.")
    return gettext("The file waits for further parts until %(until)s, and is then imported.")


def _import_now(request: HttpRequest, row: DeliveredFile) -> Outcome:
    if not import_now(row, requested_by=actor_of(request)):
        return messages.WARNING, gettext("The file is not waiting any longer.")
    have_files_imported()
    return gettext("The file is imported now, without waiting for others.")


def _confirm_list(request: HttpRequest, row: DeliveredFile) -> Outcome:
    """The number that the page showed is the number that is marked, or none is."""
    preview, back = preview_of(row), reverse("admin:monitoring_deliveredfile_change", args=[row.pk])
    if preview and (answer := _ask_whether_complete(request, preview, back)):
        return answer
    shown = request.POST.get("gone", "")
    try:
        words = confirm_complete(row, int(shown) if shown.isdecimal() else -1, by=actor_of(request))
    except NumberChanged as error:
        return messages.WARNING, str(error)
    return f"{row.name}: {words}."


def _ask_whether_complete(request: HttpRequest, preview: Preview, back: str) -> HttpResponse | None:
    warning = ngettext(
        "%(count)s company that D&B monitored before is not on this list. It will be marked as no longer at D&B.",
        "%(count)s companies that D&B monitored before are not on this list. They will be marked as no longer at D&B.",
        preview.gone,
    )
    if not preview.gone:
        warning = gettext("All companies that D&B monitored before are on this list.")
    return confirmation(
        request,
        title=gettext("Have all parts of D&B's list arrived?"),
        warning=warning % {"count": counted(preview.gone)},
        button=gettext("Confirm complete list"),
        back=back,
        rows=[*preview.names, *(["…"] if preview.gone > len(preview.names) else [])],
    )


@admin.register(DeliveredFile)
class DeliveredFileAdmin(RowActions, ReadOnlyAdmin):
    row_actions = {"import-now": _import_now, CONFIRM_LIST: _confirm_list}
    list_display = ("when", "status", "shown_name", "what", "shown_records", "shown_size", "note")
    list_filter = (
        choice_filter("state", FileState.choices, _("state")),
        choice_filter("kind", DeliveredKind.choices, _("type")),
        RegistrationFilter,
    )
    ordering = ("-id",)
    sortable_by = ()
    list_before_template = "monitoring/file_intake/bar.html"
    page_template = "monitoring/file_intake/file.html"
    empty_title = _("No delivered files yet")
    empty_template = "monitoring/file_intake/empty.html"

    def get_urls(self) -> list[URLPattern]:
        upload = path("upload/", self.admin_site.admin_view(self.upload), name="monitoring_deliveredfile_upload")
        return [upload, *super().get_urls()]

    def may_act(self, request: HttpRequest, row: Any, action: str) -> bool:
        return request.user.has_perm(CHANGES_LISTS if action == CONFIRM_LIST else MAY_CHANGE)

    @admin.display(description=_("Arrived"))
    def when(self, row: DeliveredFile) -> SafeString | str:
        return ago(row.arrived_at)

    @admin.display(description=_("File"))
    def shown_name(self, row: DeliveredFile) -> str:
        return row.name

    @admin.display(description=_("Type"))
    def what(self, row: DeliveredFile) -> SafeString:
        return two_lines(row.get_kind_display(), row.get_source_display())

    @admin.display(description=_("State"))
    def status(self, row: DeliveredFile) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("Records"))
    def shown_records(self, row: DeliveredFile) -> str:
        return counted(row.records) if row.kind in HEADER_OF else ""

    @admin.display(description=_("Size"))
    def shown_size(self, row: DeliveredFile) -> str:
        return file_size(row.size)

    @admin.display(description=_("Remark"))
    def note(self, row: DeliveredFile) -> str:
        return (row.reason or row.remark or row.result)[:160]

    def page_context(self, request: HttpRequest, row: DeliveredFile) -> dict[str, Any]:
        return {
            "badge": state_badge(row),
            "next": what_next(row),
            "report": list(report_lines(row)),
            "may_import": row.state == FileState.WAITING and self.may_act(request, row, "import-now"),
            "to_confirm": preview_of(row) if self.may_act(request, row, CONFIRM_LIST) else None,
        }

    def upload(self, request: HttpRequest) -> HttpResponse:
        demand(request.user.has_perm(MAY_UPLOAD))
        errors = []
        if request.method == "POST":
            files = request.FILES.getlist("files")
            if is_too_large(request):
                errors.append(too_large())
            elif not files:
                errors.append(gettext("Choose a file first."))
            else:
                return self._take(request, files)
        context = {"errors": errors, "limit": settings.IMPORT_LIMIT_MB, "folder": intake_folder()}
        title = gettext("Upload delivered files")
        return self.page(request, "monitoring/file_intake/upload.html", title=title, **context)

    def _take(self, request: HttpRequest, files: list[Any]) -> HttpResponse:
        for file in files:
            try:
                row = upload_file(
                    name=file.name,
                    content=file.read(),
                    source=FileSource.UPLOAD,
                    requested_by=actor_of(request),
                    may_change_lists=request.user.has_perm(CHANGES_LISTS),
                )
                messages.add_message(request, *_told(row))
            except NotPermitted as error:
                messages.error(request, str(error))
        have_files_imported()
        return HttpResponseRedirect(reverse("admin:monitoring_deliveredfile_changelist"))


def _told(row: DeliveredFile) -> tuple[int, str]:
    if row.state == FileState.REFUSED:
        return messages.ERROR, f"{row.name}: {row.reason}"
    if row.state == FileState.IMPORTED:
        text = gettext("%(name)s was imported before. No changes were made.")
        return messages.INFO, text % {"name": row.name}
    return messages.SUCCESS, gettext("%(name)s was uploaded and waits to be imported.") % {"name": row.name}


def state_badge(row: DeliveredFile) -> SafeString:
    state = FileState(row.state)
    if state == FileState.IMPORTED and row.remark:
        return badge(gettext("Imported, not checked"), "warn", row.remark)
    return badge(state.label, TONES[state], row.reason)


def too_large() -> str:
    text = gettext("The files are larger than %(limit)s MB. Put them into the folder %(folder)s on the server instead.")
    return text % {"limit": settings.IMPORT_LIMIT_MB, "folder": intake_folder()}
