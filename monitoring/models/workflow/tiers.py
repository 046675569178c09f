"""Where tiers come from when no user sets them one by one: rules over figures, and files."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models import Tier
from portfolio.models.imports import UndoableUpload


class TierRule(models.Model):
    """Companies that meet all its conditions get its tier. Where several rules apply, the most critical tier counts."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=100)
    tier = models.CharField(_("tier"), max_length=9, choices=Tier.choices)
    exposure_from = models.BigIntegerField(
        _("exposure from"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(10**13)],
        help_text=_("In units of the reporting currency."),
    )
    failure_class_from = models.PositiveSmallIntegerField(
        _("failure score class from"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
        help_text=_("1 is the lowest risk, 5 the highest."),
    )
    country = models.CharField(_("country"), max_length=2, blank=True, help_text=_("A code such as DE."))
    tag = models.CharField(_("tag"), max_length=100, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=False, editable=False)

    class Meta:
        verbose_name = _("tier rule")
        verbose_name_plural = _("tier rules")

    def __str__(self) -> str:
        return self.name


class TierImport(UndoableUpload):
    """Tiers of companies in a file. They are set when a user confirms their number, until a user undoes it."""

    class Meta:
        default_permissions = ()
        permissions = [("change_tier", "Can set tiers of companies")]
        verbose_name = _("tier import")
        verbose_name_plural = _("tier imports")

    @property
    def reading(self) -> str:
        return ""
