"""Webhooks, and what their job does."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from monitoring.models import WebhookEndpoint
from monitoring.outbox.queue import send_due_messages
from monitoring.webhooks.endpoints import create_endpoint
from monitoring.webhooks.enqueue import queue_changes
from tests.servers.webhook_receivers import Receiver


def an_endpoint(receiver: Receiver | None, **columns: Any) -> tuple[WebhookEndpoint, str]:
    columns = {"name": "CRM", "url": receiver.url if receiver else "http://127.0.0.1:9/", **columns}
    return create_endpoint(made_by="ann", **columns)


def queue_and_send() -> int:
    """What the job does."""
    until = timezone.now() + timedelta(seconds=50)
    queue_changes(until)
    return send_due_messages(until)
