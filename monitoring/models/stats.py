"""Counts and latencies by day, recomputed for days that changed."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.elements import Severity
from portfolio.models import Registration


class DailyStat(models.Model):
    """Changes and notifications of a UTC day by dimension; recomputed for days that changed, never incremented."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField(_("day"))
    what = models.CharField(
        _("content"), max_length=16, choices=[("change", _("Changes")), ("notification", _("Notifications"))]
    )
    # Without an index of its own, which a few days of some registrations would be looked for in.
    registration = models.ForeignKey(
        Registration, on_delete=models.CASCADE, db_index=False, verbose_name=_("registration")
    )
    audience = CompactUUIDField(
        null=True, editable=False, help_text=_("All registrations that reported the changes, if there are several.")
    )
    kind = models.TextField(_("change type"))
    element = models.CharField(_("data element"), max_length=400, blank=True)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    country = models.CharField(_("country"), max_length=2, blank=True)
    count = models.PositiveIntegerField(
        _("count"), help_text=_("Each change once, in the registration that reported it first.")
    )
    reports = models.PositiveIntegerField(
        _("reported"), default=0, help_text=_("All changes that this registration reported, first or not.")
    )

    class Meta:
        indexes = [models.Index(fields=["day", "what"], name="daily_stat_by_day")]
        verbose_name = _("daily statistic")
        verbose_name_plural = _("daily statistics")

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"


class Axis(models.TextChoices):
    """What a total is of; the value names which one."""

    DAY = "day", _("Day")
    REGISTRATION = "registration", _("Registration")
    KIND = "kind", _("Change type")
    ELEMENT = "element", _("Data element")
    COUNTRY = "country", _("Country")


class DailyTotal(models.Model):
    """A day's changes along one axis at a time: few rows a day, however many combinations the daily counts hold."""

    id = CompactUUIDField(primary_key=True, editable=False)
    day = models.DateField()
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_index=False)
    audience = CompactUUIDField(null=True, editable=False)
    axis = models.CharField(max_length=12, choices=Axis.choices)
    value = models.CharField(max_length=400, blank=True)
    severity = models.SmallIntegerField(choices=Severity.choices)
    count = models.PositiveIntegerField()
    reports = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["day", "axis"], name="daily_total_by_day")]
        verbose_name = _("daily total")
        verbose_name_plural = _("daily totals")

    def __str__(self) -> str:
        return f"{self.day} {self.axis} {self.value}: {self.count}"


class Measure(models.TextChoices):
    """Two delays of a change that came on screen."""

    RECORDED = "recorded", _("Time from the change at D&B to display")
    HANDED = "handed", _("Time from delivery by D&B to display")


class LatencyHistogram(models.Model):
    """How many changes of a UTC day came on screen after so many seconds; recomputed for days that changed.

    The day is that of the publication. Seconds are cut to two digits that count (37, 120, 5,400), so that a day has few
    rows and any percentile is known as exactly as it is shown.
    """

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField()
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, db_index=False)
    measure = models.CharField(max_length=8, choices=Measure.choices)
    seconds = models.BigIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["day", "measure"], name="latency_by_day")]
        verbose_name = _("daily delay")
        verbose_name_plural = _("daily delays")

    def __str__(self) -> str:
        return gettext("%(day)s %(measure)s %(seconds)s s: %(count)s") % {
            "day": self.day,
            "measure": self.measure,
            "seconds": self.seconds,
            "count": self.count,
        }
