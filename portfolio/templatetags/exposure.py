"""Sums of money on pages."""

from __future__ import annotations

from django import template

from portfolio.exposure.money import amount_text, money_text

register = template.Library()


@register.filter
def money(cents: object, currency: str) -> str:
    """Nothing where no amount is known."""
    return money_text(cents, currency) if isinstance(cents, int) else ""


@register.filter
def amount(cents: object) -> str:
    """The same, where a heading has the currency."""
    return amount_text(cents) if isinstance(cents, int) else ""
