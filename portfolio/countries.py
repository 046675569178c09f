"""Countries in the reader's words, by the ISO codes that D&B sends."""

from __future__ import annotations

from django_countries import countries


def country_name(code: str) -> str:
    """ "United Kingdom" for "GB"; a code that nobody knows stays as it is."""
    return str(countries.name(code) or code)
