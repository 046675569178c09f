"""Items that could not be read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from monitoring.models.deliveries import Delivery
from portfolio.models import Registration


class DeadLetterState(models.TextChoices):
    OPEN = "open", _("Open")
    SOLVED = "solved", _("Parsed on retry")
    SET_ASIDE = "set_aside", _("Dismissed")


class DeadLetter(models.Model):
    """An item that could not be read. Its bytes are kept, the others went on."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    preview = models.TextField(blank=True)
    reason = models.TextField(_("reason"))
    state = models.CharField(_("state"), max_length=16, choices=DeadLetterState.choices, default=DeadLetterState.OPEN)
    recorded_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["registration", "state", "recorded_at"], name="dead_letter_by_state")]
        verbose_name = _("parsing error")
        verbose_name_plural = _("parsing errors")

    def __str__(self) -> str:
        return f"{self.reason} ({self.id})"
