"""Calls, answers, files and their parts: what is stored before anything looks inside; and items in them that could not
be read."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField
from core.ids import make_uuid, time_first_id
from direct_plus.delivered_files import FileKind
from monitoring.models.replay_passes import ReplayPass
from portfolio.models import Registration

# Of the hash in the key of a file.
HASH_BITS = 74
# Hexadecimal digits: of the place of an item among a registration's answers, and of a change in the story.
PLACE, STORY_PLACE = 22, 50


class Source(models.TextChoices):
    PULL = "pull", _("Pull")
    REPLAY = "replay", _("Replay")
    FILE = "file", _("File")
    RETRY = "retry", _("Retry of a parsing error")
    FETCH = "fetch", _("Data fetch")
    SNAPSHOT = "snapshot", _("Snapshot of removed history")


class DeliveryState(models.TextChoices):
    CALLED = "called", _("Called, waiting for response")
    RECEIVED = "received", _("Waiting to be processed")
    INGESTED = "ingested", _("Processed, waiting to be published")
    PUBLISHED = "published", _("Processed and published")
    REFUSED = "refused", _("Refused by D&B, nothing removed from the queue")
    IN_DOUBT = "in_doubt", _("In doubt, notifications may be missing")
    RECOVERED = "recovered", _("Recovered by replay")
    # Documents that a person fetched: stored, and read only when they are accepted.
    HELD = "held", _("Waiting for a decision")
    DISCARDED = "discarded", _("Discarded")


class Delivery(models.Model):
    """A call that may take something off D&B's queue, announced before it is made; or an answer, file part, retry, or a
    fetched document."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    source = models.CharField(max_length=8, choices=Source.choices)
    state = models.CharField(max_length=16, choices=DeliveryState.choices)
    fence = models.BigIntegerField(default=0)
    page_size = models.PositiveSmallIntegerField(null=True)
    called_at = models.DateTimeField(null=True)
    requested_by = models.TextField(
        _("requested by"), blank=True, help_text=_("User or API key of a requested pull. Empty for scheduled pulls.")
    )
    replay_from = models.DateTimeField(null=True, help_text=_("D&B time from which a replay recovers this call."))
    ended_at = models.DateTimeField(null=True, help_text=_("Time at which the call ended, by this machine's clock."))
    received_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    byte_count = models.BigIntegerField(null=True)
    transaction_id = models.TextField(blank=True)
    answer_stamp = models.TextField(blank=True, help_text=_("D&B's transactionTimestamp of the response."))
    notification_count = models.PositiveIntegerField(null=True)
    new_count = models.PositiveIntegerField(null=True, help_text=_("Notifications received for the first time."))
    placed_count = models.PositiveIntegerField(
        default=0, help_text=_("Notifications of other deliveries that take their order from this one.")
    )
    unreadable_count = models.PositiveIntegerField(default=0)
    unreadable_run = models.PositiveIntegerField(default=0, help_text=_("Longest series of parsing errors."))
    unreadable_tail = models.PositiveIntegerField(default=0, help_text=_("Parsing errors at the end."))
    ingested_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    claimed_until = models.DateTimeField(
        null=True, editable=False, help_text=_("Until this time, only one process processes the delivery.")
    )
    turn = models.BigIntegerField(default=0, help_text=_("Number of this call within the registration."))
    stands_for = models.BigIntegerField(
        default=0, help_text=_("Number of the pull that this replay recovers, or the number of this call.")
    )
    place = HexField(max_length=PLACE, blank=True, help_text=_("Original position of a retried item."))
    replay_pass = models.ForeignKey(ReplayPass, null=True, on_delete=models.PROTECT, related_name="deliveries")

    class Meta:
        verbose_name_plural = _("deliveries")
        indexes = [
            # What waits to be processed or published, the list by status.
            models.Index(fields=["state", "id"], name="delivery_by_state"),
            # A registration's calls in doubt, its page.
            models.Index(fields=["registration", "state", "id"], name="delivery_by_registration"),
        ]
        verbose_name = _("delivery")

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.id}"

    @property
    def is_needed(self) -> bool:
        """Whether a rebuild would miss its bytes."""
        return bool(self.new_count or self.placed_count or self.unreadable_count)


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
        indexes = [
            # The list of parsing errors, and the count of open ones of a registration.
            models.Index(fields=["registration", "state", "recorded_at"], name="dead_letter_by_state"),
        ]
        verbose_name = _("parsing error")
        verbose_name_plural = _("parsing errors")

    def __str__(self) -> str:
        return f"{self.reason} ({self.id})"


class DeliveredKind(models.TextChoices):
    SEED_HEADER = FileKind.SEED_HEADER.value, _("Seed header")
    NOTIFICATION_HEADER = FileKind.NOTIFICATION_HEADER.value, _("Notification header")
    SEED = FileKind.SEED.value, _("Seeds")
    NOTIFICATION = FileKind.NOTIFICATION.value, _("Notifications")
    EXCEPTIONS = FileKind.EXCEPTIONS.value, _("Exceptions")
    EXPORT = FileKind.EXPORT.value, _("List export")
    OTHER = "other", _("Other")


class FileSource(models.TextChoices):
    FOLDER = "folder", _("Folder")
    SERVER = "server", _("File server")
    UPLOAD = "upload", _("Upload")
    API = "api", _("API")
    COMMAND = "command", _("Command")


class FileState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    PROCESSING = "processing", _("Being processed")
    IMPORTED = "imported", _("Imported")
    REFUSED = "refused", _("Refused")


class DeliveredFile(models.Model):
    """A file of D&B, known by its name and content, so that the same file again is the same row."""

    id = CompactUUIDField(primary_key=True, editable=False)
    name = models.CharField(_("file name"), max_length=300, db_index=True)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(_("size"))
    kind = models.CharField(_("type"), max_length=24, choices=DeliveredKind.choices)
    reference = models.CharField(max_length=200, blank=True)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True)
    written_at = models.DateTimeField(help_text=_("Time at which D&B wrote the file, according to its name."))
    source = models.CharField(_("source"), max_length=8, choices=FileSource.choices)
    requested_by = models.TextField(blank=True, help_text=_("User or API key that uploaded the file, or file server."))
    requester_id = CompactUUIDField(null=True)
    state = models.CharField(_("state"), max_length=12, choices=FileState.choices, default=FileState.WAITING)
    place = models.TextField(
        blank=True, help_text=_("Path of the file. Empty for uploads, which are stored in the database.")
    )
    changed_ns = models.BigIntegerField(default=0, help_text=_("Time at which the file was created or changed there."))
    arrived_at = models.DateTimeField(_("arrived"))
    wait_until = models.DateTimeField(help_text=_("Until this time, the file waits for the other files of its set."))
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, help_text=_("Reason for refusing the file, or its last error."))
    remark = models.TextField(blank=True, help_text=_("The checks that were not possible."))
    listed = models.TextField(blank=True, help_text=_("Files that a header lists, with their counts, as JSON."))
    parts = models.PositiveIntegerField(default=0, help_text=_("Number of parts stored so far."))
    delivered_parts = models.PositiveIntegerField(
        default=0, help_text=_("Number of parts passed on as deliveries so far.")
    )
    is_stored = models.BooleanField(default=False, help_text=_("All parts are stored."))
    records = models.BigIntegerField(_("records"), default=0)
    counts = models.TextField(default="{}", help_text=_("Number of records by type, as JSON."))
    new_count = models.BigIntegerField(default=0)
    unreadable_count = models.BigIntegerField(default=0)
    result = models.TextField(blank=True, help_text=_("Changes made by an Exceptions or DunsExport file of D&B."))
    repeats = models.PositiveIntegerField(default=0, help_text=_("Number of times the same file arrived again."))

    class Meta:
        verbose_name = _("delivered file")
        verbose_name_plural = _("delivered files")
        indexes = [
            # The job: what waits or is being processed, oldest first; the list by state.
            models.Index(fields=["state", "id"], name="delivered_file_by_state"),
            # The other files of a set: its header and its parts.
            models.Index(fields=["reference", "kind", "written_at"], name="delivered_file_by_set"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def key(name: str, sha256: str, written_at: datetime) -> uuid.UUID:
        digest = hashlib.sha256(f"{name}\n{sha256}".encode()).digest()
        milliseconds = max(int(written_at.timestamp() * 1000), 0)
        return make_uuid(8, milliseconds, int.from_bytes(digest, "big") >> (256 - HASH_BITS))

    @property
    def is_over(self) -> bool:
        return self.state in (FileState.IMPORTED, FileState.REFUSED)

    @property
    def counts_by_type(self) -> dict[str, int]:
        return dict(json.loads(self.counts))

    @property
    def contents_listed(self) -> dict[str, Any]:
        """Of a header: `files` as pairs of name and hash, `total`, and `counts` by type."""
        return dict(json.loads(self.listed or '{"files": [], "total": null, "counts": {}}'))
