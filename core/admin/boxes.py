"""Check boxes in forms, alone or in named groups; what is chosen is kept as a text."""

from __future__ import annotations

from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from unfold.widgets import CHECKBOX_CLASSES


class OwnTemplate:
    """A widget drawn by one of our templates; forms look for theirs among Django's only."""

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        return render_to_string(template_name, context)


class Boxes(OwnTemplate, forms.CheckboxSelectMultiple):
    """Check boxes, in unfold's look. `add` is the route and the words of a link, shown where there is no box."""

    template_name = "core/boxes.html"

    def __init__(self, *, add: tuple[str, str | Promise] | None = None, **kwargs: Any) -> None:
        super().__init__({"class": " ".join(CHECKBOX_CLASSES)}, **kwargs)
        self.add = add

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        route, words = self.add or ("", "")
        return {**super().get_context(name, value, attrs), "add_route": route, "add_words": words}


class TextBoxes(forms.MultipleChoiceField):
    """What is chosen, as a text: separated by commas."""

    widget = Boxes

    def clean(self, value: Any) -> str:
        return ",".join(super().clean(value))
