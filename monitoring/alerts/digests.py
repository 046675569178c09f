"""Daily and weekly digests, each at its time in the reader's zone."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta

from django.utils import timezone

from monitoring.models import Channel, DigestItem, Frequency, OutboxMessage, TargetKind
from monitoring.outbox.addresses import zone_of
from monitoring.outbox.queue import enqueue

DEFAULT_TIME = time(8)


def next_digest(channel: Channel, after: datetime) -> datetime | None:
    """When the channel's next digest is due; None for one that hears at once."""
    if channel.frequency == Frequency.AT_ONCE:
        return None
    zone = zone_of(channel)
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, channel.digest_time or DEFAULT_TIME, zone)
        if moment > after and (channel.frequency == Frequency.DAILY or day.weekday() == channel.digest_day):
            return moment
        day += timedelta(days=1)


def send_digests() -> int:
    """Put every digest that is due into the queue; returns how many there are."""
    due = Channel.objects.filter(next_digest_at__lte=timezone.now()).select_related("person").order_by("next_digest_at")
    return sum(_send_digest(channel) for channel in due)


def _send_digest(channel: Channel) -> bool:
    """What waited is marked first, the message comes second, the next time last: each may be repeated."""
    due = channel.next_digest_at
    if due is None:
        return False
    key = OutboxMessage.key(channel.pk, _event(due))
    if channel.active and channel.unsubscribed_at is None:
        DigestItem.objects.filter(channel=channel, digest=None, created_at__lte=due).update(digest=key)
    is_due = DigestItem.objects.filter(channel=channel, digest=key).exists()
    if is_due:
        enqueue([_dispatch(channel, due)])
    later = next_digest(channel, max(timezone.now(), due))
    Channel.objects.filter(pk=channel.pk, next_digest_at=due).update(next_digest_at=later)
    return is_due


def _event(due: datetime) -> str:
    return f"digest:{int(due.timestamp() * 1000)}"


def _dispatch(channel: Channel, due: datetime) -> OutboxMessage:
    return OutboxMessage(
        id=OutboxMessage.key(channel.pk, _event(due)),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=_event(due),
        event_type="digest",
        payload=json.dumps({"digest": due.isoformat()}),
        next_try_at=timezone.now(),
        created_at=timezone.now(),
    )
