"""What a webhook has not delivered: how many messages wait or have failed, and why the last one failed."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Count, QuerySet
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from core.markup import two_lines
from core.text import counted
from monitoring.models import MessageState, OutboxMessage, SendAttempt, WebhookEndpoint
from monitoring.outbox.failing import UNDELIVERED

RECENT = 20
SHOWN = 200


def undelivered_messages(endpoint: WebhookEndpoint) -> QuerySet[OutboxMessage]:
    """The same as the list of messages shows as not delivered."""
    return OutboxMessage.objects.filter(UNDELIVERED, target=endpoint.pk)


def undelivered_counts(endpoints: Iterable[WebhookEndpoint]) -> Mapping[uuid.UUID, dict[str, int]]:
    """By webhook and state, in one query for all."""
    rows = OutboxMessage.objects.filter(UNDELIVERED, target__in=[one.pk for one in endpoints]).order_by()
    found: defaultdict[uuid.UUID, dict[str, int]] = defaultdict(dict)
    for target, state, count in rows.values_list("target", "state").annotate(Count("id")):
        found[target][state] = count
    return found


def last_failure(undelivered: QuerySet[OutboxMessage]) -> SendAttempt | None:
    failed = undelivered.exclude(last_error="").order_by("-created_at").values_list("pk", flat=True)
    return SendAttempt.objects.filter(message__in=list(failed[:RECENT])).exclude(error="").order_by("-id").first()


def failure_text(attempt: SendAttempt) -> str:
    """As a sentence; a receiver that was never reached has refused nothing."""
    if attempt.status is None:
        return gettext("The receiver cannot be reached: %(error)s.") % {"error": attempt.error.rstrip(".")}
    return gettext("The receiver responded with status %(status)s.") % {"status": attempt.status}


def last_error(undelivered: QuerySet[OutboxMessage]) -> str:
    """With the beginning of the response, if there was one."""
    last = last_failure(undelivered)
    if last is None:
        return ""
    if last.status is None or not last.response:
        return failure_text(last)
    return f"{failure_text(last)} {gettext('Response: “%(response)s”.') % {'response': last.response[:SHOWN]}}"


def undelivered_cell(endpoint: WebhookEndpoint, counts: Mapping[str, int]) -> SafeString | str:
    """For the list: the messages that wait and those that failed, with the last error below."""
    waiting, failed = counts.get(MessageState.WAITING, 0), counts.get(MessageState.DEAD, 0)
    if not waiting and not failed:
        return gettext("None")
    last = last_failure(undelivered_messages(endpoint))
    return two_lines(_counts_text(waiting, failed), failure_text(last) if last else "")


def _counts_text(waiting: int, failed: int) -> str:
    texts = [
        (waiting, ngettext("%(count)s message waiting", "%(count)s messages waiting", waiting)),
        (failed, ngettext("%(count)s message failed", "%(count)s messages failed", failed)),
    ]
    return ", ".join(text % {"count": counted(count)} for count, text in texts if count)
