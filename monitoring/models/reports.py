"""Reports that are sent automatically, and the contract review."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactDateTimeField, CompactUUIDField
from core.ids import time_first_id
from core.models.units import OfUnit
from portfolio.models import Registration
from portfolio.models.registrations import check_timezone


class PeriodKind(models.TextChoices):
    WEEK = "week", _("Weekly, on Monday")
    MONTH = "month", _("Monthly, on the first day")


class ReportSchedule(OfUnit):
    """A report by email: for the last week or month, with its recipients and its time."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    period = models.CharField(_("frequency"), max_length=8, choices=PeriodKind.choices, default=PeriodKind.WEEK)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_timezone])
    hour = models.PositiveSmallIntegerField(
        _("hour"),
        default=7,
        validators=[MaxValueValidator(23)],
        help_text=_("Full hour at which the report is sent, 0 to 23."),
    )
    active = models.BooleanField(_("enabled"), default=True)
    next_at = models.DateTimeField(null=True, editable=False)
    sent_period = models.CharField(
        max_length=8,
        blank=True,
        editable=False,
        help_text=_("The latest period for which the report was put into the queue."),
    )
    created_by = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("report schedule")
        indexes = [models.Index(fields=["next_at", "id"], name="report_schedule_due")]
        verbose_name_plural = _("report schedules")

    def __str__(self) -> str:
        return self.name


class ReportRecipient(models.Model):
    """A person gets a report."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    schedule = models.ForeignKey(ReportSchedule, models.CASCADE)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)

    class Meta:
        default_permissions = ()
        verbose_name = _("report recipient")
        verbose_name_plural = _("report recipients")

    def __str__(self) -> str:
        return f"{self.schedule_id} → {self.person_id}"


class ReportRegistration(models.Model):
    """A report is about a registration; about all of them where it names none."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    schedule = models.ForeignKey(ReportSchedule, models.CASCADE)
    registration = models.ForeignKey(Registration, models.CASCADE)

    class Meta:
        default_permissions = ()
        verbose_name = _("report registration")
        verbose_name_plural = _("report registrations")

    def __str__(self) -> str:
        return f"{self.schedule_id}: {self.registration_id}"


class ContractReview(models.Model):
    """What pages and the API show of the contract review. It may go at any time; it is counted again."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    # By the database's clock, before the first row was read.
    made_at = CompactDateTimeField()
    # How far the counting is, while the review is not whole.
    step = models.SmallIntegerField(default=0)
    is_whole = models.BooleanField(default=False)
    numbers = models.TextField(blank=True)
    # D-U-N-S numbers in four bytes each, reason after reason.
    companies = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()
        verbose_name = _("contract review")
        verbose_name_plural = _("contract reviews")

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d %H:%M}"
