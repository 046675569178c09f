"""Sums and orders that pages read instead of the changes themselves; recomputed for days that changed."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.notifications import Severity
from portfolio.models import Company, Registration


class Axis(models.TextChoices):
    """What a total is of; the value names which one."""

    DAY = "day", _("Day")
    REGISTRATION = "registration", _("Registration")
    KIND = "kind", _("Kind")
    ELEMENT = "element", _("Element")
    COUNTRY = "country", _("Country")


class DayTotal(models.Model):
    """A day's changes along one axis at a time: few rows a day, however many combinations the daily counts hold."""

    id = CompactUUIDField(primary_key=True, editable=False)
    day = models.DateField()
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE)
    axis = models.CharField(max_length=12, choices=Axis.choices)
    value = models.CharField(max_length=400, blank=True)
    severity = models.SmallIntegerField(choices=Severity.choices)
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["day", "axis"], name="day_total_by_day")]
        verbose_name = _("day total")
        verbose_name_plural = _("day totals")

    def __str__(self) -> str:
        return f"{self.day} {self.axis} {self.value}: {self.count}"


class Score(models.TextChoices):
    FAILURE = "failure", _("Failure score")
    DELINQUENCY = "delinquency", _("Delinquency score")
    RATING = "rating", _("Standard rating")


class ScoreMove(models.Model):
    """A score that moved, in the sense of that score, with the unbroken run of falls that it ends."""

    id = CompactUUIDField(primary_key=True, editable=False)
    day = models.DateField()
    at = models.DateTimeField()
    place = models.CharField(max_length=48, blank=True)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False)
    score = models.CharField(max_length=12, choices=Score.choices)
    measure = models.CharField(max_length=12)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    points = models.SmallIntegerField(help_text=_("How much worse, in points of a hundred; negative: better."))
    falls = models.PositiveIntegerField(default=0, help_text=_("Falls in a row up to this one."))
    decline = models.PositiveIntegerField(default=0, help_text=_("Points lost in this run of falls."))
    trail = models.CharField(max_length=160, blank=True, help_text=_("The values of the run, the oldest first."))
    is_running = models.BooleanField(default=False, help_text=_("Three falls or more, and nothing came after."))
    is_told = models.BooleanField(default=False, help_text=_("Among the deepest of its day, by itself or as a run."))

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["company", "at"], name="score_move_by_company"),
            models.Index(fields=["day", "id"], name="score_move_by_day"),
            models.Index(fields=["is_told", "day"], name="score_move_told"),
        ]
        verbose_name = _("score move")
        verbose_name_plural = _("score moves")

    def __str__(self) -> str:
        return f"{self.company_id} {self.score}: {self.before} → {self.after}"
