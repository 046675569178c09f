"""What is published → messages for the webhooks that subscribe to it.

An endpoint reads the feed with a cursor of its own, which is set when the endpoint is made. Messages are
queued before the cursor moves; whoever dies in between leaves the same messages to be queued under the same ids again,
which changes nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from django.utils import timezone

from monitoring.feed import feed
from monitoring.feed.serializers import serialized_entries
from monitoring.models import OutboxMessage, WebhookEndpoint
from monitoring.outbox.queue import enqueue
from monitoring.publications.consumers import Follower
from monitoring.webhooks.endpoints import a_message, active_endpoints, message_id, subscribes_to, written
from monitoring.webhooks.event_types import CHANGE_PUBLISHED
from monitoring.webhooks.visibility import scope_of_endpoint

logger = logging.getLogger(__name__)
PAGE = 200
ENDPOINTS = Follower(WebhookEndpoint, mend=partial(feed.mend_cursors, WebhookEndpoint))


def queue_changes(until: datetime) -> int:
    """Put what was published into the queue of every endpoint that subscribes to it; returns how many messages."""
    endpoints = [endpoint for endpoint in active_endpoints() if subscribes_to(endpoint, CHANGE_PUBLISHED)]
    return sum(_read_on(endpoint, until) for endpoint in endpoints)


def _read_on(endpoint: WebhookEndpoint, until: datetime) -> int:
    queued = 0
    while timezone.now() < until:
        page = _page(endpoint)
        queued += len(enqueue(_messages(endpoint, page.entries)))
        if not _move(endpoint, page) or not page.has_more:
            break
    return queued


def _page(endpoint: WebhookEndpoint) -> feed.Page:
    try:
        choice = choice_of(endpoint).seen_by(scope_of_endpoint(endpoint))
        return feed.read(feed.Cursor.read(endpoint.cursor), PAGE, choice)
    except feed.Gone as error:
        # A backup was restored: nothing can be told of what is no longer known.
        logger.warning("webhook %s begins at the feed's end again: %s", endpoint, error)
        return feed.Page([], feed.latest(), False)


def _messages(endpoint: WebhookEndpoint, entries: list[feed.Entry]) -> list[OutboxMessage]:
    items = serialized_entries(entries, scope_of_endpoint(endpoint))
    return [
        _change_message(endpoint, entry, endpoint.position + sequence, item)
        for sequence, (entry, item) in enumerate(zip(entries, items, strict=True), start=1)
    ]


def _change_message(endpoint: WebhookEndpoint, entry: feed.Entry, position: int, item: Any) -> OutboxMessage:
    """Under an id of the entry: of a change that is published first, that is one of the change."""
    body = written(CHANGE_PUBLISHED, entry.recorded_at, item)
    event = message_id(CHANGE_PUBLISHED, entry.key)
    return a_message(endpoint, event, CHANGE_PUBLISHED, entry.change.company_id, position, body)


def _move(endpoint: WebhookEndpoint, page: feed.Page) -> bool:
    """Further by this page, unless somebody else has moved on meanwhile: then the next run goes on from there."""
    known = WebhookEndpoint.objects.filter(pk=endpoint.pk, cursor=endpoint.cursor, position=endpoint.position)
    after, position = str(page.next), endpoint.position + len(page.entries)
    if after == endpoint.cursor:
        return True
    if not known.update(cursor=after, position=position):
        return False
    endpoint.cursor, endpoint.position = after, position
    return True


def choice_of(endpoint: WebhookEndpoint) -> feed.Choice:
    return feed.Choice(
        kinds=_several(endpoint.kinds),
        severity=endpoint.severity,
        element=endpoint.element,
        registrations=frozenset([endpoint.registration_id]) if endpoint.registration_id else None,
        companies=_several(endpoint.companies),
        countries=_several(endpoint.countries),
    )


def _several(text: str) -> frozenset[str] | None:
    return frozenset(name.strip() for name in text.split(",") if name.strip()) or None
