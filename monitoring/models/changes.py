"""Changes of companies, as notifications report them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import CompactDateTimeField, CompactUUIDField, HexField, PartialIndex
from monitoring.models.deliveries import STORY_PLACE, Delivery
from monitoring.models.elements import Severity
from monitoring.models.notifications import Notification
from portfolio.models import Company, Registration

CHECKPOINT_KEYS = uuid.UUID("b9d3a6c4-52f0-5e8e-8a0b-7f41c0d93e27")


class Kind(models.TextChoices):
    ELEMENT = "element", _("Changed")
    BASELINE = "baseline", _("Baseline")
    DELETED = "deleted", _("Deleted at D&B")
    RESTORED = "restored", _("Restored at D&B")
    TRANSFERRED = "transferred", _("Merged into another company")
    UNDER_REVIEW = "under_review", _("Under review")
    REVIEWED = "reviewed", _("Review completed")
    LEFT = "left", _("Left the monitored set")
    ENTERED = "entered", _("Entered the monitored set")
    REMOVED = "removed", _("Removed from monitoring")
    UNKNOWN = "unknown", _("Unknown notification type")


class Entry(models.IntegerChoices):
    """What the publication of a change's delivery says of it; a change that was never live is not published itself."""

    CHANGE = 0, _("Change")
    # The first report of this registration that a change published before, `replaced_by`, is true.
    OBSERVATION = 1, _("Observation")
    NONE = 2, _("None")


# What partial indexes leave out; a query that repeats it, word by word, is answered by the index.
NO_ELEMENT, NO_NOISE = ~Q(kind=Kind.ELEMENT), ~Q(severity=Severity.NOISE)
REPLACED = Q(replaced_by__isnull=False)
SHARED = Q(audience__isnull=False)


class Change(models.Model):
    """A fact about a company: the same fact from two registrations is one row."""

    id = CompactUUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    element = models.CharField(max_length=400, blank=True)
    previous = models.TextField(null=True, help_text=_("JSON as sent."))
    current = models.TextField(null=True, help_text=_("JSON as sent."))
    changed_at = CompactDateTimeField()
    delivered_at = CompactDateTimeField(null=True)
    position = models.PositiveIntegerField(default=0)
    place = HexField(max_length=STORY_PLACE, blank=True, help_text=_("Sorts the changes of one moment."))
    recorded_at = CompactDateTimeField()
    severity = models.SmallIntegerField(choices=Severity.choices)
    # Indexed for a notification's page and the list of them, rebuild and retention.
    notification = models.ForeignKey(Notification, on_delete=models.PROTECT)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, db_index=False)
    derived_from = models.CharField(max_length=73, blank=True, help_text=_("The two SEEDs that were compared."))
    superseded = models.BooleanField(default=False)
    replaced_by = CompactUUIDField(null=True, help_text=_("The change that reports the same fact."))
    entry = models.PositiveSmallIntegerField(choices=Entry.choices, default=Entry.CHANGE)
    audience = CompactUUIDField(
        null=True, editable=False, help_text=_("All registrations that reported it, if there are several.")
    )

    class Meta:
        indexes = [
            # A company's page, its state at a time, its facts, alerts and retention; the few of a moment are sorted.
            models.Index(fields=["company", "changed_at"], name="change_by_company"),
            # The event feed and its consumers; pages of one large delivery begin at an id.
            models.Index(fields=["delivery", "id"], name="change_by_delivery"),
            # The list by change type, and by severity beside it, previews of rules; elements are read by their own
            # index or by the keys.
            PartialIndex(fields=["kind", "id", "severity"], name="change_by_kind", condition=NO_ELEMENT),
            # The list by severity, the overview, the report; noise is most of all, and is read by the keys.
            PartialIndex(fields=["severity", "id"], name="change_by_severity", condition=NO_NOISE),
            # The list by registration, erasing one; with what the lists of a business unit are counted by, as its rows
            # lie apart: reading each would take several times longer than reading as many that lie together.
            models.Index(
                fields=["registration", "id", "severity", "superseded", "audience"], name="change_by_registration"
            ),
            # The list by element, previews of rules, the day's scores; with what a business unit's list is counted by:
            # SQLite counts it by the element, and would read each of its changes.
            models.Index(fields=["element", "id", "registration", "superseded"], name="change_by_element"),
            # Who reported a change: the feed of a registration, counts, the page of a change.
            PartialIndex(fields=["replaced_by"], name="change_by_replacement", condition=REPLACED),
            # All that a business unit sees: beside its registrations' own changes, those that they reported later.
            PartialIndex(
                fields=["audience", "id", "severity", "superseded", "registration"],
                name="change_by_audience",
                condition=SHARED,
            ),
        ]
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"{self.company_id}: {self.element or self.get_kind_display()}"


class HistoryCheckpoint(models.Model):
    """What is known of a company up to a moment, so that its page and its state as of a day need not read all that
    happened before. It may go at any time: it is made again from the history."""

    # One for a company and time, see `key`.
    id = CompactUUIDField(primary_key=True, editable=False)
    # Of whoever makes it: another may begin it again.
    attempt = CompactUUIDField(default=uuid.uuid4, editable=False)
    company = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False)
    until = CompactDateTimeField(help_text=_("The checkpoint includes all changes up to this time."))
    # Of another version of the program: not understood, and made again.
    format = models.PositiveSmallIntegerField()
    is_whole = models.BooleanField(default=False)
    content = models.BinaryField(default=b"")

    class Meta:
        default_permissions = ()
        indexes = [
            # A company's page and its state at a time, late arrivals, erasing one.
            models.Index(fields=["company", "until"], name="checkpoint_by_company")
        ]

    def __str__(self) -> str:
        return f"{self.company_id} until {self.until}"

    @staticmethod
    def key(duns: str, until: datetime) -> uuid.UUID:
        return uuid.uuid5(CHECKPOINT_KEYS, f"{duns}|{until.timestamp():.3f}")
