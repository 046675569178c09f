"""Registrations: lists of companies that D&B watches for us."""

from __future__ import annotations

import uuid
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.models.leases import Leased
from core.models.units import BusinessUnit
from portfolio.models.contracts import Contract

REGISTRATION_KEYS = uuid.UUID("6f7c0f3e-5d0c-5a55-9d0a-2a4f4b0c9a11")
UNIT_KEYS = uuid.UUID("0e7b6a4c-51d3-5c8f-9a26-7d1f3b90c2e5")


class Cadence(models.TextChoices):
    MINUTES = "minutes", _("Every … minutes")
    HOURS = "hours", _("Every … hours")
    DAILY = "daily", _("Daily at a fixed time")


class RegistrationState(models.TextChoices):
    PAUSED = "paused", _("Paused")
    ACTIVE = "active", _("Active")
    STOPPED = "stopped", _("Stopped by D&B")


def check_timezone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(
            gettext("“%(value)s” is not a time zone. Choose one from the list, such as Europe/Berlin.")
            % {"value": value}
        )


# Of a registration: D&B may monitor more there than is known.
LIST_INCOMPLETE = Q(adopted=False) | Q(list_received_at=None, adopted_as_empty=False)


class Registration(Leased):
    """A list of D-U-N-S numbers that D&B watches for us. D&B creates it; we discover and pull it."""

    id = CompactUUIDField(primary_key=True, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    reference = models.CharField(max_length=255, db_index=True)
    detail = models.TextField(blank=True, help_text=_("Full response from D&B, as received."))
    state = models.CharField(
        max_length=16, choices=RegistrationState.choices, default=RegistrationState.PAUSED, db_index=True
    )
    paused_until = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.TextField(blank=True)
    adopted = models.BooleanField(default=False)
    list_received_at = models.DateTimeField(
        null=True, editable=False, help_text=_("Time at which D&B wrote the last complete list that was received.")
    )
    adopted_as_empty = models.BooleanField(
        default=False, editable=False, help_text=_("A user confirmed at adoption that D&B monitored no company.")
    )

    cadence = models.CharField(max_length=16, choices=Cadence.choices, default=Cadence.MINUTES)
    cadence_every = models.PositiveIntegerField(
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("Minutes or hours between two pulls, at most 48 hours."),
    )
    cadence_time = models.TimeField(null=True, blank=True, help_text=_("For daily pulls."))
    cadence_zone = models.CharField(max_length=64, default="UTC", validators=[check_timezone])
    page_size = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Notifications requested per call, 1 to 100."),
    )
    current_page_size = models.PositiveSmallIntegerField(
        default=100, editable=False, help_text=_("Reduced after errors. It increases again automatically.")
    )

    next_pull_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text=_("By the clock of this server.")
    )
    consecutive_failures = models.PositiveIntegerField(
        default=0, editable=False, help_text=_("Consecutive failed runs.")
    )
    last_error = models.TextField(blank=True, editable=False, help_text=_("Error of the last run."))
    quota_used_up = models.BooleanField(
        default=False, editable=False, help_text=_("D&B's quota is used up. Pulling resumes after midnight UTC.")
    )
    last_pulled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("Time at which the queue was last empty, by D&B's clock.")
    )
    dnb_time = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("D&B's time in its last response.")
    )
    checked_on = models.DateField(null=True, blank=True, editable=False)
    gap_from = models.DateTimeField(null=True, blank=True, editable=False)
    gap_until = models.DateTimeField(null=True, blank=True, editable=False)
    gap_reason = models.TextField(blank=True, editable=False)
    replay_mark = models.TextField(blank=True, editable=False, help_text=_("Period that a replay could not cover."))
    audited_at = models.DateTimeField(null=True, blank=True, editable=False)

    ingest_stopped_reason = models.TextField(blank=True, editable=False)
    ingest_window_from = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("Parsing errors before this time are not counted.")
    )

    turn = models.BigIntegerField(
        default=0, editable=False, help_text=_("Number of calls that may return notifications.")
    )

    class Meta:
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            models.UniqueConstraint(fields=["contract", "reference"], name="registration_once_a_contract"),
        ]
        permissions = [("pull_registration", "Can pull, start and pause a registration")]

    def __str__(self) -> str:
        return self.reference

    @staticmethod
    def key(contract: str, reference: str) -> uuid.UUID:
        return uuid.uuid5(REGISTRATION_KEYS, f"{contract}\n{reference}")

    def clean(self) -> None:
        minutes = self.cadence_every * (60 if self.cadence == Cadence.HOURS else 1)
        if self.cadence != Cadence.DAILY and minutes > 48 * 60:
            raise ValidationError(
                {
                    "cadence_every": gettext(
                        "Enter at most 48 hours: D&B deletes notifications that are not pulled within 4 days."
                    )
                }
            )
        if self.cadence == Cadence.DAILY and self.cadence_time is None:
            raise ValidationError({"cadence_time": gettext("Enter the time of day for daily pulls.")})

    @property
    def is_list_complete(self) -> bool:
        """Whether all that D&B monitored at some time is known: by its list, or by a user's word that it was empty."""
        return self.list_received_at is not None or self.adopted_as_empty

    @property
    def is_paused(self) -> bool:
        if self.state != RegistrationState.PAUSED:
            return False
        return self.paused_until is None or self.paused_until > timezone.now()


class UnitRegistration(models.Model):
    """A business unit sees what a registration reports. A registration may belong to several units."""

    id = CompactUUIDField(primary_key=True, editable=False)
    unit = models.ForeignKey(BusinessUnit, on_delete=models.CASCADE)
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE)

    class Meta:
        default_permissions = ()
        verbose_name = _("registration of a business unit")
        verbose_name_plural = _("registrations of business units")

    def __str__(self) -> str:
        return str(self.registration)

    @staticmethod
    def key(unit: str, registration: uuid.UUID) -> uuid.UUID:
        return uuid.uuid5(UNIT_KEYS, f"{unit}\n{registration}")
