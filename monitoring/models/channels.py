"""Where alerts go, and the mail addresses whose holders were asked for their consent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.units import OfUnit
from monitoring.models.elements import Severity


class Frequency(models.TextChoices):
    AT_ONCE = "at_once", _("Immediately")
    DAILY = "daily", _("Daily digest")
    WEEKLY = "weekly", _("Weekly digest")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Channel(OfUnit):
    """Where alerts go: mail addresses, or the address of a service, which holds secrets and is kept encrypted."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    encrypted = models.TextField(blank=True, editable=False)
    display_address = models.TextField(blank=True, editable=False, help_text=_("The address without its secrets."))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="channels",
        help_text=_("Leave empty to share it with all users."),
    verbose_name=_("owner"))  # fmt: skip
    active = models.BooleanField(_("enabled"), default=True)
    notices = models.BooleanField(_("portfolio notices"), default=False)
    all_rules = models.BooleanField(_("all rules"), default=True)
    min_severity = models.SmallIntegerField(_("minimum severity"), choices=Severity.choices, default=Severity.HIGH)
    frequency = models.CharField(_("frequency"), max_length=8, choices=Frequency.choices, default=Frequency.AT_ONCE)
    digest_time = models.TimeField(_("digest time"), null=True, blank=True)
    digest_day = models.SmallIntegerField(_("digest day"), choices=Weekday.choices, default=Weekday.MONDAY)
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("Leave empty to use the owner's time zone, or UTC for a shared channel."),
    )
    next_digest_at = models.DateTimeField(null=True, editable=False)
    unsubscribed_at = models.DateTimeField(null=True, editable=False)
    last_sent_at = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["next_digest_at", "id"], name="channel_by_digest")]
        verbose_name = _("channel")
        verbose_name_plural = _("channels")

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        """Whether anything is sent there at all."""
        return self.active and self.unsubscribed_at is None


class MailAddress(models.Model):
    """An address that is nobody's own here gets messages after its holder has said yes. The address is the key."""

    id = CompactUUIDField(primary_key=True, editable=False)
    address = models.TextField()
    confirmation_sent_at = models.DateTimeField(null=True, help_text=_("Time of the last confirmation email."))
    confirmations_sent = models.PositiveSmallIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("email address")
        verbose_name_plural = _("email addresses")

    def __str__(self) -> str:
        return self.address
