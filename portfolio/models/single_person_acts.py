"""What one person has done alone, counted against what one person may."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.registrations import Registration


class SinglePersonAct(models.Model):
    """What one person did without a second one, in numbers: the contract's limits are held against their sum."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    actor_id = CompactUUIDField()
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    additions = models.PositiveIntegerField(default=0, help_text=_("New billable companies."))
    removals = models.PositiveIntegerField(default=0, help_text=_("Companies no longer monitored."))
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["actor_id", "registration", "at"], name="single_act_by_person")]

    def __str__(self) -> str:
        return f"+{self.additions} −{self.removals}"
