"""Settle which changes of a company hold, after what a delivery brought: written as verdicts, and as feed entries.

Any process may do it at any time: it works from what is there, and whoever writes looks again afterwards until nothing
is left to write. So of several that insert at once, the last sees all.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from core.bulk import distinct_digits, distinct_values
from core.db import in_batches, insert_new
from monitoring.audiences import stamp
from monitoring.company_sources import several_sources
from monitoring.content_ids import moment_of, observation_id
from monitoring.history.facts import FAMILIES, LifecycleEvent, Verdict, judge, judge_lifecycle
from monitoring.history.window import AT_ONCE, FIELDS, MARGIN, Span, pasts, spans, verdict_of
from monitoring.models import (
    Change,
    Delivery,
    Entry,
    Kind,
    Notification,
    NotificationType,
    Observation,
    Publication,
    Source,
    Verb,
)
from monitoring.story_order import SOURCE, story_key

NOTICES = (
    *(NotificationType.DELETE, NotificationType.UNDELETE, NotificationType.TRANSFER),
    *(NotificationType.UNDER_REVIEW, NotificationType.REVIEWED),
)
# The delivery that flips are published with, made by the first who needs it.
EntryDelivery = Callable[[], Delivery]
Judged = tuple[Change, Verdict]


@dataclass(slots=True)
class Touched:
    """What a delivery touched: each company's earliest change, and those to which something happened as a whole."""

    since: dict[str, datetime] = field(default_factory=dict)
    lifecycle: set[str] = field(default_factory=set)
    # Each company's last change, where nothing but what UPDATEs say has come.
    until: dict[str, datetime] = field(default_factory=dict)
    # Each company's earliest notice.
    notices: dict[str, datetime] = field(default_factory=dict)

    def add(self, duns: str, kind: str, moment: datetime, *, is_update: bool = False) -> None:
        if kind == Kind.ELEMENT:
            if is_update and (duns in self.until or duns not in self.since):
                self.until[duns] = max(moment, self.until.get(duns, moment))
            elif not is_update:
                self.until.pop(duns, None)
            self.since[duns] = min(moment, self.since.get(duns, moment))
        else:
            self.notices[duns] = min(moment, self.notices.get(duns, moment))
        if kind in FAMILIES:
            self.lifecycle.add(duns)

    def earliest(self) -> dict[str, datetime]:
        """Of each company, whatever happened."""
        both = self.since.keys() & self.notices.keys()
        return {**self.since, **self.notices, **{duns: min(self.since[duns], self.notices[duns]) for duns in both}}

    def join(self, other: Touched) -> None:
        for duns, moment in other.since.items():
            if duns in other.until:
                self.add(duns, Kind.ELEMENT, other.until[duns], is_update=True)
            self.add(duns, Kind.ELEMENT, moment, is_update=duns in other.until)
        self.lifecycle |= other.lifecycle


@dataclass(slots=True)
class Settled:
    """What was written."""

    companies: set[str] = field(default_factory=set)
    verbs: Counter[str] = field(default_factory=Counter)


def settle(
    touched: Touched, own: Collection[uuid.UUID] | None, entries: EntryDelivery, *, in_place: bool = False
) -> Settled:
    """Settle what was touched. `own` are deliveries that are not published: their changes that do not hold never are.
    With `in_place`, a change that holds for the first time counts as published where it stands: it takes over from one
    that is gone, and is not new to anybody."""
    result = Settled()
    writer = _Writer(own or (), entries, result, in_place)
    # Read once, after what was touched is there: of any other company, all changes are facts. A source that comes later
    # is settled by whoever brings it.
    several = set(several_sources(touched.since))
    for waiting in spans(touched.since, touched.until):
        span: Span | None = replace(waiting, companies=[duns for duns in waiting.companies if duns in several])
        while span and (companies := _unsettled(span)):
            with transaction.atomic():
                span = _settle(replace(span, companies=companies), writer)
    for batch in in_batches(sorted(touched.lifecycle), AT_ONCE):
        companies = list(batch)
        while companies:
            with transaction.atomic():
                companies = _settle_lifecycle(companies, writer)
    return result


def _settle(span: Span, writer: _Writer) -> Span | None:
    """What is left to look at: whoever writes looks again, and at what that bears on."""
    different: list[Judged] = []
    for past in pasts(span):
        verdicts = judge(past.elements, past.known, past.first)
        different += _different((row for row in past.rows if row.pk not in past.known), verdicts)
    writer.write(different)
    if not different:
        return None
    until = max([span.until, *(row.changed_at for row, _ in different)]) if span.until else None
    return Span(sorted({row.company_id for row, _ in different}), span.since, until)


def _unsettled(span: Span) -> list[str]:
    """Those of which two sources report near these changes, or that have a difference of two documents or a change that
    does not hold: any other's changes are all facts."""
    if not span.companies:
        return []
    near: dict[str, Any] = {"company__in": span.companies, "changed_at__gte": span.since - MARGIN}
    if span.until:
        near["changed_at__lte"] = span.until + MARGIN
    sources = Counter(duns for duns, _ in distinct_digits(Change, "company_id", "place", SOURCE, **near))
    found: set[str] = set()
    for condition in ({"superseded": True}, {"derived_from__gt": ""}):
        found |= distinct_values(Change, "company_id", **span.conditions(), **condition)
    return [duns for duns in span.companies if duns in found or sources[duns] > 1]


def _different(rows: Iterable[Change], verdicts: Mapping[uuid.UUID, Verdict]) -> list[Judged]:
    return [(row, verdicts[row.pk]) for row in rows if verdict_of(row) != verdicts[row.pk]]


def _settle_lifecycle(companies: Sequence[str], writer: _Writer) -> list[str]:
    """The companies of which something was written. Notices are found by their type: they are few."""
    notices = Notification.objects.filter(company__in=companies, type__in=NOTICES).values_list("pk", flat=True)
    events: dict[str, list[Change]] = defaultdict(list)
    for keys in in_batches(list(notices)):
        rows = Change.objects.filter(notification__in=keys, kind__in=list(FAMILIES))
        for row in rows.only(*FIELDS, "current"):
            events[row.company_id].append(row)
    different = [pair for rows in events.values() for pair in _different(rows, judge_lifecycle(map(_event, rows)))]
    writer.write(different)
    return sorted({row.company_id for row, _ in different})


def _event(row: Change) -> LifecycleEvent:
    return LifecycleEvent(row.pk, story_key(row), row.kind, row.current)


def _verb(verdict: Verdict) -> Verb:
    return Verb.REINSTATED if verdict.live else Verb.REPLACED if verdict.replaced_by else Verb.WITHDRAWN


class _Reports:
    """Which registrations report facts in the feed already: entries by change and registration."""

    def __init__(self, facts: Iterable[uuid.UUID]) -> None:
        self.entries: dict[tuple[uuid.UUID, uuid.UUID], set[uuid.UUID]] = defaultdict(set)
        for keys in in_batches(sorted(set(facts))):
            own = Change.objects.filter(pk__in=keys).values_list("pk", "registration_id", "pk")
            reports = Observation.objects.filter(change__in=keys, is_first=True)
            same = Change.objects.filter(replaced_by__in=keys, entry=Entry.OBSERVATION)
            self._add(own)
            self._add(reports.values_list("change_id", "registration_id", "pk"))
            self._add(same.values_list("replaced_by", "registration_id", "pk"))

    def _add(self, entries: Iterable[tuple[Any, ...]]) -> None:
        for fact, registration, entry in entries:
            self.entries[fact, registration].add(entry)

    def entry_of(self, row: Change, verdict: Verdict) -> Entry:
        """What a change that never held is to its registration's readers: the first report of the fact, or nothing."""
        if verdict.replaced_by is None:
            return Entry.NONE
        entries = self.entries[verdict.replaced_by, row.registration_id]
        if entries - {row.pk}:
            return Entry.NONE
        entries.add(row.pk)
        return Entry.OBSERVATION


@dataclass(slots=True)
class _Writer:
    """Writes verdicts by compare-and-swap; the feed gets an entry for each change that was published before."""

    own: Collection[uuid.UUID]
    entries: EntryDelivery
    result: Settled
    in_place: bool = False

    def write(self, different: Sequence[Judged]) -> None:
        own = [verdict.replaced_by for row, verdict in different if row.delivery_id in self.own]
        reports = _Reports(key for key in own if key)
        for row, verdict in different:
            self._flip(row, verdict, reports)
            self.result.companies.add(row.company_id)
            self.result.verbs[_verb(verdict)] += 1
        stamp(key for row, verdict in different for key in {row.replaced_by, verdict.replaced_by} if key)

    def _flip(self, row: Change, verdict: Verdict, reports: _Reports) -> None:
        values: dict[str, Any] = {"superseded": not verdict.live, "replaced_by": verdict.replaced_by}
        if row.replaced_by:
            reports.entries[row.replaced_by, row.registration_id].discard(row.pk)
        if row.delivery_id in self.own:
            values["entry"] = Entry.CHANGE if verdict.live else reports.entry_of(row, verdict)
        elif row.entry != Entry.CHANGE and verdict.live:
            # It was never published as a change: its delivery is the one that makes it one.
            values |= {"entry": Entry.CHANGE} | ({} if self.in_place else {"delivery": self.entries()})
        entry = self._publish(row, verdict) if _is_news(row, verdict) and "entry" not in values else None
        unchanged = {name: getattr(row, name) for name in ("superseded", "replaced_by", "entry", "delivery_id")}
        if not Change.objects.filter(pk=row.pk, **unchanged).update(**values):
            _take_back(entry)
            return
        if entry:
            _take_back_others(entry)
        if "delivery" in values:
            # One less in what it leaves, or a later surplus there would pass for it.
            left = Publication.objects.filter(delivery=row.delivery_id, entry_count__gt=0)
            left.update(entry_count=F("entry_count") - 1)

    def _publish(self, row: Change, verdict: Verdict) -> Observation | None:
        """Before it is so: whoever is killed in between finds it still to be done. None where it was published."""
        verb = _verb(verdict)
        if _is_published(row.pk, verb):
            return None
        entry = entry_of(row, verdict, self.entries())
        return entry if insert_new(Observation, [entry]) else None


def entry_of(row: Change, verdict: Verdict, delivery: Delivery) -> Observation:
    """In the feed, of what became of the change."""
    verb, now = _verb(verdict), timezone.now()
    return Observation(
        id=observation_id(moment_of(row.pk), row.pk, verb, delivery.pk.hex, str(verdict.replaced_by or "")),
        change_id=row.pk,
        company_id=row.company_id,
        registration_id=row.registration_id,
        verb=verb,
        delivery_id=delivery.pk,
        observed_at=now,
        recorded_at=now,
    )


def _is_news(row: Change, verdict: Verdict) -> bool:
    """Whether readers know of it otherwise."""
    return row.entry == Entry.CHANGE and row.superseded == verdict.live


def _is_published(change: uuid.UUID, verb: Verb) -> bool:
    """Whether the last entry says it already: by a second reading that was killed before it was so."""
    entries = list(_verbs(change).values_list("delivery", "verb"))
    publications = Publication.objects.filter(delivery__in={delivery for delivery, _ in entries})
    last = publications.order_by("-sequence").values_list("delivery", "delivery__source").first()
    if last is None or last[1] != Source.RETRY:
        return False
    published = set(publications.values_list("delivery", flat=True)) - {last[0]}
    return all(_holds(one) == _holds(verb) for delivery, one in entries if delivery not in published)


def _verbs(change: uuid.UUID) -> QuerySet[Observation]:
    """What became of it, in the feed."""
    return Observation.objects.filter(change=change).exclude(verb=Verb.OBSERVED)


def _holds(verb: str) -> bool:
    return verb == Verb.REINSTATED


def _take_back(entry: Observation | None) -> None:
    """Somebody else was faster: what became of the change is for that one to publish."""
    if entry and not Publication.objects.filter(delivery=entry.delivery_id).exists():
        Observation.objects.filter(pk=entry.pk).delete()


def _take_back_others(entry: Observation) -> None:
    """Of those who were going to publish the same, and were killed, or will find that somebody else was faster."""
    others = list(_verbs(entry.change_id).exclude(delivery=entry.delivery_id))
    published = set(
        Publication.objects.filter(delivery__in={one.delivery_id for one in others}).values_list("delivery", flat=True)
    )
    unpublished = [one for one in others if one.delivery_id not in published]
    if all(_holds(one.verb) == _holds(entry.verb) for one in unpublished):
        Observation.objects.filter(pk__in=[one.pk for one in unpublished]).delete()
