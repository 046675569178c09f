"""The order in which deliveries become visible, and how far each consumer has read it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.deliveries import Delivery


class Publication(models.Model):
    """The order in which the world may see things: 1, 2, 3 … without a gap."""

    sequence = models.BigIntegerField(_("sequence"), primary_key=True)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT)
    change_count = models.PositiveIntegerField()
    entry_count = models.PositiveIntegerField(
        default=0, help_text=_("Changes, and observations of changes published before.")
    )
    registration = CompactUUIDField(null=True)
    critical = models.PositiveIntegerField(default=0)
    high = models.PositiveIntegerField(default=0)
    medium = models.PositiveIntegerField(default=0)
    published_at = models.DateTimeField()

    class Meta:
        indexes = [
            # The feed from a time on.
            models.Index(fields=["published_at"], name="publication_by_time"),
            # How far a business unit's has come.
            models.Index(fields=["registration", "sequence"], name="publication_by_registration"),
        ]
        verbose_name = _("event feed entry")
        verbose_name_plural = _("event feed log")

    def __str__(self) -> str:
        return str(self.sequence)


class ConsumerOffset(models.Model):
    """How far one consumer has read the publications."""

    consumer = models.CharField(primary_key=True, max_length=64)
    position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.consumer}: {self.position}"
