"""Calls, answers, parts of files: what is stored before anything looks inside; and items in them that could not be
read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField, HexField
from core.ids import time_first_id
from monitoring.models.replay_passes import ReplayPass
from portfolio.models import Registration

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
    ended_at = models.DateTimeField(null=True, help_text=_("When the call ended, by this machine's clock."))
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
        null=True, editable=False, help_text=_("Until then, one process alone processes it.")
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
        indexes = [models.Index(fields=["registration", "state", "recorded_at"], name="dead_letter_by_state")]
        verbose_name = _("parsing error")
        verbose_name_plural = _("parsing errors")

    def __str__(self) -> str:
        return f"{self.reason} ({self.id})"
