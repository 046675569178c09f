"""Where events go: addresses of other systems, what each subscribes to, and how far it has been sent."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from monitoring.models.elements import Severity
from monitoring.models.maintainers import HasMaintainer
from portfolio.models import Registration


class WebhookEndpoint(HasMaintainer):
    """An address that receives events as they happen, by the Standard Webhooks specification."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=100, unique=True, help_text=_("Which system it belongs to."))
    url = models.URLField(max_length=500, help_text=_("Where events are sent by POST."))
    event_types = models.TextField(
        _("event types"),
        default="change.published",
        help_text=_("Separated by commas. subject.* stands for all that begin so, * for everything."),
    )
    kinds = models.TextField(
        _("kinds"), blank=True, help_text=_("Changes: only these kinds, separated by commas. Empty: all.")
    )
    severity = models.SmallIntegerField(
        _("severity"), choices=Severity.choices, default=Severity.LOW, help_text=_("Changes: of this severity or more.")
    )
    element = models.CharField(
        _("element"), max_length=400, blank=True, help_text=_("Changes: of elements whose path begins so. Empty: all.")
    )
    registration = models.ForeignKey(
        Registration,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text=_("Changes first brought by this one."),
        verbose_name=_("registration"),
    )
    countries = models.TextField(
        _("countries"), blank=True, help_text=_("Changes: of companies in these countries, such as DE, AT.")
    )
    companies = models.TextField(
        _("companies"), blank=True, help_text=_("Changes: only of these D-U-N-S numbers. Empty: of all.")
    )
    encrypted_secret = models.TextField(editable=False)
    encrypted_old_secret = models.TextField(blank=True, editable=False)
    old_secret_until = models.DateTimeField(
        null=True, editable=False, help_text=_("Until then messages are signed with the old secret as well.")
    )
    is_active = models.BooleanField(_("is active"), default=True)
    off_reason = models.TextField(blank=True, editable=False, help_text=_("Why it was switched off."))
    cursor = models.TextField(editable=False, help_text=_("How far it was told of the feed."))
    position = models.BigIntegerField(default=0, editable=False, help_text=_("How many messages it was given."))
    held_until = models.DateTimeField(null=True, editable=False, help_text=_("The receiver asked to be left alone."))
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.name
