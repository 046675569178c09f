"""Contracts with D&B, and what their calls share."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


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
    recovery_delay = models.DurationField(
        _("recovery delay"),
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


class RateLimitSlot(models.Model):
    """The next moment at which a call with this consumer key may be sent, over all processes."""

    key = models.CharField(primary_key=True, max_length=64)
    next_slot = models.BigIntegerField(default=0, help_text=_("Milliseconds since 1970."))

    def __str__(self) -> str:
        return self.key
