"""What users follow, how they are notified, and what each of them was notified of."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.alerts import content_key
from monitoring.models.channels import Channel, Frequency, Weekday
from monitoring.models.elements import Severity


class FollowKind(models.TextChoices):
    COMPANY = "company", _("Company")
    GROUP = "group", _("Corporate group")
    TAG = "tag", _("Tag")
    COUNTRY = "country", _("Country")
    REGISTRATION = "registration", _("Registration")
    FILTER = "filter", _("Saved filter")


class Follow(models.Model):
    """Something that a user follows. User, kind and subject are its key."""

    id = CompactUUIDField(primary_key=True, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="follows", db_index=False)
    kind = models.CharField(max_length=12, choices=FollowKind.choices)
    subject = models.CharField(
        max_length=500, help_text=_("D-U-N-S number, tag, country code, or ID of the registration or saved filter.")
    )
    name = models.TextField(blank=True, help_text=_("Name shown to users, if no row contains one."))
    min_severity = models.SmallIntegerField(_("minimum severity"), choices=Severity.choices, default=Severity.HIGH)
    frequency = models.CharField(_("frequency"), max_length=8, choices=Frequency.choices, default=Frequency.AT_ONCE)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            # A user's page.
            models.Index(fields=["person", "id"], name="follow_by_person"),
            # A merged or erased company.
            models.Index(fields=["kind", "subject"], name="follow_by_subject"),
        ]
        verbose_name = _("follow")
        verbose_name_plural = _("follows")

    def __str__(self) -> str:
        return f"{self.kind}:{self.subject}"

    @staticmethod
    def key(person: uuid.UUID, kind: str, subject: str) -> uuid.UUID:
        return content_key("follow", person, kind, subject)


class NotificationPreference(models.Model):
    """How a user is notified of what they follow. Its key is the user's; a user without one has the defaults."""

    id = CompactUUIDField(primary_key=True, editable=False)
    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preference")
    channel = models.ForeignKey(
        Channel,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("send to"),
    )
    digest_time = models.TimeField(_("digest time"), null=True, blank=True, help_text=_("Leave empty for 08:00."))
    digest_day = models.SmallIntegerField(_("digest day"), choices=Weekday.choices, default=Weekday.MONDAY)
    quiet_from = models.TimeField(_("quiet hours from"), null=True, blank=True)
    quiet_until = models.TimeField(
        _("quiet hours until"), null=True, blank=True, help_text=_("Messages wait until then.")
    )
    critical_passes = models.BooleanField(
        _("critical changes during quiet hours"),
        default=False,
        help_text=_("Send critical changes immediately, also during quiet hours."),
    )
    own_companies = models.BooleanField(
        _("companies you own"), default=True, help_text=_("Follow every company of which you are the owner.")
    )
    own_severity = models.SmallIntegerField(
        _("minimum severity for your companies"), choices=Severity.choices, default=Severity.HIGH
    )
    own_frequency = models.CharField(
        _("frequency for your companies"), max_length=8, choices=Frequency.choices, default=Frequency.AT_ONCE
    )
    failures = models.PositiveSmallIntegerField(default=0, help_text=_("Failed messages since the last delivery."))
    last_error = models.TextField(blank=True)
    paused_at = models.DateTimeField(null=True)
    paused_because = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")

    def __str__(self) -> str:
        return str(self.person)

    @property
    def name(self) -> str:
        """As the page says that its link leads to."""
        return gettext("Notifications of %(person)s") % {"person": self.person}

    @property
    def unsubscribed_at(self) -> datetime | None:
        return self.paused_at

    @property
    def quiet_zone(self) -> str:
        """Hours are the user's own."""
        return self.person.timezone or "UTC"


class PersonalEvent(models.Model):
    """That a user is notified of a change: once, as user and change are the key. A message takes all of its event."""

    id = CompactUUIDField(primary_key=True, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    change = CompactUUIDField(help_text=_("The change. Its row may be replaced when history is rebuilt."))
    company = models.CharField(max_length=9)
    because = models.TextField(help_text=_("The followed item: kind and subject."))
    event = models.CharField(max_length=100, help_text=_("The message that contains the entry."))
    due_at = models.DateTimeField()
    is_written = models.BooleanField(default=False, help_text=_("The message was written with this entry."))
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            # What a message carries, a user's last messages.
            models.Index(fields=["person", "event", "id"], name="personal_event_by_message"),
            # Erasing a company.
            models.Index(fields=["company", "id"], name="personal_event_by_company"),
            # Changes that are replaced.
            models.Index(fields=["change", "id"], name="personal_event_by_change"),
            # Deleting old records.
            models.Index(fields=["created_at", "id"], name="personal_event_by_time"),
        ]
        verbose_name = _("personal message entry")
        verbose_name_plural = _("personal message entries")

    def __str__(self) -> str:
        return f"{self.event}: {self.company}"

    @staticmethod
    def key(person: uuid.UUID, change: uuid.UUID) -> uuid.UUID:
        return content_key("personal event", person, change)
