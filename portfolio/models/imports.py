"""An upload of D-U-N-S numbers: read row by row, judged, confirmed by a person, then wanted."""

from __future__ import annotations

from django.db import models

from portfolio.keys import time_first_id
from portfolio.models.contracts import Registration


class ImportMode(models.TextChoices):
    ADD = "add", "Add these companies"
    REMOVE = "remove", "Stop monitoring these companies"
    EQUAL = "equal", "Make the list equal to this file"


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", "Waiting to be read"
    READING = "reading", "Being read"
    READ = "read", "Read: waits for confirmation"
    AWAITING_APPROVAL = "awaiting_approval", "Waits for a second person"
    CONFIRMED = "confirmed", "Confirmed: being applied"
    APPLIED = "applied", "Applied"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    CANCELLED = "cancelled", "Cancelled"
    FAILED = "failed", "Could not be read"


class Verdict(models.TextChoices):
    NEW = "new", "New"
    WANTED = "wanted", "Already wanted"
    DUPLICATE = "duplicate", "Twice in this file"
    REPAIRED = "repaired", "New, written in another way"
    DECISION = "decision", "Eight digits: needs a decision"
    INVALID = "invalid", "No D-U-N-S number"
    REMOVE = "remove", "Will be removed"
    NOT_THERE = "not_there", "Not monitored anyway"


class SubjectImport(models.Model):
    """One upload. The verdict of every row is kept in stored bytes, in chunks, owned by this row's id."""

    id = models.UUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    mode = models.CharField(max_length=8, choices=ImportMode.choices, default=ImportMode.ADD)
    state = models.CharField(max_length=20, choices=ImportState.choices, default=ImportState.UPLOADED, db_index=True)
    file_name = models.TextField(blank=True)
    file_size = models.BigIntegerField(default=0)
    source = models.CharField(max_length=16, default="upload", help_text="upload, paste, selection, api or command")
    pad_zeros = models.BooleanField(null=True, help_text="The decision on all rows with eight digits.")
    created_by = models.TextField()
    created_at = models.DateTimeField()
    confirmed_by = models.TextField(blank=True)
    confirmed_at = models.DateTimeField(null=True)
    approved_by = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(default=0, help_text="Rows judged, or applied, so far.")
    total = models.PositiveIntegerField(null=True, help_text="Rows in the file, when known.")
    chunks = models.PositiveIntegerField(default=0, help_text="Chunks of verdicts stored.")
    counts = models.TextField(default="{}", help_text="Rows by verdict, as JSON.")
    new_billable = models.PositiveIntegerField(null=True, help_text="New billable companies it adds (design §5).")
    removals = models.PositiveIntegerField(null=True, help_text="Companies it removes.")
    error = models.TextField(blank=True)
    note = models.TextField(blank=True, help_text="What a person should know about how it was read or undone.")
    confirmed_list = models.UUIDField(null=True, help_text="Owner of the bytes that name each company confirmed.")
    moved_at = models.DateTimeField(null=True, db_index=True, help_text="When somebody last worked on it.")
    version = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "import"
        permissions = [
            ("confirm_import", "Can confirm what an import adds, up to the cap"),
            ("approve_import", "Can approve, as a second person, what lies above the cap"),
        ]

    def __str__(self) -> str:
        return self.file_name or f"import of {self.created_at:%Y-%m-%d %H:%M}"
