"""Where messages may go: which services and mail addresses, for whom, and whether whoever reads there has said yes.

It is asked when an address is entered and again at each sending, so that what was entered earlier, or by somebody who
has left meanwhile, is held to it as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import Actor, names_of
from core.admin.filters import key_at
from core.db import insert_new
from core.models import AuditEntry
from core.outbound.mail_server import has_mail_server
from core.urls import link
from monitoring.models import Channel, MailAddress, MessageState, NotificationPreference, OutboxMessage, content_key
from monitoring.outbox.addresses import address_of, mail_addresses
from monitoring.outbox.chat_services import chat_of

EVERYWHERE = "*"
SALT = "mail-address"
LINK_LASTS = timedelta(days=14)
ASKED_AGAIN_AFTER = timedelta(days=1)
# Without somebody who presses a button; then it is left alone.
ASKED_AT_MOST = 3
# What one person may cause in an hour: tests of channels, and questions to holders of addresses.
ACTS_AN_HOUR = 10
TESTED, ASKED = "channel.test", "channel.ask"


# What is refused


def why_refused(channel: Channel) -> str:
    """Why nothing may be sent to a channel, or nothing."""
    if has_left(channel.person):
        return gettext("%(person)s was deactivated.") % {"person": channel.person}
    address = address_of(channel)
    if not address:
        return gettext("The address cannot be read because the secret key was changed. Enter the address again.")
    return why_not_there(address, channel.person)


def has_left(person: Any) -> bool:
    return person is not None and not person.is_active


def why_not_there(address: str, person: Any) -> str:
    """Why a channel of this person, or a shared one, may not lead to an address; or nothing."""
    if addresses := mail_addresses(address):
        return _why_no_mail(addresses, person)
    chat = chat_of(address)
    if chat is None:
        return gettext("This address is not supported. The list below shows supported addresses.")
    if chat.is_any_host and person and not person.has_perm("monitoring.change_channel"):
        return gettext(
            "%(service)s on your own server requires permission to manage channels. Ask your administrator."
        ) % {"service": chat.service}
    return ""


def _why_no_mail(addresses: Sequence[str], person: Any) -> str:
    outside = [address for address in addresses if not is_own(address, person) and not is_in_domains(address)]
    if not outside:
        return ""
    return gettext(
        "Email can be sent to the channel's owner or to %(domains)s, but not to %(address)s. Ask your administrator "
        "to add the domain (MAIL_DOMAINS)."
    ) % {"domains": ", ".join(settings.MAIL_DOMAINS), "address": outside[0]}


def is_own(address: str, person: Any) -> bool:
    return bool(person and person.email and person.email.casefold() == address.casefold())


def is_in_domains(address: str) -> bool:
    domain = address.rpartition("@")[2].casefold()
    return any(_covers(entry.strip().casefold(), domain) for entry in settings.MAIL_DOMAINS)


def _covers(entry: str, domain: str) -> bool:
    """As in ALLOWED_HOSTS: .example.com stands for all below it too."""
    return entry in (EVERYWHERE, domain) or (entry.startswith(".") and f".{domain}".endswith(entry))


def of_people_who_left(addresses: Iterable[str]) -> set[str]:
    """Those that belong to deactivated people, and to nobody who is active."""
    condition = Q()
    for address in addresses:
        condition |= Q(email__iexact=address)
    rows = list(get_user_model().objects.filter(condition).values_list("email", "is_active"))
    active = {email.casefold() for email, is_active in rows if is_active}
    gone = {email.casefold() for email, is_active in rows if not is_active} - active
    return {address for address in addresses if address.casefold() in gone}


# Whether their holders have said yes


def key_of(address: str) -> Any:
    return content_key("mail address", address.casefold())


def unconfirmed(addresses: Iterable[str], person: Any) -> list[str]:
    others = [address for address in addresses if not is_own(address, person)]
    said_yes = _said_yes(others)
    return [address for address in others if key_of(address) not in said_yes]


def _said_yes(addresses: Iterable[str]) -> set[Any]:
    keys = {key_of(address) for address in addresses}
    rows = MailAddress.objects.filter(pk__in=keys).exclude(confirmed_at=None)
    return set(rows.values_list("pk", flat=True)) if keys else set()


def unconfirmed_addresses(channels: Iterable[Channel]) -> dict[Any, list[str]]:
    """Those by which nobody gets anything yet, by their keys: the addresses, none of whose holders has said yes."""
    readers = {channel.pk: (mail_addresses(address_of(channel)), channel.person) for channel in channels}
    others = {
        key: addresses
        for key, (addresses, person) in readers.items()
        if addresses and not any(is_own(address, person) for address in addresses)
    }
    said_yes = _said_yes(address for addresses in others.values() for address in addresses)
    return {
        key: addresses
        for key, addresses in others.items()
        if not any(key_of(address) in said_yes for address in addresses)
    }


def confirm(address: str) -> None:
    """From now on it gets messages; what waited for that goes out."""
    insert_new(MailAddress, [MailAddress(id=key_of(address), address=address)])
    MailAddress.objects.filter(pk=key_of(address)).update(confirmed_at=timezone.now())
    channels = list(Channel.objects.filter(display_address__contains=address).values_list("pk", flat=True))
    OutboxMessage.objects.filter(target__in=channels, state=MessageState.WAITING).update(next_try_at=timezone.now())
    people = list(NotificationPreference.objects.filter(channel__in=channels).values_list("pk", flat=True))
    # What was never tried waits for a digest, or for the end of quiet hours.
    tried = OutboxMessage.objects.filter(target__in=people, state=MessageState.WAITING, attempts__gt=0)
    tried.update(next_try_at=timezone.now())
    Channel.objects.filter(pk__in=channels, last_error__contains=address).update(last_error="")


def without_server(channels: Iterable[Channel]) -> set[Any]:
    """The keys of those that send emails while emails do not leave this machine."""
    if has_mail_server():
        return set()
    return {channel.pk for channel in channels if mail_addresses(address_of(channel))}


def waits_for(addresses: Sequence[str]) -> str:
    if not has_mail_server():
        words = gettext("%(addresses)s cannot confirm or receive emails, because no email server is set up.")
        return words % {"addresses": ", ".join(addresses)}
    return gettext("Waiting for %(addresses)s to confirm. The link is in the confirmation email.") % {
        "addresses": ", ".join(addresses)
    }


def question_to(address: str, *, by: str = "", at_most: int | None = None) -> EmailMultiAlternatives | None:
    """The mail that asks an address's holder; None where that was done within a day, or often enough."""
    insert_new(MailAddress, [MailAddress(id=key_of(address), address=address)])
    row = MailAddress.objects.get(pk=key_of(address))
    now = timezone.now()
    if (
        row.confirmation_sent_at
        and now - row.confirmation_sent_at < ASKED_AGAIN_AFTER
        or at_most is not None
        and row.confirmations_sent >= at_most
    ):
        return None
    as_known = MailAddress.objects.filter(pk=row.pk, confirmation_sent_at=row.confirmation_sent_at)
    if not as_known.update(confirmation_sent_at=now, confirmations_sent=F("confirmations_sent") + 1):
        return None
    url = link("admin:monitoring_channel_confirm", signing.dumps(address, salt=SALT))
    subject, headers = gettext("Confirm your D&B Monitoring alerts"), {"Auto-Submitted": "auto-generated"}
    body = gettext(
        "%(who)s asked for D&B Monitoring alerts to be sent to this address. D&B Monitoring reports changes "
        "at companies, such as bankruptcies or falling scores.\n\nTo receive them, open this page and confirm:\n"
        "%(url)s\n\nIf you do not want these alerts, ignore this email. No alerts are sent without your "
        "consent."
    )
    return EmailMultiAlternatives(
        subject,
        body % {"url": url, "who": names_of([by]).get(by, by) or gettext("A user")},
        to=[address],
        headers=headers,
    )


def not_asked(address: str) -> None:
    """The mail did not leave."""
    MailAddress.objects.filter(pk=key_of(address)).update(confirmation_sent_at=None)


def last_asked(addresses: Iterable[str]) -> dict[str, datetime]:
    """When each of them got the last such mail; nothing for those that never did."""
    rows = MailAddress.objects.filter(pk__in=[key_of(address) for address in addresses])
    return {row.address: row.confirmation_sent_at for row in rows if row.confirmation_sent_at}


def address_of_token(token: str) -> str:
    """The address of a link in such a mail; nothing for what is no such link, or an old one."""
    try:
        return str(signing.loads(token, salt=SALT, max_age=LINK_LASTS))
    except signing.BadSignature:
        return ""


def within_limit(by: Actor, action: str) -> bool:
    """By the id: a new name begins no new hour."""
    since = timezone.now() - timedelta(hours=1)
    done = AuditEntry.objects.filter(action=action, pk__gte=key_at(since), actor_id=by.id)
    return len(done.values_list("pk", flat=True)[:ACTS_AN_HOUR]) < ACTS_AN_HOUR
