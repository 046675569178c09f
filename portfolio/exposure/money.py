"""Sums of money for people and for other systems."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format

from core.text import counted


def money_text(cents: int, currency: str) -> str:
    """In whole units, as a page has it."""
    return f"{currency} {amount_text(cents)}"


def amount_text(cents: int) -> str:
    """The same, where a heading has the currency."""
    return counted((cents + 50) // 100)


def exact_money_text(cents: int, currency: str) -> str:
    """To the hundredth, for who checks what was read: “EUR 12,500.50”."""
    return f"{currency} {number_format(Decimal(cents) / 100, 2, force_grouping=True)}"


def exact_text(cents: int) -> str:
    """In the currency's units, to the hundredth, as the API has it."""
    return f"{Decimal(cents) / 100:.2f}"
