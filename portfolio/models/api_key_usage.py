"""What API keys have added on their budgets."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.contracts import Contract

USAGE_KEYS = uuid.UUID("e4c0b9de-7c7e-5f0e-9a55-0d7c9a0f6b31")


class ApiKeyUsage(models.Model):
    """A company that an API key has added on its budget of a contract year: reserved first, spent when requested."""

    id = CompactUUIDField(primary_key=True, editable=False)
    api_key = CompactUUIDField()
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    year = models.DateField(help_text=_("First day of the contract year."))
    company = models.CharField(max_length=9)
    spent = models.BooleanField(default=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("API key usage")
        verbose_name_plural = _("API key usage")
        indexes = [models.Index(fields=["api_key", "contract", "year"], name="usage_by_key")]

    def __str__(self) -> str:
        return self.company

    @staticmethod
    def key(api_key: uuid.UUID, contract: str, year: date, duns: str) -> uuid.UUID:
        return uuid.uuid5(USAGE_KEYS, f"{api_key}\n{contract}\n{year}\n{duns}")
