"""Data elements: their labels and severities."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Severity(models.IntegerChoices):
    NOISE = 0, _("Noise")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class Element(models.Model):
    """A label and a severity for an element path; edited by people, effective from now on."""

    path = models.CharField(_("path"), primary_key=True, max_length=400)
    label = models.CharField(_("label"), max_length=200, blank=True)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    muted = models.BooleanField(
        _("muted"), default=False, help_text=_("Changes are recorded but hidden in timelines and lists.")
    )
    first_seen_at = models.DateTimeField(_("first seen"))

    class Meta:
        indexes = [models.Index(fields=["first_seen_at", "path"], name="element_by_first_seen")]
        verbose_name = _("data element")
        verbose_name_plural = _("data elements")

    def __str__(self) -> str:
        return self.label or self.path
