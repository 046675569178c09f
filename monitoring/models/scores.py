"""Scores and ratings that changed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField
from monitoring.models.deliveries import STORY_PLACE
from portfolio.models import Company, Registration


class Score(models.TextChoices):
    FAILURE = "failure", _("Failure score")
    DELINQUENCY = "delinquency", _("Delinquency score")
    RATING = "rating", _("Standard rating")


class ScoreChange(models.Model):
    """A score that changed, in the sense of that score, with the unbroken run of declines that it ends."""

    id = CompactUUIDField(primary_key=True, editable=False)
    day = models.DateField()
    at = models.DateTimeField()
    place = HexField(max_length=STORY_PLACE, blank=True)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False)
    score = models.CharField(max_length=12, choices=Score.choices)
    measure = models.CharField(max_length=12)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    points = models.SmallIntegerField(help_text=_("Decline in points out of 100; negative for an improvement."))
    consecutive_declines = models.PositiveIntegerField(default=0, help_text=_("Consecutive declines up to this one."))
    points_lost = models.PositiveIntegerField(default=0, help_text=_("Points lost in these consecutive declines."))
    values = models.CharField(max_length=160, blank=True, help_text=_("The values of these declines, oldest first."))
    is_running = models.BooleanField(
        default=False, help_text=_("Three or more consecutive declines with no later change.")
    )
    is_highlighted = models.BooleanField(
        default=False, help_text=_("Among the largest declines of its day, alone or in a run.")
    )

    class Meta:
        default_permissions = ()
        indexes = [
            # A run of declines of a company.
            models.Index(fields=["company", "at"], name="score_change_by_company"),
            # What a day is counted from again.
            models.Index(fields=["day", "id"], name="score_change_by_day"),
            # The overview's declines.
            models.Index(fields=["is_highlighted", "day"], name="score_change_highlight"),
        ]
        verbose_name = _("score change")
        verbose_name_plural = _("score changes")

    def __str__(self) -> str:
        return f"{self.company_id} {self.score}: {self.before} → {self.after}"
