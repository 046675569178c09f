"""Files that are written by themselves at a time of day."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from rest_framework.exceptions import ValidationError as BadFilter

from monitoring.models import ScheduledExport
from monitoring.scheduled_export import asked_for, folder_of, listing_of, plan, write_now
from portfolio.markup import ago, badge, due
from portfolio.models import SavedFilter
from portfolio.pages import PageAdmin
from portfolio.wording import counted

LISTS = {"monitoring.change": "Changes", "portfolio.company": "Companies"}


class ScheduledExportForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    class Meta:
        model = ScheduledExport
        fields = ("name", "content", "filters", "saved_filter", "format", "server", "folder", "at", "zone", "is_active")

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
            asked_for(draft)
        except BadFilter as error:
            raise ValidationError({"filters": str(error.detail)}) from error
        if not draft.server:
            folder_of(draft)
        return cleaned

    def _check_saved(self, draft: ScheduledExport) -> None:
        saved = draft.saved_filter
        if saved and draft.filters:
            raise ValidationError({"saved_filter": "Choose a saved filter or write filters, not both."})
        if saved and saved.listing != listing_of(draft):
            raise ValidationError({"saved_filter": f"It filters {LISTS[saved.listing].lower()}: the content differs."})


@admin.register(ScheduledExport)
class ScheduledExportAdmin(PageAdmin):
    form = ScheduledExportForm
    list_display = ("name", "content", "format", "next_time", "last_time", "rows", "status")
    ordering = ("name",)
    sortable_by = ()
    actions = ("write",)
    empty_title = "No scheduled exports yet"
    empty_text = "A file a day for systems that take their data that way; a marker beside it says that it is complete."

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        plan(obj)
        super().save_model(request, obj, form, change)

    @admin.action(description="Write now", permissions=["change"])
    def write(self, request: HttpRequest, queryset: QuerySet[ScheduledExport]) -> None:
        for export in queryset:
            if write_now(export):
                messages.success(request, f"{export.file_name}: {counted(export.rows or 0)} rows.")
            else:
                messages.error(request, f"{export}: {export.error or 'it is being written just now'}.")

    @admin.display(description="Next")
    def next_time(self, row: ScheduledExport) -> SafeString | str:
        return due(row.due_at) if row.is_active else "–"

    @admin.display(description="Last")
    def last_time(self, row: ScheduledExport) -> SafeString | str:
        return ago(row.ran_at) or "never"

    @admin.display(description="State")
    def status(self, row: ScheduledExport) -> SafeString:
        if row.error:
            return badge("Failed", "bad", row.error)
        return badge("On", "good") if row.is_active else badge("Off", "calm")
