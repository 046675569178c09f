"""Amounts as people compare them: 62.8 M instead of 62,812,345.12, with the exact one kept beside it."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext

from monitoring.elements.formatting import number

SIZES = (10**12, 10**9, 10**6)


def compact(value: int | float | Decimal, unit: str = "") -> str:
    """From a million on with one decimal, in the format of the reader's language."""
    amount = Decimal(str(value))
    size = next((size for size in SIZES if abs(amount) >= size), None)
    return f"{_sized(amount, size) if size else number(value)} {unit}".strip()


def _sized(amount: Decimal, size: int) -> str:
    words = {
        10**12: gettext("%(number)s T"),
        10**9: gettext("%(number)s B"),
        10**6: gettext("%(number)s M"),
    }
    return words[size] % {"number": number_format(round(amount / size, 1), 1, force_grouping=True)}
