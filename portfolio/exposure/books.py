"""Books: what amounts are of. Three are known by name, and people use names of their own."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from core.db import clean_text

RECEIVABLES, ORDERS, GUARANTEES = "receivables", "orders", "guarantees"
USUAL = {RECEIVABLES: _("Receivables"), ORDERS: _("Orders"), GUARANTEES: _("Guarantees")}
LONGEST = 64


def book_name(text: str) -> str:
    return clean_text(" ".join(text.split()), LONGEST)


def book_key(name: str) -> str:
    """Names that differ by case alone are one book."""
    return name.casefold()


def first_spellings(names: Iterable[str]) -> dict[str, str]:
    """The name of each book, by its key: the first of the spellings in use stays."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(book_key(name), name)
    return found


def book_label(name: str) -> str:
    return str(USUAL.get(book_key(name), name))
