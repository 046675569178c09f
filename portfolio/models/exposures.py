"""Money at stake: what a company owes or will owe, by book and day; the currency it is reported in, and its rates."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.imports import UndoableUpload

RATE_KEYS = uuid.UUID("3c0d3c61-1f4e-5f0b-9d55-6f1f3f9d8a42")
# A rate is kept in units of 10^-12, so that sums are exact.
RATE_ONE = 10**12


class ExposureMode(models.TextChoices):
    REPLACE = "replace", _("Replace all amounts of the kind from that day")
    ADD = "add", _("Add or change amounts")


class ExposureImport(UndoableUpload):
    """Amounts by company, book and day. All of them count from the moment it is applied, in one step, until it is
    undone: nothing is copied, so what counts on a day follows from these rows alone (portfolio/exposure/ledger.py)."""

    mode = models.CharField(max_length=8, choices=ExposureMode.choices, default=ExposureMode.REPLACE)
    book = models.CharField(max_length=64, blank=True, help_text=_("Kind of amount of rows without one."))
    currency = models.CharField(max_length=3, blank=True, help_text=_("Currency of rows without a currency."))
    as_of = models.DateField(help_text=_("Day of rows without a day."))
    decimal_mark = models.CharField(
        max_length=1, blank=True, help_text=_("Decimal separator that a user chose for amounts with two readings.")
    )
    parts = models.TextField(default="[]", help_text=_("Kinds of amounts and days with their totals, as JSON."))
    positions = CompactUUIDField(null=True, help_text=_("Owner of the stored amounts."))

    class Meta:
        default_permissions = ()
        permissions = [("view_exposure", _("Can view exposure")), ("change_exposure", _("Can change exposure"))]
        verbose_name = _("exposure import")
        verbose_name_plural = _("exposure imports")

    @property
    def reading(self) -> str:
        return {".": "p", ",": "c"}.get(self.decimal_mark, "")


class ExchangeRate(models.Model):
    """The value of one unit of a currency from a day on, in the currency of all rates."""

    id = CompactUUIDField(primary_key=True, editable=False)
    currency = models.CharField(_("currency"), max_length=3)
    day = models.DateField(_("valid from"))
    rate = models.BigIntegerField(help_text=_("In units of 10^-12."))

    class Meta:
        default_permissions = ()
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        indexes = [models.Index(fields=["currency", "day"], name="rate_by_currency")]

    def __str__(self) -> str:
        return f"{self.currency} {self.day}"

    @staticmethod
    def key(currency: str, day: date) -> uuid.UUID:
        return uuid.uuid5(RATE_KEYS, f"{currency}\n{day.isoformat()}")


class ExposureSettings(models.Model):
    """One row: the currency that exposure is reported in, and what companies' columns were last made of."""

    key = models.CharField(primary_key=True, max_length=8, default="exposure")
    reporting_currency = models.CharField(_("reporting currency"), max_length=3, default="EUR")
    rates_currency = models.CharField(max_length=3, default="EUR", help_text=_("Currency that rates are stated in."))
    columns_of = models.CharField(
        max_length=64, blank=True, help_text=_("State of the exposure that the lists of companies show.")
    )
    version = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        verbose_name = _("exposure settings")
        verbose_name_plural = _("exposure settings")

    def __str__(self) -> str:
        return self.reporting_currency
