"""Where events go: addresses of other systems, what each subscribes to, and how far it has been sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.units import OfUnit
from monitoring.models.elements import Severity
from monitoring.models.maintainers import HasMaintainer
from portfolio.models import Registration


class WebhookEndpoint(OfUnit, HasMaintainer):
    """An address that receives events as they happen, by the Standard Webhooks specification."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("The system that receives the events."))
    url = models.URLField(max_length=500, help_text=_("Events are sent to this address by POST."))
    event_types = models.TextField(
        _("events"),
        default="change.published",
        help_text=_(
            "Separated by commas. Use subject.* for all events that start with “subject.”, or * for all events."
        ),
    )
    kinds = models.TextField(
        _("change types"),
        blank=True,
        help_text=_("Send only changes of these types, separated by commas. Leave empty to include all types."),
    )
    severity = models.SmallIntegerField(
        _("severity"),
        choices=Severity.choices,
        default=Severity.LOW,
        help_text=_("Send only changes of this severity or higher."),
    )
    element = models.CharField(
        _("data element"),
        max_length=400,
        blank=True,
        help_text=_(
            "Send only changes to data elements with a path that starts with this text. Leave empty to include all."
        ),
    )
    registration = models.ForeignKey(
        Registration,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Send only changes first received through this registration."),
        verbose_name=_("registration"),
    )
    countries = models.TextField(
        _("countries"),
        blank=True,
        help_text=_("Send only changes of companies in these countries, such as DE, AT. Leave empty to include all."),
    )
    companies = models.TextField(
        _("companies"),
        blank=True,
        help_text=_("Send only changes of these D-U-N-S numbers. Leave empty to include all."),
    )
    encrypted_secret = models.TextField(editable=False)
    encrypted_old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(
        null=True, editable=False, help_text=_("Messages are also signed with the old secret until this time.")
    )
    is_active = models.BooleanField(_("enabled"), default=True)
    is_discarding = models.BooleanField(
        default=False, editable=False, help_text=_("While the webhook is disabled, its events are discarded.")
    )
    off_reason = models.TextField(blank=True, editable=False, help_text=_("Reason for disabling the webhook."))
    cursor = models.TextField(editable=False, help_text=_("Position of the webhook in the event feed."))
    position = models.BigIntegerField(default=0, editable=False, help_text=_("Number of messages created."))
    held_until = models.DateTimeField(
        null=True, editable=False, help_text=_("The receiver asked to pause until this time.")
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name
