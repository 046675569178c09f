"""Files that are written automatically at a time of day."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError as BadFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.base import PageAdmin
from core.admin.removal import RecordedRemoval
from core.admin.row_actions import RowActions
from core.audit import record_edit
from core.lists.listings import LISTINGS
from core.lists.saved_filters import columns_of, undeclared_in, undeclared_words
from core.markup import ago, badge, due, two_lines
from core.models import SavedFilter
from core.text import counted, with_full_stop
from monitoring.exports.scheduled import Source, base_folder, feed_parameters, folder_of, listing_of, plan, write_now
from monitoring.models import ExportContent, ScheduledExport

LISTS = {"monitoring.change": _("Changes"), "portfolio.company": _("Companies")}


class ScheduledExportForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    editor: Any = None

    class Meta:
        model = ScheduledExport
        fields = (
            *("name", "content", "unit", "filters", "saved_filter", "format", "server", "folder"),
            *("at", "zone", "is_active"),
        )
        widgets = {"filters": UnfoldAdminTextInputWidget}
        error_messages = {
            "name": {
                "invalid": _(
                    "The name contains characters that are not allowed. Use only letters A–Z, digits, "
                    "hyphens and underscores, without spaces, such as daily_changes."
                )
            }
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "saved_filter" not in self.fields:
            return  # who may only look gets no fields
        field: Any = self.fields["saved_filter"]
        one = Q(shared=True) | Q(pk=self.instance.saved_filter_id)
        field.queryset = SavedFilter.objects.filter(one, listing__in=LISTS).exclude(name="").order_by("listing", "name")
        field.label_from_instance = lambda row: f"{LISTS[row.listing]}: {row.name}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        draft = ScheduledExport(**cleaned)
        self._check_saved(draft)
        try:
            feed_parameters(draft)
        except BadFilter as error:
            raise ValidationError({"filters": list(filter_errors(error.detail))}) from error
        if not draft.server:
            folder_of(draft)
        return cleaned

    def _check_saved(self, draft: ScheduledExport) -> None:
        saved = draft.saved_filter
        if saved and draft.filters:
            raise ValidationError({"saved_filter": gettext("Use either a saved filter or filters, not both.")})
        if saved and saved.listing != listing_of(draft):
            raise ValidationError(
                {
                    "saved_filter": gettext("This saved filter is for %(list)s. Choose one that matches the content.")
                    % {"list": LISTS[saved.listing].lower()}
                }
            )
        if saved and (refused := self._refused(saved)):
            raise ValidationError({"saved_filter": refused})

    def _refused(self, saved: SavedFilter) -> str:
        """Why a filter is not for this user to write files by: they would hold what the user may not see."""
        if names := undeclared_in(saved.listing, saved.query, self.editor):
            return undeclared_words(names)
        listing = LISTINGS[saved.listing]
        visible = listing.visible_to(self.editor).columns
        hidden = [str(one.heading) for one in columns_of(listing, saved.columns) if one not in visible]
        words = gettext("You do not have permission to view these columns of the filter: %(columns)s.")
        return words % {"columns": ", ".join(hidden)} if hidden else ""


def filter_errors(detail: Any, name: str = "") -> Iterator[str]:
    """The sentences of the API's errors, each with its parameter."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from filter_errors(inner, name or str(key))
    elif isinstance(detail, list):
        for inner in detail:
            yield from filter_errors(inner, name)
    else:
        yield f"{name}: {detail}" if name else str(detail)


def run(request: HttpRequest, export: ScheduledExport) -> tuple[int, str]:
    if write_now(export):
        words = ngettext("%(file_name)s: %(count)s row.", "%(file_name)s: %(count)s rows.", export.rows or 0)
        return messages.SUCCESS, words % {"file_name": export.file_name, "count": counted(export.rows or 0)}
    if export.error:
        return messages.ERROR, with_full_stop(f"{export}: {export.error}")
    words = gettext("%(export)s is already running. Try again when it has finished.")
    return messages.ERROR, words % {"export": export}


def state_badge(row: ScheduledExport) -> SafeString:
    if row.error:
        return badge(gettext("Failed"), "bad", row.error)
    return badge(gettext("Enabled"), "good") if row.is_active else badge(gettext("Disabled"), "calm")


def contents(export: ScheduledExport | None) -> list[tuple[str, str]]:
    """What files contain, with the headings of their columns: of one export, or of each kind."""
    drafts = [export] if export else [ScheduledExport(content=content) for content in ExportContent.values]
    return [(draft.get_content_display(), ", ".join(headings(draft))) for draft in drafts]


def headings(export: ScheduledExport) -> list[str]:
    return [str(column.heading) for column in Source(export).listing.columns]


@admin.register(ScheduledExport)
class ScheduledExportAdmin(RowActions, RecordedRemoval, PageAdmin):
    form = ScheduledExportForm
    row_actions = {"run": run}
    change_form_template = "monitoring/exports/scheduled_export.html"
    list_display = ("name", "content", "next_time", "last_time", "rows", "status")
    ordering = ("-is_active", "due_at", "name")
    sortable_by = ()
    actions = ("write",)
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (_("Content"), {"fields": ("content", "unit", "filters", "saved_filter", "format")}),
        (_("Destination"), {"fields": ("server", "folder")}),
        (_("Schedule"), {"fields": ("at", "zone")}),
    )
    kept_text = (_("Files that were already written"), _("The saved filter and the file server that it uses"))
    empty_title = _("No scheduled exports yet")
    empty_text = _(
        "A scheduled export writes a file every day for systems that import files. "
        "A .done file beside it shows that it is complete."
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"editor": request.user})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        row = context.get("original")
        told = self._page_context(request, row) if row else {}
        shared = {"contents": contents(row), "base": base_folder()}
        return super().render_change_form(request, {**context, **shared, **told}, *args, **kwargs)

    def _page_context(self, request: HttpRequest, row: ScheduledExport) -> dict[str, Any]:
        return {
            "badge": state_badge(row),
            "reason": with_full_stop(row.error),
            "destination": base_folder() / row.folder,
            "may_run": self.has_change_permission(request, row),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        plan(obj)
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=change)

    @admin.action(description=_("Run export now"), permissions=["change"])
    def write(self, request: HttpRequest, queryset: QuerySet[ScheduledExport]) -> None:
        for export in queryset:
            messages.add_message(request, *run(request, export))

    @admin.display(description=_("Next file"))
    def next_time(self, row: ScheduledExport) -> SafeString | str:
        if not row.is_active:
            return "–"
        words = gettext("Every day at %(time)s, %(zone)s") % {"time": f"{row.at:%H:%M}", "zone": row.zone}
        return format_html("{}<br><small>{}</small>", due(row.due_at), words)

    @admin.display(description=_("Latest file"))
    def last_time(self, row: ScheduledExport) -> SafeString | str:
        return ago(row.ran_at) or gettext("Never")

    @admin.display(description=_("State"))
    def status(self, row: ScheduledExport) -> SafeString:
        shown = state_badge(row)
        return two_lines(shown, row.error[:200]) if row.error else shown
