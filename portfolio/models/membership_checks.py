"""Lists of which D&B is asked number by number what it has."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import plurals
from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.registrations import Registration


class CheckState(models.TextChoices):
    RUNNING = "running", _("In progress")
    CANCELLED = "cancelled", _("Cancelled")
    ENDED = "ended", _("Ended")


class MembershipCheck(models.Model):
    """A pasted list of which D&B is asked one by one what it has; the numbers are blobs owned by its id."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, choices=CheckState.choices, default=CheckState.RUNNING, db_index=True)
    created_by = models.TextField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField()
    position = models.PositiveIntegerField(default=0, help_text=_("Number of D-U-N-S numbers checked so far."))
    present = models.PositiveIntegerField(default=0)
    error = models.TextField(
        blank=True, help_text=_("Reason why the check has stopped. The check resumes automatically.")
    )

    def __str__(self) -> str:
        return gettext("Check of %(numbers)s") % {"numbers": plurals.numbers(self.total)}
