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
        _("settings prefix"),
        max_length=32,
        default="DNB",
        help_text=_(
            "Prefix of the environment settings with this contract's credentials. DNB stands for DNB_API_KEY, "
            "DNB_API_SECRET and DNB_BASE_URL."
        ),
    )
    base_url = models.URLField(
        _("D&B address"), blank=True, help_text=_("Leave empty to use the address from the environment settings.")
    )
    calls_per_second = models.FloatField(
        _("calls per second"),
        default=5.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(100)],
        help_text=_("Maximum number of calls to D&B per second. D&B allows 5 by default."),
    )
    anniversary = models.DateField(
        _("anniversary"),
        null=True,
        blank=True,
        help_text=_("Day on which a new contract year begins. Companies that are still monitored on it renew."),
    )
    contracted_number = models.PositiveIntegerField(
        _("contracted number"),
        null=True,
        blank=True,
        help_text=_("Number of companies included in the contract per year."),
    )
    cap = models.PositiveIntegerField(
        _("addition limit for one user"),
        default=100,
        help_text=_(
            "New billable companies that each user may add per contract year. More than that needs a second approval "
            "by another user with the role Approver or Administrator."
        ),
    )
    removal_share = models.PositiveSmallIntegerField(
        _("removal limit for one user"),
        default=10,
        validators=[MaxValueValidator(100)],
        help_text=_(
            "Percent of a list that one user may remove within 30 days. Beyond that, a second approval is needed."
        ),
    )
    batch_threshold = models.PositiveIntegerField(
        _("batch threshold"),
        default=50,
        help_text=_("Up to this number, additions and removals are sent one by one. More are sent as one batch."),
    )
    overlap = models.DurationField(
        _("replay overlap"),
        default=timedelta(minutes=5),
        help_text=_(
            "A replay starts this long before D&B's last known time, in case clocks differ slightly. Format: "
            "hours:minutes:seconds."
        ),
    )
    recovery_delay = models.DurationField(
        _("recovery delay"),
        default=timedelta(minutes=15),
        help_text=_(
            "How long after a call in doubt D&B may still remove notifications from the queue. Format: "
            "hours:minutes:seconds."
        ),
    )
    chain_refreshes = models.PositiveIntegerField(
        _("upward chains refreshed per month"),
        null=True,
        blank=True,
        help_text=_(
            "Upward chains that are outdated are fetched again automatically, up to this number per month and within "
            "the call budget. Each takes one Family Tree call. Leave empty to refresh none automatically."
        ),
    )
    keep_bytes = models.PositiveIntegerField(
        _("keep D&B's responses (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30)],
        help_text=_(
            "At least 30. Leave empty to keep responses forever. A rebuild cannot use responses that were deleted."
        ),
    )
    keep_history = models.PositiveIntegerField(
        _("keep notifications and changes (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30)],
        help_text=_(
            "Not shorter than for D&B's responses. Leave empty to keep history forever. A snapshot of each company "
            "remains, so later states can still be shown."
        ),
    )
    bytes_kept_from = models.DateTimeField(
        _("oldest response kept"),
        null=True,
        editable=False,
        help_text=_("Responses before this time were deleted. Empty if nothing was deleted."),
    )
    history_kept_from = models.DateTimeField(
        _("history available from"),
        null=True,
        editable=False,
        help_text=_("History before this time was reduced to a snapshot. Empty if nothing was deleted."),
    )
    history_cut = models.DateTimeField(
        null=True, editable=False, help_text=_("History from before this time is being deleted.")
    )
    history_position = models.CharField(
        max_length=9, blank=True, editable=False, help_text=_("Last company with shortened history.")
    )
    restored_from = models.DateTimeField(
        null=True, editable=False, help_text=_("Creation time of the backup that was restored last.")
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
                        "A rebuild would restore older history. Enter at least as many days as for D&B's responses, "
                        "and set a limit for those too."
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
    next_slot = models.BigIntegerField(default=0, help_text=_("Milliseconds since 1 January 1970."))

    def __str__(self) -> str:
        return self.key
