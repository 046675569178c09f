"""Readings of D&B's replay."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models import Registration


class PassState(models.TextChoices):
    RUNNING = "running", _("Running")
    ENDED = "ended", _("Completed")
    FAILED = "failed", _("Failed, retried later")


class Purpose(models.TextChoices):
    RECOVERY = "recovery", _("Recovery of calls in doubt")
    AUDIT = "audit", _("Daily check")
    REQUESTED = "requested", _("Requested by a user")


class ReplayPass(models.Model):
    """One reading of D&B's replay from a time to now, page by page."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose.choices)
    state = models.CharField(_("state"), max_length=16, choices=PassState.choices, default=PassState.RUNNING)
    replay_from = models.DateTimeField(help_text=_("D&B time."))
    cursor = models.DateTimeField(help_text=_("D&B time at which the next page starts."))
    page_size = models.PositiveSmallIntegerField(default=100)
    begun_at = models.DateTimeField(help_text=_("This machine's time."))
    stands_for = models.BigIntegerField(
        default=0, help_text=_("Number of the first call that it recovers, or of its own first call.")
    )
    begun_dnb_time = models.DateTimeField(
        null=True, help_text=_("D&B time of the first response. The replay ends at later notifications.")
    )
    ended_at = models.DateTimeField(null=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    found = models.PositiveIntegerField(
        _("found"), default=0, help_text=_("Notifications that only this replay received.")
    )
    mark = models.TextField(
        _("remark"),
        blank=True,
        help_text=_("Reason for the failure of the replay, or the notifications that it could not reach."),
    )

    class Meta:
        verbose_name = _("replay")
        verbose_name_plural = _("replays")
        indexes = [models.Index(fields=["registration", "state"], name="pass_by_registration")]

    def __str__(self) -> str:
        return gettext("%(purpose)s from %(replay_from)s") % {
            "purpose": self.get_purpose_display(),
            "replay_from": f"{self.replay_from:%Y-%m-%d %H:%M:%S}",
        }
