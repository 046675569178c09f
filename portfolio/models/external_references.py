"""What other systems call our companies."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.companies import Company

REFERENCE_KEYS = uuid.UUID("b7d1a7de-0b4c-5c6f-8f0a-54b3c1f1a2d7")


class ExternalReference(models.Model):
    """An account, supplier or customer of another system. Several of them may be the same company."""

    id = CompactUUIDField(primary_key=True, editable=False)
    # The company may not be known yet: a CRM names its accounts before they are monitored, and adds no company by it.
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_constraint=False)
    system = models.CharField(max_length=64, help_text=_("Name of the system, such as crm."))
    reference = models.CharField(
        max_length=200, db_index=True, help_text=_("Identifier of the company in that system.")
    )

    class Meta:
        verbose_name = _("external reference")
        indexes = [models.Index(fields=["system", "reference"], name="reference_by_system")]

    def __str__(self) -> str:
        return f"{self.system}:{self.reference}"

    @staticmethod
    def key(system: str, reference: str) -> uuid.UUID:
        return uuid.uuid5(REFERENCE_KEYS, f"{system}\n{reference}")
