"""One event is one message: alerts of several rules about the same change go out together, to an address once."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.visibility import Scope
from monitoring.models import Alert, AlertRule, Channel
from monitoring.outbox.addresses import address_of, mail_addresses
from monitoring.outbox.permitted_addresses import unconfirmed, why_refused


@dataclass(frozen=True, slots=True)
class Later:
    """Registrations that report now what another one was the first to report."""

    reporters: frozenset[uuid.UUID]
    first: uuid.UUID

    def is_news_to(self, scope: Scope) -> bool:
        """Whoever sees the first was told then."""
        sees_now = not scope.sees_all and not self.reporters.isdisjoint(scope.registrations)
        return sees_now and self.first not in scope.registrations


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert, the rules that raised it, the owners of its company, and what one publication brought to it."""

    alert: Alert
    sequence: int
    rules: Sequence[AlertRule]
    owners: set[str]
    changes: frozenset[uuid.UUID] = frozenset()
    # Shared by alerts about the same change; None for one that stands alone.
    event: uuid.UUID | None = None
    # Told once more, to who did not see it when it was raised.
    later: Later | None = None
    # Told once more because it got worse, by this change.
    worse_by: uuid.UUID | None = None


# What each channel gets of an event.
Share = tuple[Channel, list[Raised]]


def events_of(alerts: Mapping[uuid.UUID, Collection[uuid.UUID]]) -> dict[uuid.UUID, uuid.UUID]:
    """For alerts, given with their changes: the least alert among those that share changes, directly or by others."""
    events = {alert: alert for alert in alerts}
    by_change: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for alert, changes in alerts.items():
        for change in changes:
            by_change[change].append(alert)
    is_settled = False
    while not is_settled:
        is_settled = True
        for sharing in by_change.values():
            least = min(events[alert] for alert in sharing)
            is_settled &= all(events[alert] == least for alert in sharing)
            events.update(dict.fromkeys(sharing, least))
    return events


def heaviest_first(alerts: Iterable[Raised]) -> list[Raised]:
    return sorted(alerts, key=lambda one: (-one.alert.severity, -len(one.changes), one.alert.pk))


class Addresses:
    """Where channels lead, read once: to addresses that several of them share, only one sends."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        found = list(channels)
        # One channel doubles nothing, and its address is not decrypted.
        self.of = {channel.pk: _addresses(channel) for channel in found} if len(found) > 1 else {}
        uses = Counter(address for addresses in self.of.values() for address in addresses)
        sharing = [channel for channel in found if any(uses[one] > 1 for one in self.of.get(channel.pk, ()))]
        # Where nothing is refused, and where whoever reads gets it now.
        self.open = {row.pk for row in sharing if not why_refused(row)}
        self.reliable = {row.pk for row in sharing if row.pk in self.open and not _unconfirmed(row)}

    def without_doubles(self, shares: Sequence[Share]) -> list[Share]:
        """A channel is left out where another one that delivers says the same to all of its addresses; it says more
        where both have the same addresses."""
        kept: list[Share] = []
        for channel, alerts in sorted(shares, key=lambda share: self._rank(share[0])):
            if not any(self._takes_over(other, theirs, channel, alerts) for other, theirs in kept):
                kept.append((channel, list(alerts)))
        return kept

    def _rank(self, channel: Channel) -> tuple[bool, int, uuid.UUID]:
        return channel.pk not in self.reliable, -len(self.of.get(channel.pk, ())), channel.pk

    def _takes_over(self, other: Channel, theirs: list[Raised], channel: Channel, alerts: Sequence[Raised]) -> bool:
        ours, all_of_theirs = self.of.get(channel.pk, frozenset()), self.of.get(other.pk, frozenset())
        # Two that wait for the same address are alike.
        can_deliver = other.pk in self.reliable or (other.pk in self.open and ours == all_of_theirs)
        if not ours or not can_deliver or not ours <= all_of_theirs:
            return False
        known = {one.alert.pk for one in theirs}
        more = [one for one in alerts if one.alert.pk not in known]
        if more and ours != all_of_theirs:
            return False
        theirs += more
        return True


def _unconfirmed(channel: Channel) -> list[str]:
    return unconfirmed(mail_addresses(address_of(channel)), channel.person)


def _addresses(channel: Channel) -> frozenset[str]:
    address = address_of(channel).strip()
    several = mail_addresses(address)
    return frozenset(one.casefold() for one in several) if several else frozenset([address] if address else [])
