"""Sending to channels: mail through the program's own server, chats as `monitoring.outbox.chat_services` says how."""

from __future__ import annotations

import json
import smtplib
import uuid
from datetime import timedelta

from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import Actor
from core.audit import record
from core.db import clean_text
from core.outbound.connections import NotReached
from core.outbound.http import Reply, post
from core.outbound.mail_server import has_mail_server
from monitoring.models import Channel, NotificationPreference
from monitoring.outbox.addresses import address_of, mail_addresses, unsubscribe_link, without_secrets
from monitoring.outbox.chat_services import Chat, chat_of
from monitoring.outbox.message import Message
from monitoring.outbox.permitted_addresses import (
    ASKED,
    ASKED_AT_MOST,
    has_left,
    not_asked,
    of_people_who_left,
    question_to,
    unconfirmed,
    waits_for,
    why_refused,
    within_limit,
)
from monitoring.outbox.queue import Answer, NotSent

MAIL_TIMEOUT = 30


def send(channel: Channel, message: Message, key: uuid.UUID) -> Answer:
    """Send a message; how it went is noted at the channel. Raises NotSent."""
    address = address_of(channel)
    try:
        if reason := why_refused(channel):
            raise NotSent(reason, final=has_left(channel.person))
        chat = chat_of(address)
        answer = _chat(chat, channel, message, address) if chat else _mail(channel, message, address, key)
    except NotSent as error:
        Channel.objects.filter(pk=channel.pk).update(last_error=clean_text(str(error)))
        raise
    Channel.objects.filter(pk=channel.pk).update(last_error="", last_sent_at=timezone.now())
    return answer


def _mail(channel: Channel, message: Message, address: str, key: uuid.UUID) -> Answer:
    unsubscribe = unsubscribe_link(channel)
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text(channel),
        to=_recipients(mail_addresses(address), channel),
        headers={
            # The same on every try, so that a reader's mail program shows it once.
            "Message-ID": f"<{key}@dnbmon>",
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(message.html(channel), "text/html")
    return deliver(mail)


def _recipients(addresses: list[str], channel: Channel) -> list[str]:
    """Those who are still here and have said yes, or never had to; the others are asked. Raises NotSent for none."""
    gone = of_people_who_left(addresses)
    here = [address for address in addresses if address not in gone]
    if not here:
        raise NotSent(gettext("All recipients were deactivated."), final=True)
    silent = unconfirmed(here, channel.person)
    owner = channel.person.get_username() if channel.person else ""
    # Without a server no question arrives: none is counted as asked.
    for address in silent if has_mail_server() else ():
        if mail := question_to(address, by=owner, at_most=ASKED_AT_MOST):
            deliver(mail)
    if len(silent) == len(here):
        raise NotSent(waits_for(silent))
    return [address for address in here if address not in silent]


def send_confirmations(channel: Channel, *, by: Actor) -> list[str]:
    """Ask those who have not said yes, as far as one person may have them asked; returns who has not. Without a server
    no question arrives, and one that is printed looks as if it did."""
    silent = unconfirmed(mail_addresses(address_of(channel)), channel.person)
    for address in silent if has_mail_server() else ():
        if within_limit(by, ASKED) and (mail := question_to(address, by=by)):
            record(
                actor=by,
                action=ASKED,
                thing=channel,
                summary=gettext("Confirmation requested from %(address)s") % {"address": address},
            )
            _deliver_question(mail, address)
    return silent


def _deliver_question(mail: EmailMultiAlternatives, address: str) -> None:
    """What did not leave may be asked for again the same day."""
    try:
        deliver(mail)
    except NotSent:
        not_asked(address)
        raise


def deliver(mail: EmailMultiAlternatives) -> Answer:
    """Give a mail to the program's own server; raises NotSent."""
    # Names that people have written stand in it, whatever is in them.
    mail.subject = " ".join(mail.subject.split())
    try:
        mail.connection = mail.connection or get_connection(timeout=MAIL_TIMEOUT)
        mail.send()
    except smtplib.SMTPResponseException as error:
        raise NotSent(
            gettext("The email server responded with code %(smtp_code)s.") % {"smtp_code": error.smtp_code},
            text=_decoded(error.smtp_error),
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(
            gettext("The email server could not be reached (%(__name__)s).") % {"__name__": type(error).__name__}
        ) from error
    return Answer()


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _chat(chat: Chat, channel: Channel, message: Message, address: str) -> Answer:
    body = json.dumps(chat.body(message.subject, message.chat_text(channel)))
    try:
        reply = post(chat.url, body.encode(), chat.headers)
    except NotReached as error:
        raise NotSent(gettext("%(service)s: %(error)s") % {"service": chat.service, "error": error}) from error
    return _answer_of(chat, reply, without_secrets(reply.text, address))


def _answer_of(chat: Chat, reply: Reply, text: str) -> Answer:
    if 200 <= reply.status < 300:
        return Answer(reply.status, text)
    reason = gettext("%(service)s responded with status %(status)s.") % {
        "service": chat.service,
        "status": reply.status,
    }
    wait = None if reply.retry_after is None else timedelta(seconds=reply.retry_after)
    raise NotSent(reason, status=reply.status, text=text, retry_after=wait)


def unsubscribe(channel: Channel | NotificationPreference) -> None:
    """Nothing goes there any more, what waits included."""
    if isinstance(channel, NotificationPreference):
        reason = gettext("You unsubscribed by the link in a message.")
        active = NotificationPreference.objects.filter(pk=channel.pk, paused_at=None)
        active.update(paused_at=timezone.now(), paused_because=reason)
        return
    Channel.objects.filter(pk=channel.pk, unsubscribed_at=None).update(unsubscribed_at=timezone.now())
