"""Who reported a change besides its first source, and what became of it after it was published."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField
from monitoring.models.changes import Change
from monitoring.models.deliveries import STORY_PLACE, Delivery
from monitoring.models.notifications import Notification
from portfolio.models import Company, Registration


class Verb(models.TextChoices):
    OBSERVED = "observed", _("Reported")
    REPLACED = "replaced", _("Replaced")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    REINSTATED = "reinstated", _("Reinstated")


class Observation(models.Model):
    """One entry of a change in the feed after its first; the first stands in the change's own columns."""

    id = CompactUUIDField(primary_key=True, editable=False)
    change = models.ForeignKey(Change, on_delete=models.CASCADE, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    is_first = models.BooleanField(default=False, help_text=_("The first report of this registration."))
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, db_index=False)
    notification = models.ForeignKey(Notification, null=True, on_delete=models.PROTECT)
    place = HexField(max_length=STORY_PLACE, blank=True)
    observed_at = models.DateTimeField(help_text=_("When D&B delivered the report."))
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            # A change's page, its facts, the feed of a registration.
            models.Index(fields=["change", "id"], name="observation_by_change"),
            # The event feed and its consumers.
            models.Index(fields=["delivery", "id"], name="observation_by_delivery"),
            # Facts and retention of a company, erasing one.
            models.Index(fields=["company", "id"], name="observation_by_company"),
            # Erasing a registration.
            models.Index(fields=["registration", "id"], name="observation_by_registration"),
        ]
        verbose_name = _("observation")
        verbose_name_plural = _("observations")

    def __str__(self) -> str:
        return f"{self.change_id}: {self.verb}"
