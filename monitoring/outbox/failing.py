"""Which targets refuse their messages at present, and since when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Min

from monitoring.models import MessageState, SendAttempt


def failing_since(targets: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """The first failed attempt among the messages that are retried, in one query; nothing for the other targets."""
    retried = {"message__target__in": list(targets), "message__state": MessageState.WAITING, "message__attempts__gt": 0}
    failed = SendAttempt.objects.filter(**retried).exclude(error="").order_by()
    return dict(failed.values_list("message__target").annotate(since=Min("at")))
