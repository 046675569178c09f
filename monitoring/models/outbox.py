"""What is to be sent to a channel or a webhook, and every try to send it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import CompactUUIDField
from core.ids import time_first_id

MESSAGE_KEYS = uuid.UUID("0b1f5c52-0d0d-5a3b-9a5e-7c3f0f8b6d24")

# The event of the message that the button of a webhook sends.
WEBHOOK_TEST = "webhook.test"


class TargetKind(models.TextChoices):
    CHANNEL = "channel", _("Channel")
    WEBHOOK = "webhook", _("Webhook")
    REPORT = "report", _("Report recipient")
    PERSON = "person", _("User")


class MessageState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    SENT = "sent", _("Sent")
    DEAD = "dead", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class OutboxMessage(models.Model):
    """One message for one target. Its key is made of the target and the event, so nothing is sent twice.

    Who sends it moves `next_try_at` into the future first, by compare-and-swap; it is `sent` only after it was.
    """

    id = CompactUUIDField(primary_key=True, editable=False)
    kind = models.CharField(_("recipient type"), max_length=8, choices=TargetKind.choices)
    target = CompactUUIDField(help_text=_("The channel, webhook or user."))
    event = models.CharField(max_length=100, help_text=_("The ID sent with every attempt."))
    event_type = models.CharField(_("event"), max_length=64)
    company = models.CharField(
        _("company"), max_length=9, blank=True, help_text=_("Messages about one company keep their order.")
    )
    sequence = models.BigIntegerField(default=0, help_text=_("The order of messages about one company."))
    payload = models.TextField(help_text="JSON.")
    state = models.CharField(_("status"), max_length=10, choices=MessageState.choices, default=MessageState.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(null=True, help_text=_("The next attempt is not made before this time."))
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("outgoing messages")
        indexes = [
            # What is due to be sent, the list by status.
            models.Index(fields=["state", "next_try_at", "id"], name="send_due_messages"),
            # The next of a target; messages are sent in order.
            models.Index(fields=["target", "state", "sequence", "id"], name="message_by_target"),
            # A company's dossier, erasing one.
            models.Index(fields=["company", "created_at"], name="message_by_company"),
            # The list, and the health page's look at what was not delivered.
            models.Index(fields=["created_at", "id"], name="message_by_time"),
            # The pages of channels and webhooks, whether one is failing.
            models.Index(fields=["target", "created_at"], name="message_of_target"),
        ]
        verbose_name = _("outgoing message")

    def __str__(self) -> str:
        return f"{self.event_type} {self.event}"

    @staticmethod
    def key(target: uuid.UUID, event: str) -> uuid.UUID:
        return uuid.uuid5(MESSAGE_KEYS, f"{target}\n{event}")


class SendAttempt(models.Model):
    """One attempt to send a message: what was answered, or why it failed."""

    id = CompactUUIDField(primary_key=True, default=time_first_id, editable=False)
    message = models.ForeignKey(OutboxMessage, on_delete=models.CASCADE, db_index=False)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, help_text=_("The HTTP status of the response, if any."))
    response = models.TextField(blank=True, help_text=_("The beginning of the response."))
    error = models.TextField(blank=True)

    class Meta:
        # A message's page, whether its target is failing.
        indexes = [models.Index(fields=["message", "id"], name="attempt_by_message")]
        verbose_name = _("send attempt")
        verbose_name_plural = _("send attempts")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.error or self.status or 'sent'}"
