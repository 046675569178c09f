"""The filter of elements; what all lists share is in `core.admin.filters`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import TextFilter
from unfold.widgets import INPUT_CLASSES

from monitoring.models import Element

SUGGESTED = 200


class SuggestingForm(forms.Form):
    """A text field that offers the elements seen so far; what it holds is matched as a whole."""

    def __init__(self, name: str, label: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paths = Element.objects.order_by("path").values_list("path", "label")[:SUGGESTED]
        self.fields[name] = forms.CharField(label=label, required=False, widget=SuggestingInput(list(paths)))


class SuggestingInput(forms.TextInput):
    """The browser's own list of suggestions: no script, no request while typing."""

    def __init__(self, suggestions: list[tuple[str, str]]) -> None:
        super().__init__({"class": " ".join(INPUT_CLASSES), "list": "known-elements", "autocomplete": "off"})
        self.suggestions = suggestions

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        options = format_html_join("", '<option value="{}">{}</option>', self.suggestions)
        return format_html('{}<datalist id="known-elements">{}</datalist>', super().render(*args, **kwargs), options)


class ElementFilter(TextFilter):  # type: ignore[misc]
    title = _("element")
    parameter_name = "element"
    form_class = SuggestingForm

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        path = (self.value() or "").strip()
        if not path:
            return queryset
        return queryset.filter(element=path if path.startswith("organization") else f"organization.{path}")
