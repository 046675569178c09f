"""Who reported a change besides its first source, and what became of it after it was published."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField
from monitoring.models.changes import Change
from monitoring.models.deliveries import STORY_PLACE, Delivery
from monitoring.models.notifications import Notification
from portfolio.models import Company, Registration

AUDIENCE_KEYS = uuid.UUID("d2c4e7a1-6b08-5f39-8e15-4a70b9c3d6f2")


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
    observed_at = models.DateTimeField(help_text=_("Time at which D&B delivered the report."))
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


class Audience(models.Model):
    """A set of registrations that reported the same, once: its key is made of them."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registrations = models.TextField(help_text=_("IDs of the registrations, separated by spaces."))

    class Meta:
        default_permissions = ()
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")

    def __str__(self) -> str:
        return self.registrations

    @staticmethod
    def key(registrations: Iterable[uuid.UUID]) -> uuid.UUID:
        return uuid.uuid5(AUDIENCE_KEYS, _text(registrations))

    @classmethod
    def of(cls, registrations: Iterable[uuid.UUID]) -> Audience:
        return cls(id=cls.key(registrations), registrations=_text(registrations))

    @property
    def members(self) -> frozenset[uuid.UUID]:
        return frozenset(map(uuid.UUID, self.registrations.split()))


def _text(registrations: Iterable[uuid.UUID]) -> str:
    return " ".join(sorted(map(str, registrations)))
