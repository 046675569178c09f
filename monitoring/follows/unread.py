"""Mentions that a user has not read yet, counted on the user's row: the Overview shows how many, and asks nothing.

What counts as read is what was there when the user last opened their latest messages.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from monitoring.models import OutboxMessage

MENTION = "mention"


def count_unread(people: Collection[uuid.UUID]) -> None:
    """Anew for these users, after messages for them were written."""
    for key, seen_at in get_user_model().objects.filter(pk__in=list(people)).values_list("pk", "mentions_seen_at"):
        rows = OutboxMessage.objects.filter(target=key, event_type=MENTION)
        found = rows.filter(created_at__gt=seen_at) if seen_at else rows
        get_user_model().objects.filter(pk=key).update(unread_mentions=found.count())


def mark_read(person: Any) -> None:
    if person.unread_mentions:
        read = {"unread_mentions": 0, "mentions_seen_at": timezone.now()}
        get_user_model().objects.filter(pk=person.pk).update(**read)
