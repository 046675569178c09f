"""The names of what receives messages: channels, webhooks, and the users that reports go to."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model

from monitoring.models import Channel, OutboxMessage, TargetKind, WebhookEndpoint


def names_of_kind(kind: str) -> Any:
    """Pairs of key and name."""
    if kind in (TargetKind.REPORT, TargetKind.PERSON):
        return get_user_model().objects.values_list("pk", "username")
    model: Any = WebhookEndpoint if kind == TargetKind.WEBHOOK else Channel
    return model.objects.values_list("pk", "name")


def names_of(rows: Iterable[OutboxMessage]) -> dict[uuid.UUID, str]:
    """One query for each type of recipient among them."""
    targets: dict[str, set[uuid.UUID]] = {}
    for row in rows:
        targets.setdefault(row.kind, set()).add(row.target)
    return {key: name for kind, keys in targets.items() for key, name in names_of_kind(kind).filter(pk__in=keys)}
