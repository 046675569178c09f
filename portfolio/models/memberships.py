"""Monitoring periods that have ended."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from portfolio.models.companies import Company
from portfolio.models.registrations import Registration

MEMBERSHIP_KEYS = uuid.UUID("b3a9d1f4-52c7-5e0a-8a31-6f0d2c9e7b58")


class Membership(models.Model):
    """A period in which D&B monitored a company in a registration, and after which it was added again. The current or
    last period is the Subject's own."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT)
    since = models.DateField(help_text=_("First day."))
    until = models.DateField(help_text=_("Last day."))

    class Meta:
        default_permissions = ()
        verbose_name = _("earlier monitoring period")
        verbose_name_plural = _("earlier monitoring periods")
        indexes = [models.Index(fields=["registration", "until"], name="membership_by_registration")]

    def __str__(self) -> str:
        return f"{self.company_id} {self.since} – {self.until}"

    @staticmethod
    def key(subject: uuid.UUID, since: date) -> uuid.UUID:
        return uuid.uuid5(MEMBERSHIP_KEYS, f"{subject}\n{since.isoformat()}")
