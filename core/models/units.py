"""Business units, and what may belong to one."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def unrestricted() -> bool:
    """Whether a new user or key sees everything: only while there are no business units."""
    return not BusinessUnit.objects.exists()


class BusinessUnit(models.Model):
    """A part of the company: some registrations, with the people and API keys that see what these report."""

    slug = models.SlugField(primary_key=True, max_length=60, allow_unicode=True, editable=False)
    name = models.CharField(_("name"), max_length=60, unique=True)
    created_by = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("business unit")
        verbose_name_plural = _("business units")

    def __str__(self) -> str:
        return self.name


class OfUnit(models.Model):
    """What may belong to a business unit, and then contains only what the unit sees."""

    unit = models.ForeignKey(
        BusinessUnit,
        # Without its unit it would contain everything.
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("business unit"),
        help_text=_("Includes only data that the business unit sees. Leave empty to include all data."),
    )

    class Meta:
        abstract = True
