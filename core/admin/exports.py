"""Lists as files: the page that every list's "Export" leads to, and the exported files."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.admin.base import ReadOnlyAdmin
from core.admin.filter_words import filter_words
from core.exports.files import (
    AT_ONCE,
    UNFINISHED,
    BeyondQuota,
    ask_export,
    may_be_seen,
    parts_of,
    rows_for,
    state_text,
    write_export,
)
from core.jobs import async_task
from core.lists.listings import LISTINGS, Column, Listing
from core.lists.saved_filters import COLUMNS
from core.markup import ago, badge, file_size
from core.models import Export, ExportFormat, ExportState

WRITE = "portfolio.jobs.write_export"
TYPES = {
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.DUNS: "text/plain; charset=us-ascii",
}
HINTS = {
    ExportFormat.XLSX: _("For spreadsheets. D-U-N-S numbers keep their leading zeros."),
    ExportFormat.CSV: _("For other software. A spreadsheet may drop the leading zeros of D-U-N-S numbers."),
    ExportFormat.JSON: _("For other software, with unformatted values."),
    ExportFormat.DUNS: _("The format D&B uses for lists: no heading, each number once."),
}
TONES = {
    ExportState.WAITING: "info",
    ExportState.WRITING: "info",
    ExportState.FINISHED: "good",
    ExportState.FAILED: "bad",
}


class ExportedList:
    """For the admin of a list that can be exported: its button, its action and its page (before other bases)."""

    model: Any
    opts: Any
    admin_site: Any

    @property
    def export_url(self) -> str:
        """What the list's template links to."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        own = path("export/", self.admin_site.admin_view(self.export), name=name)
        return [own, *super().get_urls()]  # type: ignore[misc]

    def get_actions(self, request: HttpRequest) -> Any:
        """Where rows can be selected for another action, they can be selected for an export."""
        actions = super().get_actions(request)  # type: ignore[misc]
        if not actions:
            return actions
        return {**actions, "export_selected": (export_selected, "export_selected", gettext("Export…"))}

    def export(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        listing = LISTINGS[self.model._meta.label_lower]
        if request.method == "POST":
            return self._make_export(request, listing)
        found, is_large = self._size_of(request, rows_for(self, request))
        chosen = self.chosen_columns(request)
        choices = [(form.value, form.label, HINTS[form]) for form in listing.formats]
        context = {"choices": choices, "found": found, "is_large": is_large, "query": request.GET.urlencode()}
        context["chosen"] = [column.heading for column in chosen]
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        title = gettext("Export %(things)s") % {"things": self.opts.verbose_name_plural}
        return self.page(request, "core/admin/export.html", title=title, back=back, **context)  # type: ignore[attr-defined, no-any-return]

    def _make_export(self, request: HttpRequest, listing: Listing) -> HttpResponseBase:
        """The filters stand in the address, as on the list's own page."""
        form = request.POST.get("format", "")
        if form not in {known.value for known in listing.formats}:
            raise Http404(
                gettext("This list cannot be exported in that format. Open the list and choose “Export” again.")
            )
        by = request.user.get_username()
        queryset = rows_for(self, request)
        _, is_large = self._size_of(request, queryset)
        query = self._query_of(request)
        filters = filter_words(listing.name, query, request.user) if query else ""
        try:
            export = ask_export(listing=listing, query=query, form=ExportFormat(form), by=by, filters=filters)
        except BeyondQuota as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:core_export_changelist"))
        if is_large:
            async_task(WRITE, str(export.pk), task_name=f"Export {export.file_name}"[:100])
        elif write_export(export, queryset):
            return as_file(export)
        messages.success(
            request,
            gettext("%(file_name)s is being created. You can download it here when it is finished.")
            % {"file_name": export.file_name},
        )
        return HttpResponseRedirect(reverse("admin:core_export_changelist"))

    def chosen_columns(self, request: HttpRequest) -> tuple[Column, ...]:
        """Where a list lets its readers choose, what they chose; else none, which is all."""
        return ()

    def leaves_out(self, request: HttpRequest) -> bool:
        """Whether the list's search found more rows than it shows, once they were looked up: the file has all."""
        return False

    def _size_of(self, request: HttpRequest, rows: QuerySet[Any]) -> tuple[int, bool]:
        """Its rows, and whether a job has to write them; where there are more than these, one is added."""
        found = rows.order_by()[: AT_ONCE + 1].count()
        return (found + 1, True) if self.leaves_out(request) else (found, found > AT_ONCE)

    def _query_of(self, request: HttpRequest) -> str:
        """The address of what is exported: with the chosen columns, unless all are asked for."""
        address = request.GET.copy()
        address.pop(COLUMNS, None)
        chosen = ",".join(column.name for column in self.chosen_columns(request))
        if chosen and "all_columns" not in request.POST:
            address[COLUMNS] = chosen
        return address.urlencode(safe=",")


@admin.action(description=_("Export…"))
def export_selected(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    """The selected rows, by their keys in the address; more than a page of them by the list's filters."""
    keys = list(queryset.values_list("pk", flat=True)[: model_admin.list_per_page + 1])
    if len(keys) > model_admin.list_per_page:
        return HttpResponseRedirect(f"{model_admin.export_url}?{request.GET.urlencode()}")
    name = model_admin.opts.pk.name
    return HttpResponseRedirect(f"{model_admin.export_url}?{name}__in={','.join(map(str, keys))}")


def as_file(export: Export) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(parts_of(export), content_type=TYPES[ExportFormat(export.format)])
    answer["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
    answer["Content-Length"] = str(export.size)
    return answer


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    list_display = ("name", "status", "progress", "size_text", "requested", "requested_by")
    ordering = ("-id",)
    sortable_by = ()
    list_display_links = None
    list_before_template = "core/admin/exports_intro.html"
    empty_title = _("No files yet")
    empty_text = _("Choose “Export” above any list. The file appears here and is kept for 7 days.")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("<uuid:key>/download/", view, name="core_export_download"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Each user's own; a superuser sees all."""
        rows = super().get_queryset(request)
        return rows if request.user.is_superuser else rows.filter(requested_by=request.user.get_username())

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found: Any = super().get_changelist_instance(request)
        found.unfinished = any(row.state in UNFINISHED for row in found.result_list)
        return found

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """A file has no page of its own."""
        self.object_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:core_export_changelist"))

    def download(self, request: HttpRequest, key: Any) -> HttpResponseBase:
        export = self.object_or_404(request, str(key))
        if export.state != ExportState.FINISHED:
            raise Http404(gettext("The file is not finished yet. Open “Exports” to follow its progress."))
        if not may_be_seen(export, request.user):
            raise Http404(
                gettext("Your business units have changed since this file was created. Export the list again.")
            )
        return as_file(export)

    @admin.display(description=_("File"))
    def name(self, row: Export) -> SafeString | str:
        if row.state != ExportState.FINISHED:
            return row.file_name
        link = reverse("admin:core_export_download", args=[row.pk])
        return format_html('<a class="dm-company" href="{}">{}</a>', link, row.file_name)

    @admin.display(description=_("State"))
    def status(self, row: Export) -> SafeString:
        state = ExportState(row.state)
        return badge(state.label, TONES[state])

    @admin.display(description=_("Rows"))
    def progress(self, row: Export) -> str:
        return state_text(row)

    @admin.display(description=_("Size"))
    def size_text(self, row: Export) -> str:
        return file_size(row.size) if row.state == ExportState.FINISHED else ""

    @admin.display(description=_("Requested"))
    def requested(self, row: Export) -> SafeString | str:
        return ago(row.requested_at)
