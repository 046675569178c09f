"""What other systems call our companies, and what their keys may add."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.contracts import Company, Contract

REFERENCE_KEYS = uuid.UUID("b7d1a7de-0b4c-5c6f-8f0a-54b3c1f1a2d7")
SPENDING_KEYS = uuid.UUID("e4c0b9de-7c7e-5f0e-9a55-0d7c9a0f6b31")


class ExternalReference(models.Model):
    """An account, supplier or customer of another system. Several of them may be the same company."""

    id = CompactUUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    system = models.CharField(max_length=64, help_text=_("Which system, such as crm."))
    reference = models.CharField(max_length=200, db_index=True, help_text=_("What that system calls the company."))

    class Meta:
        verbose_name = _("external reference")
        indexes = [models.Index(fields=["system", "reference"], name="reference_by_system")]

    def __str__(self) -> str:
        return f"{self.system}:{self.reference}"

    @staticmethod
    def key(system: str, reference: str) -> uuid.UUID:
        return uuid.uuid5(REFERENCE_KEYS, f"{system}\n{reference}")


class KeySpending(models.Model):
    """A company that an API key has added on its budget of a contract year: reserved first, spent when wanted."""

    id = CompactUUIDField(primary_key=True, editable=False)
    api_key = CompactUUIDField()
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    year = models.DateField(help_text=_("The first day of the contract year."))
    company = models.CharField(max_length=9)
    spent = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("spending of a key")
        verbose_name_plural = _("spendings of keys")
        indexes = [models.Index(fields=["api_key", "contract", "year"], name="spending_by_key")]

    def __str__(self) -> str:
        return self.company

    @staticmethod
    def key(api_key: uuid.UUID, contract: str, year: date, duns: str) -> uuid.UUID:
        return uuid.uuid5(SPENDING_KEYS, f"{api_key}\n{contract}\n{year}\n{duns}")
