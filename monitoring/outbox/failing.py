"""Which messages are retried, which targets refuse theirs at present, and what becomes of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from monitoring.models import (
    WEBHOOK_TEST,
    Channel,
    MessageState,
    OutboxMessage,
    SendAttempt,
    TargetKind,
    WebhookEndpoint,
)

RECENT = 50
# Without what is kept for a disabled webhook: that has no time for a next attempt.
RETRYING = Q(state=MessageState.WAITING, attempts__gt=0, next_try_at__isnull=False)
# Kept for a disabled webhook.
HELD = Q(state=MessageState.WAITING, next_try_at__isnull=True)
# Failed, retried, waiting or on hold. A test is over when it has failed.
UNDELIVERED = Q(state__in=(MessageState.DEAD, MessageState.WAITING)) & ~Q(event_type=WEBHOOK_TEST)


def is_retrying(row: OutboxMessage) -> bool:
    return row.state == MessageState.WAITING and row.attempts > 0 and row.next_try_at is not None


def is_held(row: OutboxMessage) -> bool:
    return row.state == MessageState.WAITING and row.next_try_at is None


def is_untried(row: OutboxMessage) -> bool:
    return row.state == MessageState.WAITING and not row.attempts and row.next_try_at is not None


def held_up(rows: Iterable[OutboxMessage]) -> set[uuid.UUID]:
    """The webhooks among the targets of untried messages that get an earlier message first, which is retried."""
    targets = {row.target for row in rows if row.kind == TargetKind.WEBHOOK and is_untried(row)}
    if not targets:
        return set()
    retried = OutboxMessage.objects.filter(RETRYING, target__in=targets).order_by()
    return set(retried.values_list("target", flat=True).distinct())


def failing_since(targets: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """The first failed attempt since the last delivery, of the messages that are retried or, where none is, of those
    that failed finally; nothing for targets that accept theirs."""
    targets = list(targets)
    failed = _failed_attempts(targets).values_list("message__target")
    found: dict[uuid.UUID, datetime | None]
    found = {target: _since(target, first, last) for target, first, last in failed.annotate(Min("at"), Max("at"))}
    others = [target for target in targets if not found.get(target)]
    dead = OutboxMessage.objects.filter(target__in=others, state=MessageState.DEAD).order_by()
    found |= {target: _dead_since(target) for target in set(dead.values_list("target", flat=True).distinct())}
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


def _dead_since(target: uuid.UUID) -> datetime | None:
    """The first failed attempt of the messages that failed finally, since the last delivery."""
    delivered = _last_delivery(target)
    dead = SendAttempt.objects.filter(message__target=target, message__state=MessageState.DEAD).exclude(error="")
    if delivered:
        dead = dead.filter(at__gt=delivered)
    since: datetime | None = dead.order_by().aggregate(since=Min("at"))["since"]
    return since


def failed_attempts(targets: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many attempts of the messages that are retried have failed, as their pages list them."""
    rows = _failed_attempts(list(targets)).filter(message__next_try_at__isnull=False)
    return dict(rows.values_list("message__target").annotate(Count("id")))


def accepting_again(channels: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Channels that took something, a test too, after the last failed attempt: what is left for them only waits."""
    keys = list(channels)
    failed = dict(_failed_attempts(keys).values_list("message__target").annotate(last=Max("at")))
    sent = Channel.objects.filter(pk__in=keys).exclude(last_sent_at=None).values_list("pk", "last_sent_at")
    return {key for key, at in sent if at is not None and key in failed and at > failed[key]}


def retry_now(channel: uuid.UUID) -> int:
    """What a repaired channel waits for does not wait for hours; returns how many messages."""
    return OutboxMessage.objects.filter(RETRYING, target=channel).update(next_try_at=timezone.now())


def deleted_text() -> str:
    return gettext("The channel was deleted.")


def cancel_messages(channels: Iterable[uuid.UUID]) -> int:
    """Of deleted channels: nothing can be sent there any more. Attempts and their errors are kept."""
    open_states = (MessageState.WAITING, MessageState.DEAD)
    rows = OutboxMessage.objects.filter(kind=TargetKind.CHANNEL, target__in=list(channels), state__in=open_states)
    return rows.update(state=MessageState.CANCELLED, next_try_at=None, last_error=deleted_text())


def deleted_channels(rows: Iterable[OutboxMessage]) -> set[uuid.UUID]:
    """Among the recipients of these messages."""
    keys = {row.target for row in rows if row.kind == TargetKind.CHANNEL}
    return keys - set(Channel.objects.filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()


def disabled_text() -> str:
    return gettext("The webhook is disabled, so no messages can be resent. Enable the webhook first.")


def disabled_webhooks(rows: Iterable[OutboxMessage]) -> set[uuid.UUID]:
    """Among the recipients of these messages. What they are sent again would wait, or be discarded."""
    keys = {row.target for row in rows if row.kind == TargetKind.WEBHOOK}
    off = WebhookEndpoint.objects.filter(pk__in=keys, is_active=False)
    return set(off.values_list("pk", flat=True)) if keys else set()
