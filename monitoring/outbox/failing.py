"""Which messages are retried, and which targets refuse theirs at present, and since when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Min, Q

from monitoring.models import MessageState, OutboxMessage, SendAttempt

# Without what is kept for a disabled webhook: that has no time for a next attempt.
RETRYING = Q(state=MessageState.WAITING, attempts__gt=0, next_try_at__isnull=False)


def is_retrying(row: OutboxMessage) -> bool:
    return row.state == MessageState.WAITING and row.attempts > 0 and row.next_try_at is not None


def failing_since(targets: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """The first failed attempt among the messages that are retried, in one query; nothing for the other targets."""
    retried = {"message__target__in": list(targets), "message__state": MessageState.WAITING, "message__attempts__gt": 0}
    failed = SendAttempt.objects.filter(**retried).exclude(error="").order_by()
    return dict(failed.values_list("message__target").annotate(since=Min("at")))
