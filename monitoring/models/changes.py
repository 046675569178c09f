"""Changes of companies, as notifications report them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.deliveries import Delivery
from monitoring.models.elements import Severity
from monitoring.models.notifications import Notification
from portfolio.models import Company, Registration


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


class Change(models.Model):
    """A fact about a company: the same fact from two registrations is one row."""

    id = CompactUUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    element = models.CharField(max_length=400, blank=True)
    previous = models.TextField(null=True, help_text=_("JSON as sent."))
    current = models.TextField(null=True, help_text=_("JSON as sent."))
    changed_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(default=0)
    place = models.CharField(max_length=52, blank=True, help_text=_("Sorts the changes of one moment."))
    recorded_at = models.DateTimeField()
    severity = models.SmallIntegerField(choices=Severity.choices)
    notification = models.ForeignKey(Notification, on_delete=models.PROTECT)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, db_index=False)
    derived_from = models.CharField(max_length=73, blank=True, help_text=_("The two SEEDs that were compared."))
    superseded = models.BooleanField(default=False)
    replaced_by = CompactUUIDField(null=True, help_text=_("The change that reports the same fact."))
    entry = models.PositiveSmallIntegerField(choices=Entry.choices, default=Entry.CHANGE)

    class Meta:
        indexes = [
            models.Index(fields=["company", "changed_at", "place", "id"], name="change_by_company"),
            models.Index(fields=["delivery", "id"], name="change_by_delivery"),
            models.Index(fields=["kind", "id"], name="change_by_kind"),
            models.Index(fields=["severity", "id"], name="change_by_severity"),
            models.Index(fields=["registration", "id"], name="change_by_registration"),
            models.Index(fields=["element", "id"], name="change_by_element"),
            models.Index(fields=["changed_at", "id"], name="change_by_time"),
            models.Index(fields=["replaced_by"], name="change_by_replacement"),
        ]
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"{self.company_id}: {self.element or self.get_kind_display()}"
