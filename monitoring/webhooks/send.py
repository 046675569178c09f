"""One try to send a message to a webhook, and what the receiver's answer means."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from core.encryption import SecretLost, decrypted
from core.ids import time_first_id
from core.outbound.connections import NotReached, PrivateAddress
from core.outbound.http import post
from monitoring.models import WEBHOOK_TEST, MessageState, OutboxMessage, SendAttempt, TargetKind, WebhookEndpoint
from monitoring.outbox.queue import ROUTES, Answer, NotSent, Route, attempt, claim, enqueue
from monitoring.webhooks.endpoints import a_message, switch_off, waiting, written
from monitoring.webhooks.event_types import EVENT_TYPES
from monitoring.webhooks.signing import signed_headers
from monitoring.webhooks.visibility import may_be_sent

# The specification's: ten tries over three days.
SPACING = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def send(message: OutboxMessage) -> Answer:
    """One try. Raises NotSent for everything that is not a 2xx."""
    endpoint = WebhookEndpoint.objects.filter(pk=message.target).first()
    if endpoint is None:
        raise NotSent(gettext("The webhook was deleted."), final=True)
    if not endpoint.is_active and message.event_type != WEBHOOK_TEST:
        raise NotSent(gettext("Disabled: %(off_reason)s") % {"off_reason": endpoint.off_reason}, held=True)
    if endpoint.is_active and endpoint.maintainer_has_left:
        reason = gettext("Its owner, %(name)s, was deactivated or deleted. The user who enables it becomes the owner.")
        switch_off(endpoint, by="webhooks", reason=reason % {"name": endpoint.created_by})
        raise NotSent(endpoint.off_reason, held=True)
    if not may_be_sent(endpoint, message):
        raise NotSent(gettext("The webhook's business unit no longer sees the data in the message."), cancels=True)
    try:
        headers = {"Content-Type": "application/json", "User-Agent": "dnbmon-webhooks/1", **_signed(endpoint, message)}
        reply = post(endpoint.url, message.payload.encode(), headers)
    except SecretLost as error:
        raise NotSent(str(error)) from error
    except PrivateAddress as error:
        raise NotSent(str(error), final=message.event_type == WEBHOOK_TEST) from error
    except NotReached as error:
        raise NotSent(str(error)) from error
    return _answer_of(endpoint, reply.status, reply.text, reply.retry_after)


def _signed(endpoint: WebhookEndpoint, message: OutboxMessage) -> dict[str, str]:
    now = timezone.now()
    keys = [decrypted(endpoint.encrypted_secret)]
    if endpoint.encrypted_old_secret and endpoint.old_secret_until and endpoint.old_secret_until > now:
        keys.append(decrypted(endpoint.encrypted_old_secret))
    return signed_headers(message.event, now, message.payload, keys)


def _answer_of(endpoint: WebhookEndpoint, status: int, text: str, retry_after: float | None) -> Answer:
    if 200 <= status < 300:
        return Answer(status, text)
    if status == 410:
        switch_off(
            endpoint, by="webhooks", reason=gettext("The receiver responded with 410: the address no longer exists.")
        )
        raise NotSent(gettext("410: the address no longer exists"), status=status, text=text, held=True)
    reason = (
        gettext("%(status)s: redirects are not followed") % {"status": status}
        if 300 <= status < 400
        else gettext("status %(status)s") % {"status": status}
    )
    wait = None if retry_after is None else timedelta(seconds=retry_after)
    if wait and status in (429, 503):
        _hold(endpoint, timezone.now() + wait)
    raise NotSent(reason, status=status, text=text, retry_after=wait)


def _hold(endpoint: WebhookEndpoint, until: datetime) -> None:
    """The receiver wants to be left alone for a while, whatever the message."""
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(held_until=until)
    waiting(endpoint).filter(next_try_at__lt=until).update(next_try_at=until)


def send_test(endpoint: WebhookEndpoint) -> SendAttempt:
    """Send a message now, and return how it went. A test that failed is not retried."""
    event = f"msg_{time_first_id().hex}"
    body = written(WEBHOOK_TEST, timezone.now(), EVENT_TYPES[WEBHOOK_TEST].example)
    message = a_message(endpoint, event, WEBHOOK_TEST, "", 0, body)
    enqueue([message])
    if claim(message):
        attempt(message)
    OutboxMessage.objects.filter(pk=message.pk, state=MessageState.WAITING).update(
        state=MessageState.DEAD, next_try_at=None
    )
    return SendAttempt.objects.filter(message=message).order_by("-id")[0]


ROUTES[TargetKind.WEBHOOK] = Route(send, SPACING)
