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
    """The first failed attempt among the messages that are retried or, where none is, among those that failed finally
    after the last one that was sent; nothing for targets that accept theirs."""
    targets = list(targets)
    retried = {"message__target__in": targets, "message__state": MessageState.WAITING, "message__attempts__gt": 0}
    failed = SendAttempt.objects.filter(**retried).exclude(error="").order_by()
    since: dict[uuid.UUID, datetime] = dict(failed.values_list("message__target").annotate(since=Min("at")))
    others = [target for target in targets if target not in since]
    dead = OutboxMessage.objects.filter(target__in=others, state=MessageState.DEAD).order_by()
    for target in set(dead.values_list("target", flat=True).distinct()):
        if found := _dead_since(target):
            since[target] = found
    return since


def _dead_since(target: uuid.UUID) -> datetime | None:
    """The first failed attempt of the messages that failed finally, where none was sent after these."""
    rows = OutboxMessage.objects.filter(target=target)
    sent = rows.filter(state=MessageState.SENT).order_by("-created_at").values_list("created_at", "sent_at").first()
    dead = SendAttempt.objects.filter(message__target=target, message__state=MessageState.DEAD).exclude(error="")
    if sent:
        dead = dead.filter(message__created_at__gt=sent[0], at__gt=sent[1] or sent[0])
    since: datetime | None = dead.order_by().aggregate(since=Min("at"))["since"]
    return since
