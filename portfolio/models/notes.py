"""What people write about companies."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.companies import Company


class CompanyNote(models.Model):
    """What somebody wrote about a company, for those who look at it later."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    by = models.TextField()
    at = models.DateTimeField()
    text = models.TextField()
    units = models.TextField(blank=True, editable=False, help_text=_("Business units of its author; none: all."))

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [models.Index(fields=["company", "id"], name="note_by_company")]

    def __str__(self) -> str:
        return self.text[:80]

    @staticmethod
    def units_text(units: Iterable[str]) -> str:
        """Each between two spaces, so that one is found in it."""
        return "".join(f" {unit} " for unit in sorted(units))
