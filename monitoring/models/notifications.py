"""What D&B sends, once, however often it was delivered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import CompactDateTimeField, CompactUUIDField, HexField, PartialIndex
from monitoring.models.deliveries import PLACE, Delivery
from portfolio.models import Company, Registration


class NotificationType(models.TextChoices):
    UPDATE = "UPDATE", _("Update")
    SEED = "SEED", _("Baseline")
    DELETE = "DELETE", _("Deleted at D&B")
    UNDELETE = "UNDELETE", _("Restored at D&B")
    TRANSFER = "TRANSFER", _("Merged into another company")
    UNDER_REVIEW = "UNDER_REVIEW", _("Under review")
    REVIEWED = "REVIEWED", _("Review completed")
    EXIT = "EXIT", _("Left the monitored set")
    ENTER = "ENTER", _("Entered the monitored set")
    REMOVED = "REMOVED", _("Removed from monitoring")


# What the partial index leaves out; a query that repeats it, word by word, is answered by the index.
NO_UPDATE = ~Q(type=NotificationType.UPDATE)


class Notification(models.Model):
    """One notification of D&B, once, however often it was delivered."""

    id = CompactUUIDField(primary_key=True, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, db_index=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False)
    type = models.TextField(help_text=_("D&B's type; D&B may add others."))
    delivered_at = CompactDateTimeField(null=True, help_text=_("D&B's deliveryTimeStamp."))
    recorded_at = CompactDateTimeField()
    # Indexed for a delivery's page, consumers and rebuild.
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT)
    position = models.PositiveIntegerField()
    place = HexField(
        max_length=PLACE, blank=True, help_text=_("Position of the first response that contains the notification.")
    )
    retained_duns = models.TextField(blank=True)
    organization = models.TextField(blank=True, help_text=_("The SEED's document, as sent."))

    class Meta:
        indexes = [
            # A company's page, its whole documents and its state; erasing one.
            models.Index(fields=["company", "type", "delivered_at"], name="notification_by_company"),
            # The list and the API by type, and by registration beside it; updates are most of all, and are read by the
            # keys.
            PartialIndex(fields=["type", "id", "registration"], name="notification_by_type", condition=NO_UPDATE),
            # The day's counts.
            models.Index(fields=["delivered_at"], name="notification_by_time"),
            # The list and the API by registration, erasing one.
            models.Index(fields=["registration", "id"], name="notification_by_registr"),
        ]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")

    def __str__(self) -> str:
        return f"{self.type} {self.company_id}"
