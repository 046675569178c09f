"""Syncs of D&B's list with what is requested."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.registrations import Registration


class SyncState(models.TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    CANCELLED = "cancelled", _("Cancelled: unsent changes were not sent")
    ENDED = "ended", _("Ended")
    FAILED = "failed", _("Failed: will retry automatically")


class SyncRun(models.Model):
    """One run that makes D&B's list equal to what is requested, for people to watch, pause, resume or cancel."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    state = models.CharField(max_length=16, choices=SyncState.choices, default=SyncState.RUNNING, db_index=True)
    started_by = models.TextField(blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    to_add = models.PositiveIntegerField(default=0)
    to_remove = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(_("sent"), default=0)
    accepted = models.PositiveIntegerField(_("accepted"), default=0)
    refused = models.PositiveIntegerField(_("refused"), default=0)
    pending = models.PositiveIntegerField(_("pending"), default=0, help_text=_("Sent to D&B, result not known yet."))
    calls = models.PositiveIntegerField(_("calls"), default=0)
    error = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True, help_text=_("Time of the next automatic attempt after an error."))
    requests_after = models.DateTimeField(
        null=True, help_text=_("Only requests after this time are sent. Earlier ones were cancelled.")
    )

    class Meta:
        verbose_name = _("sync")
        verbose_name_plural = _("syncs")
        indexes = [models.Index(fields=["registration", "id"], name="sync_run_by_registration")]

    def __str__(self) -> str:
        return gettext("Sync of %(started_at)s") % {"started_at": f"{self.started_at:%Y-%m-%d %H:%M}"}
