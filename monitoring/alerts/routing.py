"""Who is notified of an alert, and when: messages for those who get it at once, entries of digests for the others."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.utils import timezone

from core.db import insert_new
from core.models import Notice
from core.visibility import visible_to
from monitoring.alerts.events import Addresses, Raised, Share, heaviest_first
from monitoring.alerts.reach import open_channels, people_of
from monitoring.models import (
    Alert,
    AlertKind,
    AlertRule,
    Change,
    Channel,
    DigestItem,
    Frequency,
    OutboxMessage,
    RuleChannel,
    TargetKind,
    content_key,
)
from monitoring.outbox.addresses import channel_of_mail, channel_of_person
from monitoring.outbox.queue import enqueue
from monitoring.outbox.visibility import alerts_for, scope_of_channel
from portfolio.companies.owners import is_mail, user_of

# A summary waits for what comes in the next minutes.
SUMMARY_DELAY = timedelta(minutes=5)
NOTICES_FROM = timedelta(days=2)
MOST_NOTICES = 500
# An event, in the publication that brought it.
EventAt = tuple[uuid.UUID, int]


def notify(raised: Sequence[Raised]) -> int:
    """Put into the queue and into digests what people should hear of; the same again adds nothing."""
    if not raised:
        return 0
    listening = channels_of_rules({rule.pk: rule for one in raised for rule in one.rules})
    everything = [channel for channel in open_channels() if channel.all_rules]
    at_once: dict[EventAt, list[Share]] = {}
    entries: list[DigestItem] = []
    permitted = Permitted(raised)
    for event, alerts in _by_event(raised).items():
        for channel, theirs in _shares(alerts, listening, everything, permitted):
            if channel.frequency != Frequency.AT_ONCE:
                entries += [digest_item(channel, one.alert, one.sequence) for one in theirs]
            elif fresh := [one for one in theirs if not one.alert.is_late]:
                at_once.setdefault(event, []).append((channel, fresh))
    insert_new(DigestItem, entries)
    return len(enqueue(_messages(at_once)))


class Permitted:
    """Of the alerts, those that may be sent to a channel: looked up once for each channel."""

    def __init__(self, raised: Sequence[Raised]) -> None:
        self._alerts = {one.alert.pk for one in raised}
        self._found: dict[uuid.UUID, Container[uuid.UUID]] = {}

    def has(self, channel: Channel, one: Raised) -> bool:
        if one.later and not one.later.is_news_to(scope_of_channel(channel)):
            return False
        if channel.pk not in self._found:
            self._found[channel.pk] = self._permitted(channel)
        return one.alert.pk in self._found[channel.pk] and _may_see_why(channel, one)

    def _permitted(self, channel: Channel) -> Container[uuid.UUID]:
        return self._alerts if scope_of_channel(channel).sees_all else alerts_for(channel, self._alerts)


def _may_see_why(channel: Channel, one: Raised) -> bool:
    """That an alert got worse may be reported by a registration of others."""
    scope = scope_of_channel(channel)
    if one.worse_by is None or scope.sees_all:
        return True
    return visible_to(scope, Change.objects.filter(pk=one.worse_by)).exists()


def _by_event(raised: Iterable[Raised]) -> dict[EventAt, list[Raised]]:
    found: dict[EventAt, list[Raised]] = defaultdict(list)
    for one in raised:
        found[one.event or one.alert.pk, one.sequence].append(one)
    return found


def _shares(
    alerts: Iterable[Raised],
    listening: dict[uuid.UUID, list[Channel]],
    everything: Sequence[Channel],
    permitted: Permitted,
) -> list[Share]:
    """Each channel with what it takes of an event."""
    found: dict[uuid.UUID, Share] = {}
    for one in alerts:
        for channel in _channels(one, listening, everything):
            if not permitted.has(channel, one):
                continue
            found.setdefault(channel.pk, (channel, []))[1].append(one)
    return list(found.values())


def _messages(shares: dict[EventAt, list[Share]]) -> Iterator[OutboxMessage]:
    addresses = Addresses({channel.pk: channel for event in shares.values() for channel, _ in event}.values())
    now = timezone.now()
    for (event, sequence), its in shares.items():
        for channel, alerts in addresses.without_doubles(its):
            yield message(channel, event, heaviest_first(alerts), sequence, now)


def channels_of_rules(rules: Mapping[uuid.UUID, AlertRule]) -> dict[uuid.UUID, list[Channel]]:
    """The channels that each rule names, and those of the users whom it notifies."""
    links = list(RuleChannel.objects.filter(rule__in=list(rules)).values_list("rule_id", "channel_id"))
    rows = Channel.objects.select_related("person")
    channels = rows.in_bulk(list({channel for _, channel in links})) if links else {}
    found: dict[uuid.UUID, list[Channel]] = {}
    for rule, channel in links:
        found.setdefault(rule, []).append(channels[channel])
    for rule, people in people_of(rules.values()).items():
        found.setdefault(rule, []).extend(channel for person in people for channel in channels_of_person(person))
    return found


def _channels(
    one: Raised, listening: dict[uuid.UUID, list[Channel]], everything: Sequence[Channel]
) -> Iterator[Channel]:
    found = {channel.pk: channel for rule in one.rules for channel in listening.get(rule.pk, [])}
    found |= {channel.pk: channel for channel in everything}
    if any(rule.notify_owner for rule in one.rules):
        found |= {channel.pk: channel for owner in sorted(one.owners) for channel in channels_of_owner(owner)}
    if one.worse_by and one.alert.assignee:
        found |= {channel.pk: channel for channel in channels_of_person(one.alert.assignee)}
    for channel in found.values():
        if channel.is_open and one.alert.severity >= channel.min_severity:
            yield channel


def channels_of_owner(owner: str) -> list[Channel]:
    """A person by user name or mail address; or a mail address that belongs to nobody here."""
    if person := user_of(owner):
        return channels_of_person(person)
    return [channel_of_mail(owner)] if is_mail(owner) else []


def channels_of_person(person: Any) -> list[Channel]:
    """A person's own channels; where there are none, their mail address."""
    own = list(Channel.objects.filter(person=person).order_by("id"))
    return own or ([channel_of_person(person)] if person.email else [])


def open_channels_of(person: Any) -> list[Channel]:
    """Where a person can be reached."""
    return [channel for channel in channels_of_person(person) if channel.is_open]


def message(channel: Channel, key: uuid.UUID, alerts: Sequence[Raised], sequence: int, now: datetime) -> OutboxMessage:
    """About what a publication brought to the alerts of an event; of a summary there is one only, a little later."""
    first = alerts[0].alert
    is_summary = first.kind != AlertKind.CHANGE
    event = f"alert:{key}" if is_summary else f"alert:{key}:{sequence}"
    at = now + SUMMARY_DELAY if is_summary else now
    told: dict[str, Any] = {"alert": str(first.pk), "sequence": None if is_summary else sequence}
    if len(alerts) > 1:
        told["others"] = [str(one.alert.pk) for one in alerts[1:]]
    if worse := sorted({str(one.worse_by) for one in alerts if one.worse_by}):
        told["worse"] = worse
    return OutboxMessage(
        id=OutboxMessage.key(channel.pk, event),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=event,
        event_type="alert.raised",
        company=first.company_id or "",
        sequence=sequence,
        payload=json.dumps(told),
        next_try_at=min(after_quiet_hours(one.rules[0], at) for one in alerts),
        created_at=now,
    )


class WithQuietHours(Protocol):
    """A rule, or a user's preferences."""

    @property
    def quiet_from(self) -> time | None: ...
    @property
    def quiet_until(self) -> time | None: ...
    @property
    def quiet_zone(self) -> str: ...


def after_quiet_hours(rule: WithQuietHours, moment: datetime) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    if rule.quiet_from is None or rule.quiet_until is None:
        return moment
    local = moment.astimezone(ZoneInfo(rule.quiet_zone))
    if not _is_between(local.time(), rule.quiet_from, rule.quiet_until):
        return moment
    end = datetime.combine(local.date(), rule.quiet_until, local.tzinfo)
    return end if end > local else datetime.combine(local.date() + timedelta(days=1), rule.quiet_until, local.tzinfo)


def _is_between(now: time, start: time, end: time) -> bool:
    return start <= now < end if start < end else now >= start or now < end


def digest_item(channel: Channel, alert: Alert, sequence: int) -> DigestItem:
    parts = (channel.pk, alert.pk) if alert.kind != AlertKind.CHANGE else (channel.pk, alert.pk, sequence)
    key = content_key("digest item", *parts)
    return DigestItem(id=key, channel_id=channel.pk, alert_id=alert.pk, created_at=timezone.now())


def send_notices() -> int:
    """What people should know about the portfolio, to the channels that take it; returns how many messages are new."""
    now = timezone.now()
    # The newest: however much was told before them, what is new is among them.
    rows = Notice.objects.filter(created_at__gte=now - NOTICES_FROM).order_by("-created_at")
    notices = list(rows[:MOST_NOTICES])[::-1]
    if not notices:
        return 0
    rows_of_channels = Channel.objects.filter(notices=True, active=True, unsubscribed_at=None)
    channels = list(rows_of_channels.select_related("person").order_by("id"))
    at_once = [channel for channel in channels if channel.frequency == Frequency.AT_ONCE]
    digested = [channel for channel in channels if channel.frequency != Frequency.AT_ONCE]
    insert_new(DigestItem, [_notice_item(channel, notice) for channel, notice in _due(digested, notices)])
    return len(enqueue([_notice_message(channel, notice, now) for channel, notice in _due(at_once, notices)]))


def _due(channels: Iterable[Channel], notices: Sequence[Notice]) -> Iterator[tuple[Channel, Notice]]:
    """Whoever begins to listen hears what comes from then on, as far as they may."""
    for channel in channels:
        for notice in _visible_notices(channel, notices):
            if channel.created_at is None or notice.created_at >= channel.created_at:
                yield channel, notice


def _visible_notices(channel: Channel, notices: Sequence[Notice]) -> Sequence[Notice]:
    scope = scope_of_channel(channel)
    if scope.sees_all:
        return notices
    rows = visible_to(scope, Notice.objects.filter(pk__in=[notice.pk for notice in notices]))
    visible = set(rows.values_list("pk", flat=True))
    return [notice for notice in notices if notice.pk in visible]


def _notice_item(channel: Channel, notice: Notice) -> DigestItem:
    key = content_key("digest item", channel.pk, "notice", notice.pk)
    return DigestItem(id=key, channel_id=channel.pk, notice=notice.pk, created_at=timezone.now())


def _notice_message(channel: Channel, notice: Notice, now: datetime) -> OutboxMessage:
    event = f"notice:{notice.pk}"
    return OutboxMessage(
        id=OutboxMessage.key(channel.pk, event),
        kind=TargetKind.CHANNEL,
        target=channel.pk,
        event=event,
        event_type="notice",
        payload=json.dumps({"notice": str(notice.pk)}),
        next_try_at=now,
        created_at=now,
    )
