"""Whom alerts reach: which channels take the alerts of which rules, and which rules notify nobody."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from core.cached_counts import Numbers, counter, update_counts
from core.outbound.mail_server import has_mail_server
from monitoring.alerts.rules import split
from monitoring.models import AlertRule, Channel, RuleChannel, Severity
from monitoring.outbox.permitted_addresses import unconfirmed_addresses, why_refused, without_server
from portfolio.companies.owners import users_of
from portfolio.models import Subject

VIEW = "monitoring.view_alert"
OPEN = Q(active=True, unsubscribed_at=None)


def open_channels() -> list[Channel]:
    """Those that anything is sent to."""
    rows = Channel.objects.filter(OPEN).select_related("person").order_by("name", "id")
    return [channel for channel in rows if not why_refused(channel)]


@dataclass(frozen=True, slots=True)
class Reach:
    """The rules that are switched on, the channels that are open, and which rule names which channel."""

    rules: Collection[AlertRule]
    channels: Collection[Channel]
    links: Collection[tuple[uuid.UUID, uuid.UUID]]
    # Channels by which nobody gets anything before somebody at these addresses has said yes.
    asked: Mapping[uuid.UUID, list[str]]
    # Channels that send emails while no email server is set up.
    muted: Collection[uuid.UUID] = frozenset()

    @classmethod
    def read(cls) -> Reach:
        rules = list(AlertRule.objects.filter(active=True).order_by("-severity", "name"))
        channels, links = open_channels(), set(RuleChannel.objects.values_list("rule_id", "channel_id"))
        return cls(rules, channels, links, unconfirmed_addresses(channels), without_server(channels))

    def channels_of(self, rule: AlertRule) -> list[Channel]:
        """Those by which somebody gets the rule's alerts."""
        return [channel for channel in self.channels if self.takes(channel, rule) and self.can_deliver(channel)]

    def waiting_of(self, rule: AlertRule) -> list[Channel]:
        """Those that take the rule's alerts, and by which nobody gets them yet."""
        return [channel for channel in self.channels if self.takes(channel, rule) and not self.can_deliver(channel)]

    def can_deliver(self, channel: Channel) -> bool:
        return channel.pk not in self.asked and channel.pk not in self.muted

    def rules_of(self, channel: Channel) -> list[AlertRule]:
        """The rules whose alerts the channel takes."""
        return [rule for rule in self.rules if self.takes(channel, rule)]

    def has_way_to(self, person: Any) -> bool:
        """Whether messages reach a user; their own channels take the place of their email address."""
        own = [channel for channel in self.channels if channel.person_id == person.pk]
        if own:
            return any(map(self.can_deliver, own))
        return bool(person.email) and has_mail_server()

    def takes(self, channel: Channel, rule: AlertRule) -> bool:
        is_named = channel.all_rules or (rule.pk, channel.pk) in self.links
        return is_named and rule.severity >= channel.min_severity

    def below_severity(self, rule: AlertRule) -> list[Channel]:
        """Channels ticked in the rule that take only alerts of a higher severity than it raises."""
        ticked = [channel for channel in self.channels if (rule.pk, channel.pk) in self.links]
        return [channel for channel in ticked if rule.severity < channel.min_severity]


def people_of(rules: Iterable[AlertRule]) -> dict[uuid.UUID, list[Any]]:
    """The users whom each rule notifies, of those who may view alerts; one query, none where no rule names a user."""
    names = {rule.pk: split(rule.notify_users) for rule in rules if rule.notify_users}
    people = users_of({name for its in names.values() for name in its}) if names else {}
    viewers = {name: person for name, person in people.items() if person.has_perm(VIEW)}
    return {key: [viewers[name] for name in its if name in viewers] for key, its in names.items()}


@counter
def unnotified() -> Numbers:
    """Rules of high and critical severity whose alerts would notify nobody: no channel takes them, nor has every
    company an owner. Without an email server, email reaches neither users nor owners."""
    reach = Reach.read()
    rules = [rule for rule in reach.rules if rule.severity >= Severity.HIGH and not reach.channels_of(rule)]
    people = people_of(rules)
    rules = [rule for rule in rules if not any(map(reach.has_way_to, people.get(rule.pk, ())))]
    if has_mail_server() and any(rule.notify_owner for rule in rules) and is_all_owned():
        rules = [rule for rule in rules if not rule.notify_owner]
    muted = [channel.name for channel in reach.channels if channel.pk in reach.muted]
    waiting = [row.name for row in reach.channels if row.pk in reach.asked and row.pk not in reach.muted]
    return {
        "rules": [rule.name for rule in rules],
        "channels": len(reach.channels),
        # What remains to be selected once the channels that wait deliver.
        "open": sum(not reach.waiting_of(rule) for rule in rules),
        **{"waiting": waiting, "muted": muted},
        "refused": Channel.objects.filter(OPEN).count() - len(reach.channels),
    }


def is_all_owned() -> bool:
    """Whether every company that is requested has somebody who looks after it."""
    requested = Subject.objects.filter(requested=True)
    return requested.exists() and not requested.filter(owner="").exists()


def count_unnotified() -> None:
    """Who notifies whom has changed: the front page says it at once."""
    update_counts("unnotified")
