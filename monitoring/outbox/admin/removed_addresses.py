"""What is no longer delivered once an address is taken out of a channel, or the channel is disabled or deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from uuid import UUID

from django.utils.translation import gettext

from monitoring.alerts.reach import Reach
from monitoring.alerts.rules import few
from monitoring.models import Channel
from monitoring.outbox.addresses import address_of, display_address_of, mail_addresses


def removed_from(row: Channel, address: str) -> list[str]:
    """The addresses, as people read them, that another address of the channel leaves out."""
    before = address_of(row)
    if not before or before == address:
        return []
    left = {one.casefold() for one in mail_addresses(address)}
    gone = [one for one in mail_addresses(before) if one.casefold() not in left]
    return gone if mail_addresses(before) else [display_address_of(before)]


def removal_warnings(row: Channel, removed: Collection[str]) -> Iterator[str]:
    for address in removed:
        words = gettext("%(address)s no longer receives messages from the channel “%(channel)s”.")
        yield words % {"address": address, "channel": row}


def rules_left_without(channels: Collection[UUID]) -> Iterator[str]:
    """A warning about the rules whose alerts these channels alone deliver; before they are gone."""
    reach = Reach.read()
    left = [
        rule.name
        for rule in reach.rules
        if (found := {channel.pk for channel in reach.channels_of(rule)}) and found <= set(channels)
    ]
    if left:
        words = gettext("No channel delivers the alerts of these rules any more: %(rules)s.")
        yield words % {"rules": few(left)}
