"""Elements: the labels and severities that people give to what D&B calls by paths."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter

from core.admin.base import PageAdmin
from core.admin.filters import choice_filter
from core.audit import record_edit
from core.markup import ago
from monitoring.elements.groups import group_label, group_of
from monitoring.models import Element, Severity


class LineForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes no parameter when it runs
    """One line of the list: the heading of its column is no label to those who hear the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = gettext("%(label)s of %(instance)s") % {
                "label": field.label,
                "instance": self.instance,
            }


@admin.register(Element)
class ElementAdmin(PageAdmin):
    list_display = ("path", "group", "label", "severity", "muted", "first_seen")
    list_editable = ("label", "severity", "muted")
    list_filter = (choice_filter("severity", Severity.choices[::-1], _("severity")), ("muted", BooleanRadioFilter))
    search_fields = ("path", "label")
    readonly_fields = ("path", "first_seen_at")
    ordering = ("path",)
    sortable_by = ("path",)
    list_before_template = "monitoring/elements/intro.html"
    empty_title = _("No data elements yet")
    empty_text = _("A data element appears here when D&B first sends it. Pull a registration to receive data.")

    @admin.display(description=_("Group"))
    def group(self, row: Element) -> str:
        return str(group_label(group_of(row.path)))

    @admin.display(description=_("First seen"))
    def first_seen(self, row: Element) -> SafeString | str:
        return ago(row.first_seen_at)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": LineForm, **kwargs})

    def save_model(self, request: HttpRequest, obj: Element, form: Any, change: bool) -> None:
        """From the page as from the lines of the list."""
        super().save_model(request, obj, form, change)
        record_edit(request, obj, form, is_change=change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Elements appear by themselves."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
