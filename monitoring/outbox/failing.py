"""Which messages are retried, and which targets refuse theirs at present, and since when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Max, Min, Q, QuerySet

from monitoring.models import MessageState, OutboxMessage, SendAttempt

# Without what is kept for a disabled webhook: that has no time for a next attempt.
RECENT = 50
RETRYING = Q(state=MessageState.WAITING, attempts__gt=0, next_try_at__isnull=False)


def is_retrying(row: OutboxMessage) -> bool:
    return row.state == MessageState.WAITING and row.attempts > 0 and row.next_try_at is not None


def failing_since(targets: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """The first failed attempt since the last delivery, of the messages that are retried; nothing for other targets."""
    failed = _failed_attempts(list(targets)).values_list("message__target")
    found = {target: _since(target, first, last) for target, first, last in failed.annotate(Min("at"), Max("at"))}
    return {target: since for target, since in found.items() if since}


def _failed_attempts(targets: list[uuid.UUID]) -> QuerySet[SendAttempt]:
    retried = {"message__target__in": targets, "message__state": MessageState.WAITING, "message__attempts__gt": 0}
    return SendAttempt.objects.filter(**retried).exclude(error="").order_by()


def _since(target: uuid.UUID, first: datetime, last: datetime) -> datetime | None:
    delivered = _last_delivery(target)
    if delivered is None or delivered < first:
        return first
    if delivered >= last:
        return None
    since: datetime | None = _failed_attempts([target]).filter(at__gt=delivered).aggregate(since=Min("at"))["since"]
    return since


def _last_delivery(target: uuid.UUID) -> datetime | None:
    """Among the last in order and the last created, such as tests: these few are found by their indexes."""
    messages = OutboxMessage.objects.filter(target=target).values_list("sent_at", flat=True)
    in_order = messages.filter(state=MessageState.SENT).order_by("-sequence", "-id")[:RECENT]
    created = messages.order_by("-created_at")[:RECENT]
    return max((sent for sent in (*in_order, *created) if sent), default=None)
