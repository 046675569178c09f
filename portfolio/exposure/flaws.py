"""What may be wrong with a row of amounts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Check(models.TextChoices):
    """The first thing that is wrong with a row."""

    ACCEPTED = "accepted", _("Accepted")
    NOT_LISTED = "not_listed", _("Accepted: company not in your portfolio")
    DUPLICATE = "duplicate", _("Duplicate in this file")
    DECISION = "decision", _("Amount with two readings: choose one")
    COMPANY = "company", _("Company not found")
    AMOUNT = "amount", _("Amount not readable")
    NEGATIVE = "negative", _("Negative amount")
    CURRENCY = "currency", _("Unknown currency")
    DAY = "day", _("Date not readable")
    BOOK = "book", _("Kind of amount missing")


COUNTED = (Check.ACCEPTED, Check.NOT_LISTED)


class Flaw(Exception):
    """Something that is wrong with a row: its kind and the sentence."""

    def __init__(self, kind: Check, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
