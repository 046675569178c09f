"""An upload of D-U-N-S numbers: read and validated row by row, confirmed by a person, then requested."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models.registrations import Registration


class ImportMode(models.TextChoices):
    ADD = "add", _("Add these companies")
    REMOVE = "remove", _("Stop monitoring these companies")
    EQUAL = "equal", _("Make the list equal to this file")


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Waiting to be read")
    READING = "reading", _("Being read")
    READ = "read", _("Read: waits for confirmation")
    AWAITING_APPROVAL = "awaiting_approval", _("Waits for a second person")
    CONFIRMED = "confirmed", _("Confirmed: being applied")
    APPLIED = "applied", _("Applied")
    AWAITING_UNDO = "awaiting_undo", _("Undoing waits for a second person")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Could not be read")


class Validation(models.TextChoices):
    NEW = "new", _("New")
    REQUESTED = "requested", _("Already wanted")
    DUPLICATE = "duplicate", _("Twice in this file")
    REFORMATTED = "reformatted", _("New, written in another way")
    DECISION = "decision", _("Eight digits: needs a decision")
    INVALID = "invalid", _("No D-U-N-S number")
    REMOVE = "remove", _("Will be removed")
    NOT_MONITORED = "not_monitored", _("Not monitored anyway")


class SubjectImport(models.Model):
    """One upload. The validation of every row is kept in blobs, in chunks, owned by this row's id."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    mode = models.CharField(max_length=8, choices=ImportMode.choices, default=ImportMode.ADD)
    state = models.CharField(max_length=20, choices=ImportState.choices, default=ImportState.UPLOADED, db_index=True)
    file_name = models.TextField(blank=True)
    file_size = models.BigIntegerField(default=0)
    source = models.CharField(max_length=16, default="upload", help_text=_("upload, paste, selection, api or command"))
    sheet = models.TextField(blank=True, help_text=_("Of a workbook: the one somebody has chosen to be read."))
    sheets = models.TextField(default="[]", help_text=_("Of a workbook: each with its rows, as JSON."))
    tries = models.PositiveIntegerField(default=0, help_text=_("How often reading its workbook was begun in vain."))
    pad_zeros = models.BooleanField(null=True, help_text=_("The decision on all rows with eight digits."))
    created_by = models.TextField()
    created_at = models.DateTimeField()
    confirmed_by = models.TextField(blank=True)
    confirmer_id = CompactUUIDField(null=True, help_text=_("Who confirmed it, by the person's id."))
    confirmed_at = models.DateTimeField(null=True)
    approved_by = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True)
    undo_requested_by = models.TextField(blank=True)
    undo_requester_id = CompactUUIDField(null=True, help_text=_("Who wants it undone, by the person's id."))
    remove_on = models.DateField(null=True, help_text=_("The day from which what it removes is no longer wanted."))
    position = models.PositiveIntegerField(default=0, help_text=_("Rows judged, or applied, so far."))
    total = models.PositiveIntegerField(null=True, help_text=_("Rows in the file, when known."))
    chunks = models.PositiveIntegerField(default=0, help_text=_("Chunks of verdicts stored."))
    counts = models.TextField(default="{}", help_text=_("Rows by verdict, as JSON."))
    new_billable = models.PositiveIntegerField(null=True, help_text=_("New billable companies it adds."))
    removals = models.PositiveIntegerField(null=True, help_text=_("Companies it removes."))
    error = models.TextField(blank=True)
    note = models.TextField(blank=True, help_text=_("What a person should know about how it was read or undone."))
    confirmed_list = CompactUUIDField(null=True, help_text=_("Owner of the bytes that name each company confirmed."))
    moved_at = models.DateTimeField(null=True, db_index=True, help_text=_("When somebody last worked on it."))
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        permissions = [
            ("confirm_import", "Can confirm what an import adds, up to the cap"),
            ("approve_import", "Can approve, as a second person, what lies above the cap"),
        ]

    def __str__(self) -> str:
        return self.file_name or gettext("import of %(created_at)s") % {
            "created_at": f"{self.created_at:%Y-%m-%d %H:%M}"
        }
