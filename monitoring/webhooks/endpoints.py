"""Webhooks: who subscribes to what, and how events become messages in the sending queue."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.audit import record
from core.db import clean_text, existing_keys
from core.encryption import encrypted
from core.json_text import RawJSONRenderer
from core.text import counted
from core.visibility import Scope
from monitoring.feed import feed
from monitoring.models import WEBHOOK_TEST, MessageState, OutboxMessage, Publication, TargetKind, WebhookEndpoint
from monitoring.models.maintainers import maintained_by
from monitoring.outbox.queue import enqueue, send_again
from monitoring.webhooks.event_types import CHANGE_PUBLISHED, matches, split
from monitoring.webhooks.signing import new_secret
from monitoring.webhooks.visibility import scope_of_endpoint, visible_among

EVENT_KEYS = uuid.UUID("d2b5f7aa-9c7a-5b43-8b1e-6f0f9d0c1e55")
# Receivers know events by their ids: those of an event that got another name are made of its first one.
FIRST_NAMES = {"subject.requested": "subject.wanted", "subject.withdrawn": "subject.unwanted"}


class Event(NamedTuple):
    """Something to tell, under a key of its own; `at` is when it happened, where that was not just now.

    To endpoints of a business unit `seen` says it instead, where it is given; `is_for_units` is told to no others.
    """

    type: str
    data: Mapping[str, Any]
    key: str
    company: str = ""
    at: datetime | None = None
    seen: Callable[[Scope], Mapping[str, Any]] | None = None
    is_for_units: bool = False

    @property
    def message(self) -> str:
        return message_id(self.type, self.key)

    def body(self, now: datetime, scope: Scope) -> str:
        return written(self.type, now, self.seen(scope) if self.seen and not scope.sees_all else self.data)


# People


def create_endpoint(*, made_by: str, begin: datetime | None = None, **columns: Any) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret, shown once. Its changes begin now, or with those published since `begin`."""
    secret = new_secret()
    endpoint = WebhookEndpoint(
        **columns,
        encrypted_secret=encrypted(secret),
        cursor=str(feed.cursor_at(begin) if begin else feed.latest()),
        **maintained_by(made_by),
        created_at=timezone.now(),
    )
    endpoint.save(force_insert=True)
    _record(
        endpoint,
        made_by,
        "webhook.create",
        gettext("Webhook %(name)s created for %(url)s") % {"name": endpoint, "url": endpoint.url},
    )
    return endpoint, secret


def edit_endpoint(endpoint: WebhookEndpoint, *, by: str, **columns: Any) -> None:
    """What begins to hear of changes begins at the feed's present end: its cursor has not moved before.

    Whoever has it lead elsewhere looks after it from then on.
    """
    began = not subscribes_to(endpoint, CHANGE_PUBLISHED)
    changed = WebhookEndpoint(**columns)
    if began and subscribes_to(changed, CHANGE_PUBLISHED):
        columns["cursor"] = str(feed.latest())
    if changed.url != endpoint.url:
        columns |= maintained_by(by)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**columns)


def rotate_secret(endpoint: WebhookEndpoint, *, by: str, overlap: timedelta = timedelta(days=1)) -> str:
    """A new secret, shown once; until the overlap is over, messages are signed with both."""
    secret = new_secret()
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        encrypted_old_secret=endpoint.encrypted_secret,
        old_secret_until=timezone.now() + overlap,
        encrypted_secret=encrypted(secret),
    )
    endpoint.refresh_from_db()
    _record(endpoint, by, "webhook.rotate", gettext("Secret of webhook %(name)s replaced") % {"name": endpoint})
    return secret


def switch_off(endpoint: WebhookEndpoint, *, by: str, reason: str) -> None:
    """Nothing is sent any more; what waits is kept."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False, off_reason=clean_text(reason))
    waiting(endpoint).update(next_try_at=None)
    _record(
        endpoint,
        by,
        "webhook.off",
        gettext("Webhook %(name)s disabled: %(reason)s") % {"name": endpoint, "reason": reason},
    )
    endpoint.refresh_from_db()


def switch_on(endpoint: WebhookEndpoint, *, by: str, from_now: bool = False) -> None:
    """What waits is sent and what was published meanwhile is told; or neither, where it is to begin from now."""
    fields: dict[str, Any] = {"is_active": True, "is_discarding": False, "off_reason": "", "held_until": None}
    if endpoint.maintainer_has_left:
        fields |= maintained_by(by)
    if from_now or endpoint.is_discarding:
        cancel_waiting(endpoint)
        fields["cursor"] = str(feed.latest())
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    waiting(endpoint).update(next_try_at=timezone.now())
    words = gettext("Webhook %(name)s enabled; waiting messages skipped")
    words = words if from_now else gettext("Webhook %(name)s enabled")
    _record(endpoint, by, "webhook.on", words % {"name": endpoint})
    endpoint.refresh_from_db()


def discard(endpoint: WebhookEndpoint, *, by: str) -> int:
    """What waits for one that is switched off is not sent, nor what happens until it is on again."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk, is_active=False).update(is_discarding=True)
    endpoint.refresh_from_db()
    if not endpoint.is_discarding:
        return 0
    count = cancel_waiting(endpoint)
    words = ngettext(
        "Webhook %(name)s: %(count)s message discarded", "Webhook %(name)s: %(count)s messages discarded", count
    )
    _record(endpoint, by, "webhook.discard", words % {"name": endpoint, "count": counted(count)})
    return count


def cancel_waiting(endpoint: WebhookEndpoint) -> int:
    return waiting(endpoint).update(state=MessageState.CANCELLED, next_try_at=None)


def changes_missed(endpoint: WebhookEndpoint) -> int:
    """The changes at most, of any kind, that were published since a webhook was switched off."""
    if endpoint.is_active or endpoint.is_discarding or not subscribes_to(endpoint, CHANGE_PUBLISHED):
        return 0
    sequence = feed.Cursor.read(endpoint.cursor).sequence
    changes = Publication.objects.filter(sequence__gt=sequence).aggregate(count=Sum("entry_count"))["count"]
    return changes or 0


def resend(endpoint: WebhookEndpoint, *, since: datetime, until: datetime, by: str) -> int:
    """Once more, under the same ids and in the same order, what was queued in this time; returns how many."""
    queued = OutboxMessage.objects.filter(target=endpoint.pk, created_at__gte=since, created_at__lte=until)
    count = send_again(queued.exclude(event_type=WEBHOOK_TEST))
    words = ngettext(
        "Webhook %(name)s: %(count)s message from %(since)s to %(until)s UTC resent",
        "Webhook %(name)s: %(count)s messages from %(since)s to %(until)s UTC resent",
        count,
    )
    told = {"name": endpoint, "since": f"{since:%Y-%m-%d %H:%M}", "until": f"{until:%Y-%m-%d %H:%M}"}
    _record(endpoint, by, "webhook.resend", words % {**told, "count": counted(count)})
    return count


def let_go_on() -> int:
    """What was put aside in the moment in which its webhook was switched on is not forgotten."""
    active = [endpoint.pk for endpoint in active_endpoints()]
    aside = OutboxMessage.objects.filter(state=MessageState.WAITING, next_try_at=None, target__in=active)
    return aside.update(next_try_at=timezone.now()) if active else 0


def waiting(endpoint: WebhookEndpoint) -> QuerySet[OutboxMessage]:
    """What is not sent yet."""
    return OutboxMessage.objects.filter(state=MessageState.WAITING, target=endpoint.pk)


def _record(endpoint: WebhookEndpoint, actor: str, action: str, summary: str) -> None:
    record(actor=actor, action=action, thing=endpoint, summary=summary)


# Events


def emit_events(events: Iterable[Event]) -> int:
    """Many at once, in their order. For who is switched off they wait."""
    events = list(events)
    now = timezone.now()
    return sum(_enqueue(endpoint, events, now) for endpoint in WebhookEndpoint.objects.all())


def active_endpoints() -> list[WebhookEndpoint]:
    return list(WebhookEndpoint.objects.filter(is_active=True))


def _enqueue(endpoint: WebhookEndpoint, events: Sequence[Event], now: datetime) -> int:
    if endpoint.is_discarding:
        return 0
    scope = scope_of_endpoint(endpoint)
    for_it = [event for event in events if not (event.is_for_units and scope.sees_all)]
    since = [event for event in for_it if event.at is None or event.at >= endpoint.created_at]
    new = _new([event for event in since if subscribes_to(endpoint, event.type)], endpoint)
    subscribed = _visible(new, scope)
    if not subscribed:
        return 0
    first = _take_positions(endpoint, len(subscribed))
    return len(
        enqueue(
            a_message(endpoint, event.message, event.type, event.company, first + index, event.body(now, scope))
            for index, event in enumerate(subscribed)
        )
    )


def _new(events: Sequence[Event], endpoint: WebhookEndpoint) -> list[Event]:
    """Without those that it was told before."""
    keys = [OutboxMessage.key(endpoint.pk, event.message) for event in events]
    known = existing_keys(OutboxMessage, keys)
    return [event for key, event in zip(keys, events, strict=True) if key not in known]


def _visible(events: Sequence[Event], scope: Scope) -> Sequence[Event]:
    if scope.sees_all or not events:
        return events
    visible = visible_among(scope, [(event.type, event.data) for event in events])
    return [event for event, is_visible in zip(events, visible, strict=True) if is_visible]


def _take_positions(endpoint: WebhookEndpoint, count: int) -> int:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(position=F("position") + count)
    last = WebhookEndpoint.objects.filter(pk=endpoint.pk).values_list("position", flat=True).get()
    return int(last) - count + 1


def subscribes_to(endpoint: WebhookEndpoint, event_type: str) -> bool:
    return any(matches(pattern, event_type) for pattern in split(endpoint.event_types))


def message_id(event_type: str, key: str) -> str:
    """The same for the same event, so that receivers can leave out what they had."""
    return f"msg_{uuid.uuid5(EVENT_KEYS, f'{FIRST_NAMES.get(event_type, event_type)} {key}').hex}"


def written(event_type: str, at: datetime, data: Any) -> str:
    """The body of a message, which is kept and sent as it is on every try."""
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return RawJSONRenderer().render({"type": event_type, "timestamp": stamp, "data": data}).decode()


def a_message(
    endpoint: WebhookEndpoint, event: str, event_type: str, company: str, position: int, body: str
) -> OutboxMessage:
    """Not before the time that the receiver has asked for, if it has; for who is switched off, when it is on again."""
    now = timezone.now()
    due = max(now, endpoint.held_until or now) if endpoint.is_active else None
    return OutboxMessage(
        id=OutboxMessage.key(endpoint.pk, event),
        kind=TargetKind.WEBHOOK,
        target=endpoint.pk,
        event=event,
        event_type=event_type,
        company=company,
        sequence=position,
        payload=body,
        next_try_at=due,
        created_at=now,
    )
