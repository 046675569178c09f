"""What messages wait for: receivers that are tried, and webhooks that are disabled."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext, ngettext

from core.text import counted
from health.checks.result import Result, messages_url
from health.models import State
from monitoring.models import MessageState, OutboxMessage, WebhookEndpoint
from monitoring.outbox.failing import HELD, RETRYING

COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A channel, webhook or person that messages wait for."""

    kind: str
    key: uuid.UUID
    tries: int
    first: datetime
    overdue: int
    retried: int
    held: int
    untried: int

    @property
    def is_failing(self) -> bool:
        """It was tried and did not take them: what else waits, waits behind that."""
        return self.tries > 0


def targets(late: datetime) -> list[Target]:
    """In one query, however much waits. What is due since before `late` is overdue."""
    waiting = OutboxMessage.objects.filter(state=MessageState.WAITING).order_by()
    overdue = Count("id", filter=Q(next_try_at__lt=late))
    rows = waiting.values_list("kind", "target").annotate(
        tries=Max("attempts", filter=~HELD),
        first=Min("next_try_at"),
        overdue=overdue,
        retried=Count("id", filter=RETRYING),
        held=Count("id", filter=HELD),
        untried=Count("id", filter=~HELD & Q(attempts=0)),
    )
    return [
        Target(kind, key, tries or 0, first or late, *counts) for kind, key, tries, first, *counts in rows[:COUNTED]
    ]


def disabled_webhooks(held: Mapping[uuid.UUID, int]) -> Iterator[Result]:
    """`held` are the messages without a next attempt, by what they wait for."""
    rows = WebhookEndpoint.objects.filter(is_active=False, pk__in=list(held)).order_by("name") if held else ()
    for row in rows:
        yield _disabled(str(row.pk), row.name, held[row.pk])


def _disabled(key: str, name: str, count: int) -> Result:
    sentence = ngettext(
        "%(count)s message is waiting. Enable the webhook to send the message, or discard it.",
        "%(count)s messages are waiting. Enable the webhook to send the messages, or discard them.",
        count,
    ) % {"count": counted(count)}
    title = gettext("Webhook %(name)s is disabled") % {"name": name}
    do = gettext("Open the webhook under “Webhooks”, then choose “Enable and send messages” or “Discard messages”.")
    url = messages_url(target=key, state="undelivered")
    return Result(
        "receivers", title, State.WARNING, sentence, count, "messages", do, key, is_mark=True, messages_url=url
    )
