"""Sending to channels: mail through the program's own server, everything else through apprise."""

from __future__ import annotations

import json
import logging
import re
import smtplib
import uuid
from datetime import datetime, timedelta
from typing import Any

import apprise
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils import timezone
from django.utils.translation import gettext

from monitoring.addressing import address_of, is_mail, mail_addresses, service, unsubscribe_link, without_secrets
from monitoring.dispatching import ROUTES, Answer, NotSent, Route
from monitoring.messages import Message, alert_message, assignment_message, digest_message, notice_message, test_message
from monitoring.models import Alert, Channel, Dispatch, TargetKind
from monitoring.own_alerts import OPEN
from portfolio.models import Notice
from portfolio.rows import clean_text

# It may say what an address should not be seen with, so nothing of it reaches the log.
APPRISE: logging.Logger = apprise.logger
APPRISE.propagate = False
APPRISE.setLevel(logging.WARNING)
MAIL_TIMEOUT = 30
# About three days, closer together at first.
SPACING = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440, 1440))


def send_dispatch(dispatch: Dispatch) -> Answer:
    """Say to its channel what a dispatch is about, as it is now; raises NotSent."""
    channel = Channel.objects.select_related("person").filter(pk=dispatch.target).first()
    if channel is None:
        raise NotSent(gettext("The channel was deleted."), final=True)
    if not channel.active or channel.unsubscribed_at:
        raise NotSent(gettext("The channel is switched off."), final=True)
    message = message_of(channel, dispatch)
    if message is None:
        raise NotSent(gettext("What it was about is gone."), final=True)
    return send(channel, message, dispatch.pk)


def message_of(channel: Channel, dispatch: Dispatch) -> Message | None:
    payload: dict[str, Any] = json.loads(dispatch.payload)
    if "alert" in payload:
        alert = Alert.objects.filter(pk=payload["alert"]).first()
        return alert_message(channel, alert, payload["number"]) if alert else None
    if "assigned" in payload:
        theirs = Alert.objects.filter(pk=payload["assigned"], assignee=payload["to"], state__in=OPEN).first()
        return assignment_message(channel, theirs, payload["by"]) if theirs else None
    if "notice" in payload:
        notice = Notice.objects.filter(pk=payload["notice"]).first()
        return notice_message(channel, notice) if notice else None
    return digest_message(channel, dispatch.pk, datetime.fromisoformat(payload["digest"]))


def send(channel: Channel, message: Message, key: uuid.UUID) -> Answer:
    """Send a message; how it went is noted at the channel. Raises NotSent."""
    address = address_of(channel)
    try:
        if not address:
            raise NotSent(gettext("The address cannot be read: enter it again, the secret key was changed."))
        answer = _mail(channel, message, address, key) if mail_addresses(address) else _chat(channel, message, address)
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
        to=mail_addresses(address),
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


def deliver(mail: EmailMultiAlternatives) -> Answer:
    """Give a mail to the program's own server; raises NotSent."""
    try:
        mail.connection = mail.connection or get_connection(timeout=MAIL_TIMEOUT)
        mail.send()
    except smtplib.SMTPResponseException as error:
        raise NotSent(
            gettext("The mail server says %(smtp_code)s.") % {"smtp_code": error.smtp_code},
            text=_decoded(error.smtp_error),
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(gettext("The mail server: %(__name__)s") % {"__name__": type(error).__name__}) from error
    return Answer()


def _decoded(text: bytes | str) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _chat(channel: Channel, message: Message, address: str) -> Answer:
    found = service(address)
    if found is None:
        raise NotSent(gettext("The address is not known any more: enter it again."))
    is_html = is_mail(address)
    notifier = apprise.Apprise()
    notifier.add(found)
    result = notifier.notify(
        body=message.html(channel) if is_html else message.text(channel),
        title=message.subject,
        body_format=apprise.NotifyFormat.HTML if is_html else apprise.NotifyFormat.TEXT,
    )
    if not result:
        told = [without_secrets(entry.message, address) for one in result.results for entry in one.logs()]
        reason = told[-1][:300] if told else gettext("The service did not take it.")
        raise NotSent(reason, status=_status(reason), text="\n".join(told))
    return Answer()


def _status(told: str) -> int | None:
    found = re.search(r"error=(\d{3})\b", told)
    return int(found[1]) if found else None


def send_test(channel: Channel) -> str:
    """Send a test at once; returns why it failed, or nothing."""
    try:
        send(channel, test_message(channel), uuid.uuid4())
    except NotSent as error:
        return str(error)
    return ""


def unsubscribe(channel: Channel) -> None:
    """Nothing goes there any more, what waits included."""
    Channel.objects.filter(pk=channel.pk, unsubscribed_at=None).update(unsubscribed_at=timezone.now())


ROUTES[TargetKind.CHANNEL] = Route(send_dispatch, SPACING)
