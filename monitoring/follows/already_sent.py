"""What alerts have brought to a user already, by a rule, as an owner or by assignment: it is not sent again."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.db import in_batches
from monitoring.follows.matches import Found
from monitoring.models import (
    Alert,
    AlertItem,
    Channel,
    DigestItem,
    Frequency,
    MessageState,
    OutboxMessage,
    PersonalEvent,
    content_key,
)
from monitoring.outbox.addresses import address_of, mail_addresses
from monitoring.outbox.permitted_addresses import unconfirmed, why_refused

OF_ALERTS = ("alert.raised", "alert.assigned")
UNDELIVERED = (MessageState.DEAD, MessageState.CANCELLED)
# Longer than a weekly digest waits for what was taken out of it.
TAKEN_WITHIN = timedelta(days=14)
WORSE = ("pk", "worse_at", "worse_by")
# An alert, and the publication that brought facts to it.
At = tuple[uuid.UUID, int]
Channels = Mapping[uuid.UUID, Collection[Channel]]


def without_sent(found: Collection[Found], people: Collection[Any], since: datetime) -> list[Found]:
    """Of what publications bring: what no alert's message, and no digest, brings to the same user. What is followed
    immediately does not wait for a digest: the digest leaves it out."""
    channels = channels_of(people)
    sent = sent_by_alerts(channels, since)
    left = [one for one in found if one.change not in sent.get(one.person, ())]
    return list(_without_digested(left, channels))


def channels_of(people: Collection[Any]) -> dict[uuid.UUID, list[Channel]]:
    """Those by which each of them gets messages of alerts: their own, and shared ones that lead to their address."""
    keys = {person.pk: person for person in people}
    addresses = {person.email.casefold(): person.pk for person in people if person.email}
    found: dict[uuid.UUID, list[Channel]] = defaultdict(list)
    for channel in Channel.objects.filter(Q(person=None) | Q(person__in=list(keys))):
        if channel.person_id:
            found[channel.person_id].append(channel)
        elif channel.is_open and any(one in channel.display_address.casefold() for one in addresses):
            for address in _agreed(channel) & addresses.keys():
                found[addresses[address]].append(channel)
    return found


def _agreed(channel: Channel) -> set[str]:
    """The addresses of a shared channel that get its messages: nothing refuses them, and their holders have agreed."""
    if why_refused(channel):
        return set()
    addresses = mail_addresses(address_of(channel))
    return {one.casefold() for one in set(addresses) - set(unconfirmed(addresses, None))}


def sent_by_alerts(channels: Channels, since: datetime) -> dict[uuid.UUID, set[uuid.UUID]]:
    """By user, the changes that messages about alerts carry, from a moment on."""
    people = _people_by_channel(channels)
    rows = OutboxMessage.objects.filter(target__in=list(people), created_at__gte=since, event_type__in=OF_ALERTS)
    alerts: dict[tuple[uuid.UUID, int | None], set[uuid.UUID]] = defaultdict(set)
    worse: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for target, text in rows.exclude(state__in=UNDELIVERED).values_list("target", "payload"):
        payload = json.loads(text)
        for at in _alerts_in(payload):
            alerts[at] |= people[target]
        for person in people[target]:
            worse[person].update(uuid.UUID(change) for change in payload.get("worse", ()))
    return _changes_by_person(alerts, worse)


def _people_by_channel(channels: Channels) -> dict[uuid.UUID, set[uuid.UUID]]:
    people: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for person, its in channels.items():
        for channel in its:
            people[channel.pk].add(person)
    return people


def _alerts_in(payload: dict[str, Any]) -> Iterator[tuple[uuid.UUID, int | None]]:
    """Summaries of many alerts name few of their changes, so they replace no message."""
    if "assigned" in payload:
        yield uuid.UUID(payload["assigned"]), None
    elif payload.get("sequence") is not None:
        for key in (payload["alert"], *payload.get("others", ())):
            yield uuid.UUID(key), int(payload["sequence"])


def _changes_by_person(
    alerts: Mapping[tuple[uuid.UUID, int | None], set[uuid.UUID]], worse: Mapping[uuid.UUID, set[uuid.UUID]]
) -> dict[uuid.UUID, set[uuid.UUID]]:
    """What the alerts contain, and what they got worse by."""
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set, worse)
    for keys in in_batches(sorted({alert for alert, _ in alerts})):
        rows = AlertItem.objects.filter(alert__in=keys).values_list("alert_id", "sequence", "change")
        for alert, sequence, change in rows:
            for person in alerts.get((alert, sequence), set()) | alerts.get((alert, None), set()):
                found[person].add(change)
    return found


# Digests of channels


def _without_digested(found: Collection[Found], channels: Channels) -> Iterator[Found]:
    by_person: dict[uuid.UUID, dict[uuid.UUID, Found]] = defaultdict(dict)
    for one in found:
        by_person[one.person][one.change] = one
    digesting = {
        person: [channel for channel in channels.get(person, ()) if channel.frequency != Frequency.AT_ONCE]
        for person in by_person
    }
    entries = _entries_of([one for one in found if digesting[one.person]])
    for person, its in by_person.items():
        yield from _apart_from_digests(its, digesting[person], entries) if digesting[person] else its.values()


def _entries_of(found: Collection[Found]) -> dict[At, dict[uuid.UUID, AlertItem | Found]]:
    """What an entry of a digest says, for those that say one of these changes."""
    changes, companies = {one.change: one for one in found}, {one.company for one in found}
    alerts = _alerts_of(changes.keys(), companies)
    entries: dict[At, dict[uuid.UUID, AlertItem | Found]] = defaultdict(dict)
    for key, sequence, change in _worse_of(changes.keys(), companies):
        entries[key, sequence][change] = changes[change]
    for keys in in_batches(sorted({alert for alert, _ in alerts})):
        for item in AlertItem.objects.filter(alert__in=keys):
            if (item.alert_id, item.sequence) in alerts:
                entries[item.alert_id, item.sequence][item.change] = item
    return entries


def _apart_from_digests(
    its: dict[uuid.UUID, Found],
    channels: Collection[Channel],
    entries: Mapping[At, Mapping[uuid.UUID, AlertItem | Found]],
) -> Collection[Found]:
    """One user's: what a digest brings is left to it, but for what is followed immediately, with all that the entry
    says."""
    left = dict(its)
    at_of = {
        _entry_key(channel.pk, at): (at, channel)
        for channel in channels
        for at, items in entries.items()
        if items.keys() & its.keys()
    }
    for key, digest in DigestItem.objects.filter(pk__in=list(at_of)).values_list("pk", "digest") if at_of else ():
        at, channel = at_of[key]
        urgent = {change: its[change] for change in entries[at] if _is_urgent(its.get(change))}
        if urgent and channel.person_id and _is_ours(key, digest):
            first = next(iter(urgent.values()))
            left |= {change: _as(first, item) for change, item in entries[at].items()}
        else:
            # Others read a shared channel too: its digest keeps the entry.
            kept = urgent if digest is None and not channel.person_id else {}
            left = {change: one for change, one in left.items() if change in kept or change not in entries[at]}
    return left.values()


def _entry_key(channel: uuid.UUID, at: At) -> uuid.UUID:
    return content_key("digest item", channel, *at)


def _is_urgent(one: Found | None) -> bool:
    return one is not None and one.frequency == Frequency.AT_ONCE


def _is_ours(entry: uuid.UUID, digest: uuid.UUID | None) -> bool:
    """Taken out of the digest, now or before a process was killed; not if the digest has it."""
    mark = _mark_of(entry)
    return digest == mark or bool(DigestItem.objects.filter(pk=entry, digest=None).update(digest=mark))


def _mark_of(entry: uuid.UUID) -> uuid.UUID:
    """In the place of a digest: the entry is in a message of its user instead."""
    return content_key("sent to a follower", entry)


def give_back_undelivered() -> int:
    """Before digests are made: they bring what was taken out for a message that was not delivered. Returns how many
    entries that were."""
    due = Channel.objects.filter(next_digest_at__lte=timezone.now()).exclude(person=None).select_related("person")
    channels: dict[uuid.UUID, list[Channel]] = defaultdict(list)
    for channel in due:
        if channel.person_id:
            channels[channel.person_id].append(channel)
    return sum(_give_back(its[0].person, its) for its in channels.values())


def _give_back(person: Any, digesting: Collection[Channel]) -> int:
    since = timezone.now() - TAKEN_WITHIN
    lost = OutboxMessage.objects.filter(target=person.pk, state__in=UNDELIVERED, created_at__gte=since)
    events = list(lost.values_list("event", flat=True))
    rows = list(PersonalEvent.objects.filter(person=person.pk, event__in=events)) if events else []
    sent = sent_by_alerts(channels_of([person]), since).get(person.pk, set()) if rows else set()
    alerts = _alerts_of({row.change for row in rows} - sent, {row.company for row in rows})
    keys = {_entry_key(channel.pk, at) for at in alerts for channel in digesting}
    taken = DigestItem.objects.filter(pk__in=list(keys)).exclude(digest=None) if keys else ()
    ours = [row for row in taken if row.digest == _mark_of(row.pk)]
    return sum(DigestItem.objects.filter(pk=row.pk, digest=row.digest).update(digest=None) for row in ours)


def _alerts_of(changes: Collection[uuid.UUID], companies: Collection[str]) -> set[At]:
    alerts: set[At] = set()
    for keys in in_batches(sorted(changes)):
        rows = AlertItem.objects.filter(company__in=companies, change__in=keys)
        alerts.update(rows.values_list("alert_id", "sequence"))
    alerts.update((key, sequence) for key, sequence, _ in _worse_of(changes, companies))
    return alerts


def _worse_of(changes: Collection[uuid.UUID], companies: Collection[str]) -> Iterator[tuple[uuid.UUID, int, uuid.UUID]]:
    """The alerts that got worse by them."""
    for keys in in_batches(sorted(changes)):
        rows = Alert.objects.filter(company__in=companies, worse_by__in=keys)
        yield from ((key, sequence, change) for key, sequence, change in rows.values_list(*WORSE) if change)


def _as(one: Found, item: AlertItem | Found) -> Found:
    return replace(one, change=item.change, company=item.company, severity=item.severity)
