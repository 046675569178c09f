"""What a column is set to where nobody has said otherwise, in words: beside its field, and in the docs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Field
from django.utils.translation import gettext

from core import plurals


def default_in_words(field: Field[Any, Any]) -> str:
    """Nothing, where there is no default to speak of."""
    value = field.default if field.has_default() and not callable(field.default) else None
    if isinstance(value, timedelta):
        return plurals.minutes(round(value / timedelta(minutes=1)))
    if value is None or value == "":
        return ""
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def with_default(field: Field[Any, Any], help_text: str) -> str:
    words = default_in_words(field)
    return (
        (gettext("%(help_text)s Default: %(words)s.") % {"help_text": help_text, "words": words}).strip()
        if words
        else help_text
    )
