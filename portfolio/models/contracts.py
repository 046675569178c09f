"""Contracts with D&B, their registrations, the companies, and the rows that processes share."""

from __future__ import annotations

import uuid
from datetime import timedelta
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, TextInOrderOfBytes
from core.models.leases import Leased

REGISTRATION_KEYS = uuid.UUID("6f7c0f3e-5d0c-5a55-9d0a-2a4f4b0c9a11")


class Contract(models.Model):
    """One account at D&B: where its credentials come from, and how carefully we pull with it."""

    name = models.CharField(_("name"), primary_key=True, max_length=64, default="default")
    prefix = models.CharField(
        _("prefix"),
        max_length=32,
        default="DNB",
        help_text=_("The settings this contract reads: DNB means DNB_API_KEY, DNB_API_SECRET, DNB_BASE_URL …"),
    )
    base_url = models.URLField(_("base url"), blank=True, help_text=_("Empty: the address in the settings."))
    calls_per_second = models.FloatField(
        _("calls per second"), default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(100)]
    )
    anniversary = models.DateField(
        _("anniversary"), null=True, blank=True, help_text=_("The day on which the contract year begins.")
    )
    contracted_number = models.PositiveIntegerField(
        _("contracted number"), null=True, blank=True, help_text=_("Companies the contract pays for in a year.")
    )
    cap = models.PositiveIntegerField(
        _("cap"),
        default=100,
        help_text=_(
            "New billable companies that one person may add in a contract year; above it a second one must approve."
        ),
    )
    removal_share = models.PositiveSmallIntegerField(
        _("removal share"),
        default=10,
        validators=[MaxValueValidator(100)],
        help_text=_("Percent of a list that one person may remove within 30 days; above it a second one must approve."),
    )
    batch_threshold = models.PositiveIntegerField(
        _("batch threshold"),
        default=50,
        help_text=_("Up to so many additions or removals are sent one by one, more as a batch."),
    )
    overlap = models.DurationField(
        _("overlap"),
        default=timedelta(minutes=5),
        help_text=_("How far before D&B's last known time a replay begins, so that its clock may be a little off."),
    )
    settle = models.DurationField(
        _("settle"),
        default=timedelta(minutes=15),
        help_text=_("How long after a doubtful call D&B may still take its answer off the queue."),
    )
    keep_bytes = models.PositiveIntegerField(
        _("keep D&B's answers for"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30)],
        help_text=_("Days, at least 30; empty: for ever. What is older can no longer be read again by a rebuild."),
    )
    keep_history = models.PositiveIntegerField(
        _("keep notifications and changes for"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30)],
        help_text=_(
            "Days, not fewer than D&B's answers are kept; empty: for ever. A snapshot of each company remains, "
            "so that its state at any later time can still be shown."
        ),
    )
    bytes_kept_from = models.DateTimeField(
        _("a rebuild reads answers from"), null=True, editable=False, help_text=_("D&B's answers from before are gone.")
    )
    history_kept_from = models.DateTimeField(
        _("states can be shown as of"),
        null=True,
        editable=False,
        help_text=_("Of what happened before, only a snapshot is left."),
    )
    history_cut = models.DateTimeField(null=True, editable=False, help_text=_("Up to where history is being cut now."))
    history_position = models.CharField(
        max_length=9, blank=True, editable=False, help_text=_("The last company that was cut.")
    )
    restored_from = models.DateTimeField(
        null=True, editable=False, help_text=_("When the backup was made that was put back last.")
    )

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.keep_history and (not self.keep_bytes or self.keep_bytes > self.keep_history):
            raise ValidationError(
                {
                    "keep_history": gettext(
                        "A rebuild would bring back what is older: keep D&B's answers no longer than history."
                    )
                }
            )


class AccessToken(models.Model):
    """D&B's token, shared by all processes, encrypted; and the claim of the one that renews it."""

    contract = models.OneToOneField(Contract, primary_key=True, on_delete=models.CASCADE)
    encrypted = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True)
    renewal_until = models.DateTimeField(null=True)
    version = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"token of {self.contract_id}"


class ThrottleSlot(models.Model):
    """The next moment at which a call with this consumer key may be sent, over all processes."""

    key = models.CharField(primary_key=True, max_length=64)
    next_slot = models.BigIntegerField(default=0, help_text=_("Milliseconds since 1970."))

    def __str__(self) -> str:
        return self.key


class Cadence(models.TextChoices):
    MINUTES = "minutes", _("every … minutes")
    HOURS = "hours", _("every … hours")
    DAILY = "daily", _("daily at a time")


class RegistrationState(models.TextChoices):
    PAUSED = "paused", _("Paused")
    ACTIVE = "active", _("Active")
    STOPPED = "stopped", _("Stopped by D&B")


def check_timezone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(gettext("“%(value)s” is no time zone: use a name like Europe/Berlin.") % {"value": value})


class Registration(Leased):
    """A list of D-U-N-S numbers that D&B watches for us. D&B creates it; we discover and pull it."""

    id = CompactUUIDField(primary_key=True, editable=False)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT)
    reference = models.CharField(max_length=255, db_index=True)
    detail = models.TextField(blank=True, help_text=_("D&B's whole answer, as sent."))
    state = models.CharField(
        max_length=16, choices=RegistrationState.choices, default=RegistrationState.PAUSED, db_index=True
    )
    paused_until = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.TextField(blank=True)
    adopted = models.BooleanField(default=False)

    cadence = models.CharField(max_length=16, choices=Cadence.choices, default=Cadence.MINUTES)
    cadence_every = models.PositiveIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text=_("Minutes or hours between pulls; at most 48 hours.")
    )
    cadence_time = models.TimeField(null=True, blank=True, help_text=_("For a daily pull."))
    cadence_zone = models.CharField(max_length=64, default="UTC", validators=[check_timezone])
    page_size = models.PositiveSmallIntegerField(
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Notifications asked for in one call, 1 to 100."),
    )
    current_page_size = models.PositiveSmallIntegerField(
        default=100, editable=False, help_text=_("Smaller than the page size after trouble; grows back by itself.")
    )

    next_pull_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text=_("By our clock."))
    failures = models.PositiveIntegerField(default=0, editable=False, help_text=_("Runs that failed in a row."))
    trouble = models.TextField(blank=True, editable=False, help_text=_("Why the last run ended early."))
    quota_used_up = models.BooleanField(
        default=False, editable=False, help_text=_("D&B said so; it is asked again after midnight UTC.")
    )
    last_pulled_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("When the queue was last empty, by D&B's clock.")
    )
    heard_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("D&B's time in its last answer.")
    )
    checked_on = models.DateField(null=True, blank=True, editable=False)
    gap_from = models.DateTimeField(null=True, blank=True, editable=False)
    gap_until = models.DateTimeField(null=True, blank=True, editable=False)
    gap_reason = models.TextField(blank=True, editable=False)
    replay_mark = models.TextField(blank=True, editable=False, help_text=_("What a replay could not reach."))
    audited_at = models.DateTimeField(null=True, blank=True, editable=False)

    ingest_stopped_reason = models.TextField(blank=True, editable=False)
    ingest_window_from = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("Unreadable items before this no longer count.")
    )

    turn = models.BigIntegerField(
        default=0, editable=False, help_text=_("Counts the calls that may carry notifications.")
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
                {"cadence_every": gettext("At most 48 hours: D&B drops what is not pulled for 4 days.")}
            )
        if self.cadence == Cadence.DAILY and self.cadence_time is None:
            raise ValidationError({"cadence_time": gettext("A daily pull needs a time.")})

    @property
    def is_paused(self) -> bool:
        if self.state != RegistrationState.PAUSED:
            return False
        return self.paused_until is None or self.paused_until > timezone.now()


class Company(models.Model):
    """A company as lists show it. The columns are projected from history, which is the truth."""

    duns = models.CharField(primary_key=True, max_length=9)
    name = models.TextField(blank=True)
    search_name = TextInOrderOfBytes(blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    city = models.TextField(_("city"), blank=True)
    operating_status = models.TextField(blank=True)
    changed_at = models.DateTimeField(null=True)
    merged_into = models.CharField(max_length=9, blank=True, help_text=_("The company that D&B says it goes on as."))
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")
        indexes = [
            models.Index(fields=["search_name", "duns"], name="company_by_name"),
            models.Index(fields=["changed_at", "duns"], name="company_by_change"),
            models.Index(fields=["country", "duns"], name="company_by_country"),
            models.Index(fields=["merged_into", "duns"], name="company_by_merger"),
        ]

    def __str__(self) -> str:
        return self.name or self.duns
