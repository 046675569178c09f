"""The addresses of channels: checked, encrypted, and shown without their secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext

from core.db import insert_new
from core.encryption import SecretLost, decrypted, encrypted
from core.text import counted
from core.urls import link
from monitoring.models import Channel, NotificationPreference, Severity, content_key
from monitoring.outbox.chat_services import chat_of

MOST_ADDRESSES = 20
LONGEST = 2_000
SALT = "channel"
PURPOSE = "channel-address"


def set_address(channel: Channel, text: str) -> None:
    """Put a checked address into the row, encrypted; raises ValidationError."""
    check_address(text)
    channel.encrypted = encrypted(text.strip(), PURPOSE)
    channel.display_address = display_address_of(text)


def address_of(channel: Channel) -> str:
    """The address itself; nothing when SECRET_KEY was changed since."""
    try:
        return decrypted(channel.encrypted, PURPOSE)
    except SecretLost:
        return ""


def mail_addresses(text: str) -> list[str]:
    """The addresses, if the text is one or several mail addresses and nothing else."""
    parts = [part.strip() for part in re.split(r"[,;\s]+", text.strip()) if part.strip()]
    return parts if parts and all("@" in part and "://" not in part for part in parts) else []


def check_address(text: str) -> None:
    text = text.strip()
    if len(text) > LONGEST:
        raise ValidationError(
            gettext(
                "The address of a channel can have at most %(count)s characters. Enter a shorter one, or "
                "add a second channel."
            )
            % {"count": counted(LONGEST)}
        )
    if addresses := mail_addresses(text):
        _check_mail(addresses)
    elif "://" not in text:
        raise ValidationError(
            gettext("Enter an email address, or the address of a chat service. The list below shows examples.")
        )
    elif chat_of(text) is None:
        scheme = text.partition("://")[0][:30]
        raise ValidationError(
            gettext(
                "%(scheme)s:// addresses are not supported. The list below shows supported addresses. "
                "Parameters for the method, headers, files or other servers are not supported."
            )
            % {"scheme": scheme}
        )


def _check_mail(addresses: list[str]) -> None:
    if len(addresses) > MOST_ADDRESSES:
        raise ValidationError(gettext("Enter at most %(count)s email addresses.") % {"count": MOST_ADDRESSES})
    for number, address in enumerate(addresses, 1):
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                gettext("Address %(number)s, “%(address)s”, is not an email address. Correct or remove it.")
                % {"number": number, "address": address[:80]}
            ) from None


def display_address_of(text: str) -> str:
    """For people: mail addresses as they are, of all others nothing that opens a door."""
    if addresses := mail_addresses(text):
        return ", ".join(addresses)
    found = chat_of(text)
    return f"{found.service}: {text.strip().partition('://')[0]}://…" if found else "…"


def without_secrets(text: str, address: str) -> str:
    """What a service answers, without the parts of its address."""
    for part in sorted(_parts(address), key=len, reverse=True):
        text = text.replace(part, "…")
    return text


def _parts(address: str) -> Iterator[str]:
    pieces = urlsplit(address)
    for part in re.split(r"[/?&=:@#]", address.partition("://")[2]):
        if len(part) >= 6 and part != pieces.hostname:
            yield part
            yield unquote(part)


def zone_of(channel: Channel) -> tzinfo:
    """The reader's zone."""
    name = channel.zone or (channel.person.timezone if channel.person else "") or "UTC"
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


# Channels that nobody had to make


def channel_of_person(person: Any) -> Channel:
    """A person who looks after companies hears of them by mail, as long as there is no other channel."""
    return _mail_channel(
        gettext("Email to %(person)s") % {"person": person}, str(person.email), content_key("own", person.pk), person.pk
    )


def channel_of_mail(address: str) -> Channel:
    return _mail_channel(
        gettext("Email to %(address)s") % {"address": address}, address, content_key("mail", address.lower()), None
    )


def _mail_channel(name: str, address: str, key: Any, person: Any) -> Channel:
    known = Channel.objects.filter(pk=key).first()
    if known:
        return known
    channel = Channel(
        id=key,
        name=name[:120],
        person_id=person,
        created_at=timezone.now(),
        min_severity=Severity.NOISE,
        all_rules=False,
    )
    try:
        set_address(channel, address)
    except ValidationError:
        channel.active = False
    insert_new(Channel, [channel])
    return Channel.objects.get(pk=key)


def unsubscribe_link(channel: Channel) -> str:
    return link("admin:monitoring_channel_unsubscribe", signing.dumps(channel.pk.hex, salt=SALT))


def channel_of_token(token: str) -> Channel | None:
    """The channel of an unsubscribe link; None for what is no such link."""
    key = _key_of_token(token)
    return Channel.objects.filter(pk=key).first() if key else None


def preference_of_token(token: str) -> NotificationPreference | None:
    """Of the link in a message to a user's own address."""
    key = _key_of_token(token)
    return NotificationPreference.objects.select_related("person").filter(pk=key).first() if key else None


def _key_of_token(token: str) -> str:
    try:
        return str(signing.loads(token, salt=SALT))
    except signing.BadSignature:
        return ""
