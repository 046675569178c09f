"""What a channel may contain when it is sent: what its business unit and its reader see."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from core.models import unrestricted
from core.visibility import Scope, common_scope, visible_to
from monitoring.models import Alert, Channel
from monitoring.outbox.addresses import address_of
from portfolio.models import Subject
from portfolio.visibility import scope_of_unit

# The version of keys that are hashes of content.
FROM_CONTENT = 5


def scope_of_channel(channel: Channel) -> Scope:
    """Read once for each message or batch of alerts: the row is read again for the next one."""
    if "scope" not in vars(channel):
        vars(channel)["scope"] = _scope_of(channel)
    scope: Scope = vars(channel)["scope"]
    return scope


def alerts_for(channel: Channel, alerts: Collection[uuid.UUID]) -> dict[uuid.UUID, Alert]:
    """Those of the alerts that may be sent there, by their keys, with their rules."""
    return visible_to(scope_of_channel(channel), Alert.objects.select_related("rule")).in_bulk(list(alerts))


def _scope_of(channel: Channel) -> Scope:
    if _is_for_an_owner(channel) and not unrestricted():
        return _scope_of_owner(address_of(channel).strip())
    people = [channel.person] if channel.person_id else []
    return common_scope(scope_of_unit(channel.unit_id), *people)


def _is_for_an_owner(channel: Channel) -> bool:
    """Whether it was made for an owner of companies who is no user: its key is made of the address."""
    return channel.person_id is None and channel.pk.version == FROM_CONTENT


def _scope_of_owner(address: str) -> Scope:
    """What the registrations report in which they are the owner of a company."""
    entries = Subject.objects.filter(owner__iexact=address).exclude(owner="").order_by()
    registrations = frozenset(entries.values_list("registration_id", flat=True).distinct())
    return Scope(sees_all=False, registrations=registrations)
