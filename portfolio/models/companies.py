"""Companies as lists show them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import TextInOrderOfBytes


class Company(models.Model):
    """A company as lists show it. The columns are projected from history, which is the truth."""

    duns = models.CharField(primary_key=True, max_length=9)
    name = models.TextField(blank=True)
    search_name = TextInOrderOfBytes(blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.TextField(_("city"), blank=True)
    operating_status = models.TextField(blank=True)
    changed_at = models.DateTimeField(null=True)
    merged_into = models.CharField(max_length=9, blank=True, help_text=_("The company into which D&B merged it."))
    global_ultimate = models.CharField(
        max_length=9, blank=True, help_text=_("The company at the top of its group, as D&B reports it.")
    )
    projection = models.TextField(
        blank=True, help_text=_("What the columns were made of, so that later events can be applied to it.")
    )
    sources = models.TextField(
        blank=True, editable=False, help_text=_("Who reports it: registrations, by answers or by files.")
    )
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        indexes = [
            models.Index(fields=["search_name", "duns"], name="company_by_name"),
            models.Index(fields=["changed_at", "duns"], name="company_by_change"),
            models.Index(fields=["country", "duns"], name="company_by_country"),
            models.Index(fields=["merged_into", "duns"], name="company_by_merger"),
            models.Index(fields=["global_ultimate", "duns"], name="company_by_group"),
        ]

    def __str__(self) -> str:
        return self.name or self.duns
