"""How often companies are reviewed, and when one person may not decide alone."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from portfolio.models import Tier

KEY = "reviews"
DAYS = [MinValueValidator(1), MaxValueValidator(3650)]


class ReviewSettings(models.Model):
    """One row."""

    key = models.CharField(primary_key=True, max_length=8, default=KEY, editable=False)
    critical_days = models.PositiveSmallIntegerField(
        _("review critical companies every"), default=90, validators=DAYS, help_text=_("Days.")
    )
    important_days = models.PositiveSmallIntegerField(
        _("review important companies every"), default=180, validators=DAYS, help_text=_("Days.")
    )
    normal_days = models.PositiveSmallIntegerField(
        _("review normal companies every"), default=365, validators=DAYS, help_text=_("Days.")
    )
    second_for_critical = models.BooleanField(
        _("confirm decisions on critical companies"),
        default=True,
        help_text=_("A second person must confirm these decisions."),
    )
    second_for_important = models.BooleanField(_("confirm decisions on important companies"), default=False)
    second_from = models.BigIntegerField(
        _("confirm limits from"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_(
            "In the reporting currency. Approvals, which have no limit, are then confirmed too. Leave empty to confirm "
            "neither."
        ),
    )

    class Meta:
        default_permissions = ("view", "change")
        verbose_name = _("review settings")
        verbose_name_plural = _("review settings")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def days_of(self, tier: str) -> int | None:
        return {
            Tier.CRITICAL.value: self.critical_days,
            Tier.IMPORTANT.value: self.important_days,
            Tier.NORMAL.value: self.normal_days,
        }.get(tier)

    def tier_needs_second(self, tier: str) -> bool:
        return {
            Tier.CRITICAL.value: self.second_for_critical,
            Tier.IMPORTANT.value: self.second_for_important,
        }.get(tier, False)


def review_settings() -> ReviewSettings:
    return ReviewSettings.objects.filter(pk=KEY).first() or ReviewSettings()
