"""Deliveries, and what is read from them: notifications, changes, publications, elements, dead letters, counts."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id
from portfolio.models import Company, Registration


class Source(models.TextChoices):
    PULL = "pull", _("Pull")
    REPLAY = "replay", _("Replay")
    FILE = "file", _("File")
    RETRY = "retry", _("Retry of an unreadable item")
    SNAPSHOT = "snapshot", _("Snapshot of what was cut")


class DeliveryState(models.TextChoices):
    ASKED = "asked", _("Asked, no answer yet")
    RECEIVED = "received", _("Received, not read yet")
    INGESTED = "ingested", _("Read, not published yet")
    PUBLISHED = "published", _("Read and published")
    REFUSED = "refused", _("Refused by D&B: nothing was taken")
    DOUBTFUL = "doubtful", _("Doubtful: something may have been taken")
    REPAIRED = "repaired", _("Repaired by replay")


class PassState(models.TextChoices):
    RUNNING = "running", _("Running")
    ENDED = "ended", _("Reached its end")
    FAILED = "failed", _("Failed, made again later")


class Purpose(models.TextChoices):
    REPAIR = "repair", _("Repair of doubtful deliveries")
    AUDIT = "audit", _("Nightly audit")
    ASKED_FOR = "asked_for", _("Asked for by a person")


class ReplayPass(models.Model):
    """One reading of D&B's replay from a time to now, page by page."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT)
    purpose = models.CharField(_("purpose"), max_length=16, choices=Purpose.choices)
    state = models.CharField(_("state"), max_length=16, choices=PassState.choices, default=PassState.RUNNING)
    replay_from = models.DateTimeField(help_text=_("D&B's clock."))
    cursor = models.DateTimeField(help_text=_("D&B's clock: where the next page begins."))
    page_size = models.PositiveSmallIntegerField(default=100)
    begun_at = models.DateTimeField(help_text=_("Our clock."))
    stands_for = models.BigIntegerField(
        default=0, help_text=_("The first turn whose loss it may make good; without one, its own first.")
    )
    begun_heard_at = models.DateTimeField(
        null=True, help_text=_("D&B's clock in the first answer: stamps well past this end the pass.")
    )
    ended_at = models.DateTimeField(null=True)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    found = models.PositiveIntegerField(
        _("found"), default=0, help_text=_("Notifications that only this pass brought.")
    )
    mark = models.TextField(_("mark"), blank=True, help_text=_("What it could not reach, or why it failed."))

    class Meta:
        verbose_name = _("replay pass")
        verbose_name_plural = _("replay passes")
        indexes = [models.Index(fields=["registration", "state"], name="pass_by_registration")]

    def __str__(self) -> str:
        return gettext("%(purpose)s from %(replay_from)s") % {
            "purpose": self.get_purpose_display(),
            "replay_from": f"{self.replay_from:%Y-%m-%d %H:%M:%S}",
        }


class Delivery(models.Model):
    """A call that may take something off D&B's queue, announced before it is made; or an answer, file part, retry."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    source = models.CharField(max_length=8, choices=Source.choices)
    state = models.CharField(max_length=16, choices=DeliveryState.choices)
    fence = models.BigIntegerField(default=0)
    page_size = models.PositiveSmallIntegerField(null=True)
    asked_at = models.DateTimeField(null=True)
    replay_from = models.DateTimeField(null=True, help_text=_("D&B's clock: a repair begins here."))
    ended_at = models.DateTimeField(null=True, help_text=_("When the call ended, by our clock."))
    received_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    byte_count = models.BigIntegerField(null=True)
    transaction_id = models.TextField(blank=True)
    answer_stamp = models.TextField(blank=True, help_text=_("D&B's transactionTimestamp of this answer, as sent."))
    notification_count = models.PositiveIntegerField(null=True)
    new_count = models.PositiveIntegerField(null=True, help_text=_("Notifications that this delivery brought first."))
    placed_count = models.PositiveIntegerField(
        default=0, help_text=_("Notifications of other deliveries that have their place in the order from this one.")
    )
    unreadable_count = models.PositiveIntegerField(default=0)
    unreadable_run = models.PositiveIntegerField(default=0, help_text=_("Longest run of unreadable items in it."))
    unreadable_tail = models.PositiveIntegerField(default=0, help_text=_("Unreadable items that it ends with."))
    ingested_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    turn = models.BigIntegerField(default=0, help_text=_("Which of the registration's calls this was."))
    stands_for = models.BigIntegerField(default=0, help_text=_("The turn whose loss it makes good, or its own."))
    place = models.CharField(max_length=32, blank=True, help_text=_("Of an item tried again: where it stood first."))
    replay_pass = models.ForeignKey(ReplayPass, null=True, on_delete=models.PROTECT, related_name="deliveries")

    class Meta:
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(fields=["state", "id"], name="delivery_by_state"),
            models.Index(fields=["registration", "state", "id"], name="delivery_by_registration"),
        ]
        verbose_name = _("delivery")

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.id}"

    @property
    def is_needed(self) -> bool:
        """Whether a rebuild would miss its bytes."""
        return bool(self.new_count or self.placed_count or self.unreadable_count)


class NotificationType(models.TextChoices):
    UPDATE = "UPDATE", _("Update")
    SEED = "SEED", _("Baseline")
    DELETE = "DELETE", _("Deleted at D&B")
    UNDELETE = "UNDELETE", _("Restored at D&B")
    TRANSFER = "TRANSFER", _("Merged into another")
    UNDER_REVIEW = "UNDER_REVIEW", _("Under review")
    REVIEWED = "REVIEWED", _("Review over")
    EXIT = "EXIT", _("Left the monitored set")
    ENTER = "ENTER", _("Entered the monitored set")
    REMOVED = "REMOVED", _("Taken out of monitoring")


class Notification(models.Model):
    """One notification of D&B, once, however often it was delivered."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    type = models.TextField(help_text=_("D&B's word; the set is open."))
    delivered_at = models.DateTimeField(null=True, help_text=_("D&B's deliveryTimeStamp."))
    recorded_at = models.DateTimeField()
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    place = models.CharField(max_length=32, blank=True, help_text=_("The least place over all answers that show it."))
    retained_duns = models.TextField(blank=True)
    organization = models.TextField(blank=True, help_text=_("The SEED's document, as sent."))

    class Meta:
        indexes = [
            models.Index(fields=["company", "type", "delivered_at"], name="notification_by_company"),
            models.Index(fields=["type", "id"], name="notification_by_type"),
            models.Index(fields=["registration", "id"], name="notification_by_registr"),
        ]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")

    def __str__(self) -> str:
        return f"{self.type} {self.company_id}"


class Kind(models.TextChoices):
    ELEMENT = "element", _("Changed")
    BASELINE = "baseline", _("Baseline")
    DELETED = "deleted", _("Deleted at D&B")
    RESTORED = "restored", _("Restored at D&B")
    TRANSFERRED = "transferred", _("Merged into another company")
    UNDER_REVIEW = "under_review", _("Under review")
    REVIEWED = "reviewed", _("Review over")
    LEFT = "left", _("Left the monitored set")
    ENTERED = "entered", _("Entered the monitored set")
    REMOVED = "removed", _("Taken out of monitoring")
    UNKNOWN = "unknown", _("Unknown kind of notice")


class Severity(models.IntegerChoices):
    NOISE = 0, _("Noise")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")


class Change(models.Model):
    """A fact about a company: the same fact from two registrations is one row."""

    id = CompactUUIDField(primary_key=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    element = models.CharField(max_length=400, blank=True)
    previous = models.TextField(null=True, help_text=_("JSON as sent."))
    current = models.TextField(null=True, help_text=_("JSON as sent."))
    changed_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    position = models.PositiveIntegerField(default=0)
    place = models.CharField(max_length=48, blank=True, help_text=_("Sorts the changes of one moment."))
    recorded_at = models.DateTimeField()
    severity = models.SmallIntegerField(choices=Severity.choices)
    notification = models.ForeignKey(Notification, on_delete=models.PROTECT)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, db_index=False)
    derived_from = models.CharField(max_length=73, blank=True, help_text=_("The two SEEDs that were compared."))
    superseded = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["company", "changed_at", "place", "id"], name="change_by_company"),
            models.Index(fields=["delivery", "id"], name="change_by_delivery"),
            models.Index(fields=["kind", "id"], name="change_by_kind"),
            models.Index(fields=["severity", "id"], name="change_by_severity"),
            models.Index(fields=["registration", "id"], name="change_by_registration"),
            models.Index(fields=["element", "id"], name="change_by_element"),
            models.Index(fields=["changed_at", "id"], name="change_by_time"),
        ]
        verbose_name = _("change")
        verbose_name_plural = _("changes")

    def __str__(self) -> str:
        return f"{self.company_id}: {self.element or self.get_kind_display()}"


class Publication(models.Model):
    """The order in which the world may see things: 1, 2, 3 … without a hole."""

    number = models.BigIntegerField(_("number"), primary_key=True)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT)
    change_count = models.PositiveIntegerField()
    registration = CompactUUIDField(null=True)
    critical = models.PositiveIntegerField(default=0)
    high = models.PositiveIntegerField(default=0)
    medium = models.PositiveIntegerField(default=0)
    published_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["published_at"], name="publication_by_time")]
        verbose_name = _("publication")
        verbose_name_plural = _("publications")

    def __str__(self) -> str:
        return str(self.number)


class ReadMark(models.Model):
    """How far one reader of the publications has come."""

    reader = models.CharField(primary_key=True, max_length=64)
    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.reader}: {self.number}"


class Element(models.Model):
    """Words and weight for an element path; edited by people, effective from now on."""

    path = models.CharField(_("path"), primary_key=True, max_length=400)
    label = models.CharField(_("label"), max_length=200, blank=True)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    muted = models.BooleanField(_("muted"), default=False, help_text=_("Folded away in timelines and lists."))
    first_seen_at = models.DateTimeField(_("first seen at"))

    class Meta:
        indexes = [models.Index(fields=["first_seen_at", "path"], name="element_by_first_seen")]
        verbose_name = _("element")
        verbose_name_plural = _("elements")

    def __str__(self) -> str:
        return self.label or self.path


class DeadLetterState(models.TextChoices):
    OPEN = "open", _("Open")
    SOLVED = "solved", _("Read when tried again")
    SET_ASIDE = "set_aside", _("Set aside")


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
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")

    def __str__(self) -> str:
        return f"{self.reason} ({self.id})"


class DailyCount(models.Model):
    """Changes and notifications of a UTC day by dimension; recomputed for days that changed, never incremented."""

    id = CompactUUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    day = models.DateField(_("day"))
    what = models.CharField(
        _("what"), max_length=16, choices=[("change", _("Changes")), ("notification", _("Notifications"))]
    )
    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, verbose_name=_("registration"))
    kind = models.TextField(_("kind"))
    element = models.CharField(_("element"), max_length=400, blank=True)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)
    country = models.CharField(_("country"), max_length=2, blank=True)
    count = models.PositiveIntegerField(_("count"))

    class Meta:
        indexes = [models.Index(fields=["day", "what"], name="daily_count_by_day")]
        verbose_name = _("daily count")
        verbose_name_plural = _("daily counts")

    def __str__(self) -> str:
        return f"{self.day} {self.kind}: {self.count}"
