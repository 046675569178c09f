"""Which changes raise alerts, and which channels are notified."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.models.units import OfUnit
from monitoring.models.channels import Channel
from monitoring.models.elements import Severity


class Combination(models.TextChoices):
    ANY = "any", _("Any condition")
    ALL = "all", _("All conditions")


class Grouping(models.TextChoices):
    COMPANY_DAY = "company_day", _("One alert per company per day")
    EACH = "each", _("One alert per change")


class AlertRule(OfUnit):
    """What is worth an alert: which changes, of which companies, and who is notified."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    active = models.BooleanField(_("enabled"), default=False)
    default_key = models.CharField(max_length=40, blank=True, editable=False, help_text=_("Key of the default rule."))
    kinds = models.TextField(
        _("change types"), blank=True, help_text=_("Change types, separated by commas. Leave empty to include all.")
    )
    elements = models.TextField(
        _("data elements"), blank=True, help_text=_("Data element paths, one per line. * and ** are wildcards.")
    )
    combination = models.CharField(_("match"), max_length=4, choices=Combination.choices, default=Combination.ANY)
    conditions = models.TextField(
        _("conditions"), blank=True, help_text=_("One per line. Leave empty to include any change.")
    )
    registrations = models.TextField(
        _("registrations"), blank=True, help_text=_("References, one per line. Leave empty to include all.")
    )
    companies = models.TextField(
        _("companies"),
        blank=True,
        help_text=_("D-U-N-S numbers, separated by commas or lines. Leave empty to include all."),
    )
    tags = models.TextField(_("tags"), blank=True, help_text=_("Separated by commas. Leave empty to include all."))
    countries = models.TextField(
        _("countries"), blank=True, help_text=_("Two-letter codes, separated by commas. Leave empty to include all.")
    )
    min_exposure = models.BigIntegerField(
        _("exposure above"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(10**14)],
        help_text=_("In the reporting currency. Leave empty to include all companies."),
    )
    group_only = models.BooleanField(
        _("only members of a monitored group"),
        default=False,
        help_text=_(
            "Includes only companies of a corporate group in which you monitor other companies. "
            "Their owners are notified, too."
        ),
    )
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices, default=Severity.HIGH)
    grouping = models.CharField(_("grouping"), max_length=16, choices=Grouping.choices, default=Grouping.COMPANY_DAY)
    notify_owner = models.BooleanField(_("notify company owner"), default=True)
    notify_users = models.TextField(
        _("notify users"), blank=True, help_text=_("Usernames, separated by commas. They receive every alert they see.")
    )
    escalate_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("escalate to"),
        help_text=_("Receives alerts that are overdue. Leave empty to use the default of the severity."),
    )
    quiet_from = models.TimeField(_("quiet hours from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet hours until"), null=True, blank=True)
    quiet_zone = models.CharField(_("time zone of the quiet hours"), max_length=64, default="UTC")
    created_by = models.TextField(blank=True, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("alert rule")
        indexes = [models.Index(fields=["active", "id"], name="rule_by_active")]
        verbose_name_plural = _("alert rules")

    def __str__(self) -> str:
        return self.name


class RuleChannel(models.Model):
    """A rule notifies a channel."""

    id = CompactUUIDField(primary_key=True, editable=False)
    rule = models.ForeignKey(AlertRule, models.CASCADE)
    channel = models.ForeignKey(Channel, models.CASCADE)

    class Meta:
        default_permissions = ()
        verbose_name = _("rule channel")
        verbose_name_plural = _("rule channels")

    def __str__(self) -> str:
        return f"{self.rule_id} → {self.channel_id}"
