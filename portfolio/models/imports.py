"""Uploads: read and validated row by row, confirmed by a person, then applied."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from core.text import moment_text
from portfolio.models.registrations import Registration


class ImportMode(models.TextChoices):
    ADD = "add", _("Add these companies")
    REMOVE = "remove", _("Stop monitoring these companies")
    EQUAL = "equal", _("Replace the list with these companies")


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Waiting to be checked")
    READING = "reading", _("Being checked")
    READ = "read", _("Awaiting confirmation")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting second approval")
    CONFIRMED = "confirmed", _("Being applied")
    APPLIED = "applied", _("Applied")
    AWAITING_UNDO = "awaiting_undo", _("Undo awaiting second approval")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    CANCELLED = "cancelled", _("Cancelled")
    FAILED = "failed", _("Failed: file not readable")


class Validation(models.TextChoices):
    NEW = "new", _("New")
    REQUESTED = "requested", _("Already in this registration")
    DUPLICATE = "duplicate", _("Duplicate in this file")
    REFORMATTED = "reformatted", _("New (number reformatted)")
    DECISION = "decision", _("Eight digits: choose what to do")
    NO_NUMBER = "no_number", _("D-U-N-S number missing")
    NO_NAME = "no_name", _("Name missing")
    UNKNOWN_COUNTRY = "unknown_country", _("Unknown country")
    INVALID = "invalid", _("Not a D-U-N-S number")
    REMOVE = "remove", _("Will be removed")
    NOT_MONITORED = "not_monitored", _("Not monitored")


class Upload(models.Model):
    """A file that someone uploaded. The validation of every row is kept in blobs, in chunks, owned by this row's id."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    state = models.CharField(max_length=20, choices=ImportState.choices, default=ImportState.UPLOADED, db_index=True)
    file_name = models.TextField(blank=True)
    file_size = models.BigIntegerField(default=0)
    source = models.CharField(
        max_length=16, default="upload", help_text=_("upload, paste, selection, search, tree, api or command")
    )
    sheet = models.TextField(blank=True, help_text=_("For a workbook: the sheet chosen by a user."))
    sheets = models.TextField(default="[]", help_text=_("For a workbook: each sheet with its number of rows, as JSON."))
    tries = models.PositiveIntegerField(
        default=0, help_text=_("Number of times D&B Monitoring tried to read the workbook and failed.")
    )
    created_by = models.TextField()
    created_at = models.DateTimeField()
    confirmed_by = models.TextField(blank=True)
    confirmer_id = CompactUUIDField(null=True, help_text=_("ID of the user who confirmed the import."))
    confirmed_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(
        default=0,
        help_text=_(
            "While the file is checked: number of rows checked so far. While the import is "
            "applied or undone: number of rows applied or undone so far."
        ),
    )
    total = models.PositiveIntegerField(null=True, help_text=_("Number of rows in the file, if known."))
    chunks = models.PositiveIntegerField(default=0, help_text=_("Stored chunks of checked rows."))
    counts = models.TextField(default="{}", help_text=_("Number of rows per validation, as JSON."))
    error = models.TextField(blank=True)
    note = models.TextField(blank=True, help_text=_("Remark about how the file was read or the import undone."))
    moved_at = models.DateTimeField(null=True, db_index=True, help_text=_("Time of the last progress."))
    version = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        if self.file_name:
            return self.file_name
        words = {
            "api": gettext("API: %(by)s, %(created_at)s"),
            "page": gettext("Entered by %(by)s, %(created_at)s"),
        }.get(self.source, gettext("Import of %(created_at)s"))
        # An API key is known by its name; its prefix is on the page.
        return words % {"by": self.created_by.rsplit(" (", 1)[0], "created_at": moment_text(self.created_at)}

    @property
    def reading(self) -> str:
        """How its rows are read, as decided so far: other decisions give other validations."""
        raise NotImplementedError


class UndoableUpload(Upload):
    """One that a single user may undo."""

    undone_by = models.TextField(blank=True)
    undoer_id = CompactUUIDField(null=True, help_text=_("ID of the user who undid the import."))
    undone_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class SubjectImport(Upload):
    """A list of companies to request, or to request no longer."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    mode = models.CharField(max_length=8, choices=ImportMode.choices, default=ImportMode.ADD)
    pad_zeros = models.BooleanField(
        null=True, help_text=_("Whether a leading zero is added to numbers with eight digits.")
    )
    approved_by = models.TextField(blank=True)
    approved_at = models.DateTimeField(null=True)
    undo_requested_by = models.TextField(blank=True)
    undo_requester_id = CompactUUIDField(null=True, help_text=_("ID of the user who asked to undo the import."))
    remove_on = models.DateField(null=True, help_text=_("Day on which the companies are removed."))
    new_billable = models.PositiveIntegerField(null=True, help_text=_("Number of new billable companies."))
    removals = models.PositiveIntegerField(null=True, help_text=_("Number of companies it removes."))
    completions = models.PositiveIntegerField(
        default=0, help_text=_("Number of times companies found at D&B were added to the rows of the import.")
    )
    confirmed_list = CompactUUIDField(null=True, help_text=_("Owner of the stored list of confirmed companies."))

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        permissions = [
            ("confirm_import", "Can confirm imports, up to the limit for one user"),
            ("approve_import", "Can approve imports above the limit for one user"),
        ]

    @property
    def reading(self) -> str:
        pads = str(int(bool(self.pad_zeros)))
        return f"{pads}-{self.completions}-" if self.completions else pads
