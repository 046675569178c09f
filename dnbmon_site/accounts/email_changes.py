"""What no longer reaches a user whose email address was changed or removed."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext

from dnbmon_site.accounts.models import User
from monitoring.models import Channel, ReportRecipient
from monitoring.outbox.addresses import address_of, mail_addresses
from portfolio.models import Subject

MOST = 100


def email_warnings(user: User, before: str) -> list[str]:
    """For the administrator who saved it; nothing where there was no address, or the same one."""
    if not before or before.casefold() == user.email.casefold():
        return []
    return [*_without_address(user), *_channels(user, before), *_owned(user, before)]


def _without_address(user: User) -> Iterator[str]:
    if user.email:
        return
    yield gettext("%(user)s has no email address: password links and alerts for owned companies are not sent.") % {
        "user": user
    }
    rows = ReportRecipient.objects.filter(person=user).select_related("schedule")[:MOST]
    if names := sorted({str(row.schedule) for row in rows}):
        words = gettext("These reports are no longer sent to %(user)s: %(names)s.")
        yield words % {"user": user, "names": ", ".join(names)}


def _channels(user: User, before: str) -> Iterator[str]:
    """An address that is the user's own needs no confirmation; this one is no longer theirs."""
    for channel in Channel.objects.filter(person=user, active=True).order_by("name", "id")[:MOST]:
        if before.casefold() in map(str.casefold, mail_addresses(address_of(channel))):
            words = gettext(
                "The channel “%(channel)s” still leads to %(address)s. Change its address under “Channels”, or "
                "messages may not be sent."
            )
            yield words % {"channel": channel, "address": before}


def _owned(user: User, before: str) -> Iterator[str]:
    if Subject.objects.filter(requested=True, owner=before).exists():
        words = gettext(
            "Companies with the owner %(address)s are no longer assigned to %(user)s. Change their owner by an import, "
            "or on the companies' pages."
        )
        yield words % {"address": before, "user": user}
