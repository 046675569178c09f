"""What rules raised, what people did about it, and what waits for a channel's digest."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField, PartialIndex
from core.ids import time_first_id
from monitoring.models.channels import Channel
from monitoring.models.deliveries import STORY_PLACE
from monitoring.models.elements import Severity
from monitoring.models.rules import AlertRule
from portfolio.models import Company, Registration

ALERT_KEYS = uuid.UUID("5a1f4d2e-7c39-5b61-8f0e-2d9a6c1b7e50")


def content_key(*parts: object) -> uuid.UUID:
    """The key of what is known by these parts, however often it is made."""
    return uuid.uuid5(ALERT_KEYS, "\n".join(map(str, parts)))


class AlertState(models.TextChoices):
    NEW = "new", _("New")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    CLOSED = "closed", _("Closed")


class CloseReason(models.TextChoices):
    ACTED = "acted", _("Acted on")
    KNOWN = "known", _("Already known")
    NOISE = "noise", _("Not relevant")
    WRONG_DATA = "wrong_data", _("Wrong data")


class AlertKind(models.TextChoices):
    CHANGE = "change", _("Company change")
    FLOOD = "flood", _("Summary of many alerts")
    BASELINE = "baseline", _("New companies")


# An alert that is in the inbox, unless it is closed.
AWAKE: dict[str, object] = {"snoozed_until": None, "snoozed_by": "", "wakes_if_worse": False}
# A closed alert that is open again.
REOPENED: dict[str, object] = {
    **{"state": AlertState.NEW, "closed_at": None, "closed_by": "", "close_reason": ""},
    **AWAKE,
}


class Alert(models.Model):
    """Something a rule raised. Its key is made of the rule and what it groups, so that it is raised once."""

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=8, choices=AlertKind.choices, default=AlertKind.CHANGE)
    rule = models.ForeignKey(AlertRule, models.SET_NULL, null=True, db_index=False)
    rule_name = models.CharField(max_length=120)
    company = models.ForeignKey(Company, models.PROTECT, null=True, db_index=False)
    registration = models.ForeignKey(Registration, models.PROTECT, null=True, db_index=False)
    audience = CompactUUIDField(
        null=True,
        editable=False,
        help_text=_("All registrations that reported the changes of the alert, if others did besides the alert's own."),
    )
    unit = models.TextField(blank=True, editable=False, help_text=_("Business unit of its rule."))
    severity = models.SmallIntegerField(choices=Severity.choices)
    state = models.CharField(max_length=12, choices=AlertState.choices, default=AlertState.NEW)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, db_index=False)
    assigned_by = models.TextField(blank=True)
    assigned_at = models.DateTimeField(null=True)
    title = models.TextField(help_text=_("Description of the first change."))
    reason = models.TextField(help_text=_("Reason for raising the alert."))
    is_late = models.BooleanField(
        default=False,
        help_text=_(
            "The change was more than 7 days old when it arrived, so it appears only under Alerts and in digests."
        ),
    )
    happened_at = models.DateTimeField()
    raised_at = models.DateTimeField()
    rate_window = models.DateTimeField(help_text=_("The hour in which alerts of the rule are counted."))
    sequence = models.BigIntegerField(help_text=_("The publication that raised it."))
    fact_count = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(
        default=0, help_text=_("Number of companies added, for a summary of new companies.")
    )
    last_counted = models.BigIntegerField(default=0, help_text=_("The last publication included."))
    exposure = models.BigIntegerField(
        default=0, help_text=_("Money at stake with the company, in cents of the reporting currency; 0 if unknown.")
    )
    reversal = models.TextField(blank=True, help_text=_("Description of the reversal."))
    reversed_at = models.DateTimeField(null=True)
    reversed_by = CompactUUIDField(null=True, help_text=_("The change that reversed the alert."))
    acknowledged_by = models.TextField(blank=True)
    acknowledged_at = models.DateTimeField(null=True)
    closed_by = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=10, choices=CloseReason.choices, blank=True)
    snoozed_until = models.DateTimeField(null=True, help_text=_("The alert is not in the inbox until this time."))
    snoozed_by = models.TextField(blank=True)
    wakes_if_worse = models.BooleanField(
        default=False, help_text=_("The alert returns to the inbox earlier if the situation gets worse.")
    )
    due_at = models.DateTimeField(null=True, help_text=_("Time by which the alert is to be closed."))
    escalated_at = models.DateTimeField(null=True)
    reopened_because = models.TextField(blank=True, help_text=_("Reason for which D&B Monitoring reopened the alert."))
    worse_at = models.BigIntegerField(default=0, help_text=_("The last publication by which the situation got worse."))
    worse_by = CompactUUIDField(null=True, help_text=_("The last change by which the situation got worse."))

    class Meta:
        permissions = [("acknowledge_alert", _("Can acknowledge, assign, comment and close alerts"))]
        indexes = [
            # The list of all alerts, the API, the report.
            models.Index(fields=["raised_at", "id"], name="alert_by_time"),
            # The inbox sorted by time, the API by state.
            models.Index(fields=["state", "raised_at", "id"], name="alert_by_state"),
            # The inbox, which begins with the most severe, and the alerts before and after one in it.
            models.Index(fields=["state", "severity", "raised_at", "id"], name="alert_by_severity"),
            # The list of all alerts by severity.
            models.Index(fields=["severity", "raised_at", "id"], name="alert_by_severity_time"),
            # The list by money at stake.
            models.Index(fields=["exposure", "raised_at", "id"], name="alert_by_exposure"),
            # A person's inbox and its count.
            models.Index(fields=["assignee", "state", "raised_at"], name="alert_by_assignee"),
            # All alerts of a person.
            models.Index(fields=["assignee", "raised_at", "id"], name="alert_by_person"),
            # Messages about new assignments.
            models.Index(fields=["assigned_at", "id"], name="alert_by_assignment"),
            # A company's page, the search of the inbox, the API by company, what a change may resolve.
            models.Index(fields=["company", "state", "raised_at"], name="alert_by_company"),
            # What business units see, and erasing a registration.
            models.Index(fields=["registration", "raised_at", "id"], name="alert_by_registration"),
            # What business units see beside the alerts of their own registrations.
            models.Index(fields=["audience", "raised_at", "id"], name="alert_by_audience"),
            # A rule's limit per hour.
            models.Index(fields=["rule", "rate_window", "sequence"], name="alert_by_hour"),
            # How often a rule was not relevant, and the alerts that were.
            models.Index(fields=["rule", "close_reason", "raised_at"], name="alert_by_rule_reason"),
            # Overdue alerts, the longest overdue first, and which of them are escalated.
            models.Index(fields=["state", "due_at", "id"], name="alert_by_due"),
            # Snoozed alerts. Partial, or an engine may look up in it the many that are not.
            PartialIndex(
                fields=["snoozed_until", "id"],
                name="alert_by_snooze",
                condition=models.Q(snoozed_until__isnull=False),
            ),
        ]
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")

    def __str__(self) -> str:
        return self.title


class AlertItem(models.Model):
    """A change that a rule took, once: the rule and the change are its key."""

    id = CompactUUIDField(primary_key=True, editable=False)
    alert = models.ForeignKey(Alert, models.CASCADE, db_index=False)
    rule_name = models.CharField(max_length=120, help_text=_("The rule that matched, for a summary."))
    change = CompactUUIDField(help_text=_("The change. Its row may be replaced when history is rebuilt."))
    company = models.CharField(max_length=9)
    kind = models.CharField(max_length=16)
    element = models.CharField(max_length=400, blank=True)
    text = models.TextField(help_text=_("Description."))
    severity = models.SmallIntegerField(choices=Severity.choices)
    changed_at = models.DateTimeField()
    place = HexField(max_length=STORY_PLACE, blank=True, help_text=_("Orders changes with the same time."))
    sequence = models.BigIntegerField(help_text=_("The publication that included it."))

    class Meta:
        default_permissions = ()
        indexes = [
            # An alert's page and message.
            models.Index(fields=["alert", "sequence", "id"], name="item_by_alert"),
            # Facts that are reversed or replaced.
            models.Index(fields=["company", "changed_at"], name="item_by_company"),
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
    change = CompactUUIDField(
        null=True,
        help_text=_("The change that the comment is about. Users who cannot see the change cannot see the comment."),
    )
    snoozed_until = models.DateTimeField(
        null=True, help_text=_("End of the snooze, if snoozing the alert added the comment.")
    )

    class Meta:
        default_permissions = ()
        # An alert's page.
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
    digest = CompactUUIDField(null=True, help_text=_("The message that contains the entry."))
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        # The digest that is due.
        indexes = [models.Index(fields=["channel", "digest", "id"], name="digest_item_waiting")]
        verbose_name = _("digest item")
        verbose_name_plural = _("digest items")

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.alert_id or self.notice}"
