"""What people want to hear of, what was raised for them, and where it is sent."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from monitoring.models.notifications import Severity
from portfolio.models import Company, Registration

ALERT_KEYS = uuid.UUID("5a1f4d2e-7c39-5b61-8f0e-2d9a6c1b7e50")


def content_key(*parts: object) -> uuid.UUID:
    """The key of what is known by these parts, however often it is made."""
    return uuid.uuid5(ALERT_KEYS, "\n".join(map(str, parts)))


class Combination(models.TextChoices):
    ANY = "any", _("Any of them")
    ALL = "all", _("All of them")


class Grouping(models.TextChoices):
    COMPANY_DAY = "company_day", _("One alert a company and day")
    EACH = "each", _("One alert for each change")


class AlertRule(models.Model):
    """What is worth an alert: which changes, of which companies, and who is told."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    active = models.BooleanField(_("switched on"), default=False)
    pack = models.CharField(max_length=40, blank=True, editable=False, help_text=_("Its name in the ready pack."))
    kinds = models.TextField(_("kinds"), blank=True, help_text=_("Kinds of change, separated by commas; empty: all."))
    elements = models.TextField(
        _("elements"), blank=True, help_text=_("Element paths, one a line; * and ** are wildcards.")
    )
    combination = models.CharField(_("combination"), max_length=4, choices=Combination.choices, default=Combination.ANY)
    conditions = models.TextField(_("conditions"), blank=True, help_text=_("One a line; empty: any change."))
    registrations = models.TextField(_("registrations"), blank=True, help_text=_("References, one a line; empty: all."))
    companies = models.TextField(
        _("companies"), blank=True, help_text=_("D-U-N-S numbers, separated by commas or lines; empty: all.")
    )
    tags = models.TextField(_("tags"), blank=True, help_text=_("Separated by commas; empty: all."))
    countries = models.TextField(
        _("countries"), blank=True, help_text=_("Two letters each, separated by commas; empty: all.")
    )
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices, default=Severity.HIGH)
    grouping = models.CharField(_("grouping"), max_length=16, choices=Grouping.choices, default=Grouping.COMPANY_DAY)
    to_owner = models.BooleanField(_("tell the company's owner"), default=True)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_until = models.TimeField(_("quiet until"), null=True, blank=True)
    quiet_zone = models.CharField(_("quiet zone"), max_length=64, default="UTC")
    created_by = models.TextField(blank=True, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("alert rule")
        indexes = [models.Index(fields=["active", "id"], name="rule_by_active")]
        verbose_name_plural = _("alert rules")

    def __str__(self) -> str:
        return self.name


class Rhythm(models.TextChoices):
    AT_ONCE = "at_once", _("At once")
    DAILY = "daily", _("Once a day, as a digest")
    WEEKLY = "weekly", _("Once a week, as a digest")


class Weekday(models.IntegerChoices):
    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class Channel(models.Model):
    """Where alerts go: mail addresses, or the address of a service, which holds secrets and is kept encrypted."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    encrypted = models.TextField(blank=True, editable=False)
    shown = models.TextField(blank=True, editable=False, help_text=_("The address without its secrets."))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="channels",
        help_text=_("Empty: shared."),
    verbose_name=_("person"))  # fmt: skip
    active = models.BooleanField(_("switched on"), default=True)
    notices = models.BooleanField(_("also notices about the portfolio"), default=False)
    all_rules = models.BooleanField(_("alerts of every rule"), default=True)
    minimum = models.SmallIntegerField("from", choices=Severity.choices, default=Severity.HIGH)
    rhythm = models.CharField(_("rhythm"), max_length=8, choices=Rhythm.choices, default=Rhythm.AT_ONCE)
    digest_time = models.TimeField(_("digest time"), null=True, blank=True)
    digest_day = models.SmallIntegerField(_("digest day"), choices=Weekday.choices, default=Weekday.MONDAY)
    zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("Empty: the person's, else UTC."))
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


class RuleChannel(models.Model):
    """A rule tells a channel."""

    id = CompactUUIDField(primary_key=True, editable=False)
    rule = models.ForeignKey(AlertRule, models.CASCADE)
    channel = models.ForeignKey(Channel, models.CASCADE)

    class Meta:
        default_permissions = ()
        verbose_name = _("rule channel")
        verbose_name_plural = _("rule channels")

    def __str__(self) -> str:
        return f"{self.rule_id} → {self.channel_id}"


class AlertState(models.TextChoices):
    NEW = "new", _("New")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CLOSED = "closed", _("Closed")


class AlertKind(models.TextChoices):
    CHANGE = "change", _("What changed about a company")
    FLOOD = "flood", _("Too many at once, as one")
    BASELINE = "baseline", _("What new companies brought along")


class Alert(models.Model):
    """Something a rule raised. Its key is made of the rule and what it groups, so that it is raised once."""

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=8, choices=AlertKind.choices, default=AlertKind.CHANGE)
    rule = models.ForeignKey(AlertRule, models.SET_NULL, null=True, db_index=False)
    rule_name = models.CharField(max_length=120)
    company = models.ForeignKey(Company, models.PROTECT, null=True, db_index=False)
    registration = models.ForeignKey(Registration, models.PROTECT, null=True)
    severity = models.SmallIntegerField(choices=Severity.choices)
    state = models.CharField(max_length=12, choices=AlertState.choices, default=AlertState.NEW)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, db_index=False)
    assigned_by = models.TextField(blank=True)
    assigned_at = models.DateTimeField(null=True)
    title = models.TextField(help_text=_("The first change, in words."))
    reason = models.TextField(help_text=_("Why it was raised."))
    is_late = models.BooleanField(default=False, help_text=_("Old news when it came: for the inbox and digests only."))
    happened_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    hour = models.DateTimeField(help_text=_("The hour whose alerts of a rule are counted."))
    number = models.BigIntegerField(help_text=_("The publication that raised it."))
    fact_count = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text=_("Of a baseline: companies that were added."))
    counted_to = models.BigIntegerField(default=0, help_text=_("The last publication counted in it."))
    reversal = models.TextField(blank=True, help_text=_("That it was taken back, in words."))
    reversed_at = models.DateTimeField(null=True)
    reversed_by = CompactUUIDField(null=True, help_text=_("The change that took it back."))
    acknowledged_by = models.TextField(blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_by = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("acknowledge_alert", _("Can acknowledge, assign, comment and close alerts"))]
        indexes = [
            models.Index(fields=["raised_at", "id"], name="alert_by_time"),
            models.Index(fields=["state", "raised_at", "id"], name="alert_by_state"),
            models.Index(fields=["severity", "state", "raised_at"], name="alert_by_severity"),
            models.Index(fields=["severity", "raised_at", "id"], name="alert_by_weight"),
            models.Index(fields=["assignee", "state", "raised_at"], name="alert_by_assignee"),
            models.Index(fields=["assignee", "raised_at", "id"], name="alert_by_person"),
            models.Index(fields=["assigned_at", "id"], name="alert_by_assignment"),
            models.Index(fields=["company", "raised_at", "id"], name="alert_by_company"),
            models.Index(fields=["rule", "hour", "number"], name="alert_by_hour"),
        ]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")

    def __str__(self) -> str:
        return self.title


class AlertFact(models.Model):
    """A change that a rule took, once: the rule and the change are its key."""

    id = CompactUUIDField(primary_key=True, editable=False)
    alert = models.ForeignKey(Alert, models.CASCADE, db_index=False)
    rule_name = models.CharField(max_length=120, help_text=_("Of a summary: the rule that took it."))
    change = CompactUUIDField(help_text=_("The change; its row may go when history is made anew."))
    company = models.CharField(max_length=9)
    kind = models.CharField(max_length=16)
    element = models.CharField(max_length=400, blank=True)
    text = models.TextField(help_text=_("In words."))
    severity = models.SmallIntegerField(choices=Severity.choices)
    changed_at = models.DateTimeField()
    place = models.CharField(max_length=48, blank=True, help_text=_("Sorts the changes of one moment."))
    number = models.BigIntegerField(help_text=_("The publication that brought it."))

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["alert", "number", "id"], name="fact_by_alert"),
            models.Index(fields=["company", "changed_at"], name="fact_by_company"),
        ]
        verbose_name = _("alert fact")
        verbose_name_plural = _("alert facts")

    def __str__(self) -> str:
        return self.text


class AlertComment(models.Model):
    """What a person, or the program, has to say about an alert."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    alert = models.ForeignKey(Alert, models.CASCADE, db_index=False)
    by = models.TextField()
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["alert", "id"], name="comment_by_alert")]
        verbose_name = _("alert comment")
        verbose_name_plural = _("alert comments")

    def __str__(self) -> str:
        return self.text


class DigestItem(models.Model):
    """Something that waits for, or went out with, a channel's digest."""

    id = CompactUUIDField(primary_key=True, editable=False)
    channel = models.ForeignKey(Channel, models.CASCADE, db_index=False)
    alert = models.ForeignKey(Alert, models.CASCADE, null=True)
    notice = CompactUUIDField(null=True)
    digest = CompactUUIDField(null=True, help_text=_("The dispatch that carries it."))
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["channel", "digest", "id"], name="digest_item_waiting")]
        verbose_name = _("digest item")
        verbose_name_plural = _("digest items")

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.alert_id or self.notice}"
