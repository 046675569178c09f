"""The names of what receives messages: channels, webhooks, and the users that reports go to."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from monitoring.models import Channel, TargetKind, WebhookEndpoint


def names_of_kind(kind: str) -> Any:
    """Pairs of key and name."""
    if kind in (TargetKind.REPORT, TargetKind.PERSON):
        return get_user_model().objects.values_list("pk", "username")
    model: Any = WebhookEndpoint if kind == TargetKind.WEBHOOK else Channel
    return model.objects.values_list("pk", "name")
