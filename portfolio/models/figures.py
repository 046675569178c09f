"""What some columns of companies may hold."""

from __future__ import annotations

from enum import IntFlag

from django.db import models
from django.utils.translation import gettext_lazy as _


class Flag(IntFlag):
    """Signs of risk, as bits of `Company.flags`."""

    BANKRUPTCY = 1
    INSOLVENCY = 2
    SUITS = 4
    EXCLUDED = 8
    HIGH_RISK_BUSINESS = 16
    DETERIORATING = 32
    INACTIVE = 64


FLAG_LABELS = {
    Flag.BANKRUPTCY: _("Bankruptcy"),
    Flag.INSOLVENCY: _("Insolvency"),
    Flag.SUITS: _("Suits"),
    Flag.EXCLUDED: _("Exclusions"),
    Flag.HIGH_RISK_BUSINESS: _("High risk business"),
    Flag.DETERIORATING: _("Deteriorating"),
    Flag.INACTIVE: _("Inactive"),
}


class Size(models.TextChoices):
    """By the number of employees, as the European Commission draws the lines."""

    MICRO = "micro", _("Micro (below 10 employees)")
    SMALL = "small", _("Small (10 to 49 employees)")
    MEDIUM = "medium", _("Medium (50 to 249 employees)")
    LARGE = "large", _("Large (250 employees or more)")
