"""Settle which changes of a company hold, after what a delivery brought: written as verdicts, and as feed entries.

Any process may do it at any time: it works from what is there, and whoever writes looks again afterwards until nothing
is left to write. So of several that insert at once, the last sees all.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.db import in_batches, insert_new
from direct_plus.exact_json import parse_json
from monitoring.content_ids import moment_of, observation_id
from monitoring.elements.json_paths import stored_value
from monitoring.history.facts import (
    FAMILIES,
    SAME_WITHIN,
    SEED_MAY_LAG,
    SEED_MAY_LEAD,
    Element,
    FirstDocument,
    LifecycleEvent,
    Verdict,
    judge,
    judge_lifecycle,
    leaves_of,
)
from monitoring.models import Change, Delivery, Entry, Kind, Notification, Observation, Verb
from monitoring.story_order import OF_FILES, notification_key, source_at, source_of, story_key

AT_ONCE = 200
MARGIN = max(SEED_MAY_LAG, SAME_WITHIN) + 2 * SEED_MAY_LEAD
FIELDS = (
    *("id", "company_id", "registration_id", "delivery_id", "kind", "element", "changed_at", "place"),
    *("derived_from", "superseded", "replaced_by", "entry"),
)
# The delivery that flips are published with, made by the first who needs it.
EntryDelivery = Callable[[], Delivery]


@dataclass(slots=True)
class Touched:
    """What a delivery touched: each company's earliest change, and those to which something happened as a whole."""

    since: dict[str, datetime] = field(default_factory=dict)
    lifecycle: set[str] = field(default_factory=set)

    def add(self, duns: str, kind: str, moment: datetime) -> None:
        if kind == Kind.ELEMENT:
            self.since[duns] = min(moment, self.since.get(duns, moment))
        elif kind in FAMILIES:
            self.lifecycle.add(duns)

    def join(self, other: Touched) -> None:
        for duns, moment in other.since.items():
            self.add(duns, Kind.ELEMENT, moment)
        self.lifecycle |= other.lifecycle


@dataclass(slots=True)
class Settled:
    """What was written."""

    companies: set[str] = field(default_factory=set)
    verbs: Counter[str] = field(default_factory=Counter)


def settle(touched: Touched, own: uuid.UUID | None, entries: EntryDelivery, *, in_place: bool = False) -> Settled:
    """Settle what was touched. `own` is a delivery that is not published: its changes that do not hold never are.
    With `in_place`, a change that holds for the first time counts as published where it stands: it takes over from one
    that is gone, and is not new to anybody."""
    result = Settled()
    writer = _Writer(own, entries, result, in_place)
    for batch in in_batches(sorted(touched.since), AT_ONCE):
        waiting = list(batch)
        while waiting:
            with transaction.atomic():
                waiting = [duns for duns in _unsettled(waiting, touched.since) if _settle(duns, touched, writer)]
    for batch in in_batches(sorted(touched.lifecycle), AT_ONCE):
        waiting = list(batch)
        while waiting:
            with transaction.atomic():
                waiting = [duns for duns in waiting if _settle_lifecycle(duns, writer)]
    return result


def _unsettled(companies: Sequence[str], since: Mapping[str, datetime]) -> list[str]:
    """Those of which two sources report, or one by documents, or that have a change which does not hold: any other's
    changes are all facts."""
    start = min(since[duns] for duns in companies) - MARGIN
    rows = Change.objects.filter(company__in=companies, kind=Kind.ELEMENT, changed_at__gte=start)
    sources: dict[str, set[str]] = defaultdict(set)
    compared: set[str] = set()
    columns = ("company_id", "place", "derived_from", "superseded", "changed_at")
    for duns, place, derived_from, superseded, changed_at in rows.values_list(*columns):
        sources[duns].add(source_at(place))
        if (derived_from or superseded) and changed_at >= since[duns] - SEED_MAY_LEAD:
            compared.add(duns)
    return [duns for duns in companies if duns in compared or len(sources[duns]) > 1]


def _settle(duns: str, touched: Touched, writer: _Writer) -> bool:
    """Whether something was written: whoever writes looks again."""
    since = touched.since[duns] - SEED_MAY_LEAD
    rows = _rows(duns, since)
    elements = _elements(duns, rows)
    known = {row.pk: _verdict(row) for row in rows if row.changed_at < since}
    verdicts = judge(elements, known, _first_documents(duns, rows))
    return writer.write([row for row in rows if row.pk not in known], verdicts)


def _rows(duns: str, since: datetime) -> list[Change]:
    """What is judged, and before it all that bears on that."""
    rows = Change.objects.filter(company=duns, kind=Kind.ELEMENT)
    later = rows.filter(changed_at__gte=since).exclude(derived_from="").values_list("derived_from", flat=True)
    pairs = [moment_of(_ids(derived_from)[0]) for derived_from in set(later)]
    start = min([since, *pairs]) - MARGIN
    return sorted(rows.filter(changed_at__gte=start).only(*FIELDS, "previous", "current"), key=story_key)


def _verdict(row: Change) -> Verdict:
    return Verdict(not row.superseded, row.replaced_by)


def _verb(verdict: Verdict) -> Verb:
    return Verb.REINSTATED if verdict.live else Verb.REPLACED if verdict.replaced_by else Verb.WITHDRAWN


def _ids(derived_from: str) -> tuple[uuid.UUID, uuid.UUID]:
    earlier, _, later = derived_from.partition(":")
    return uuid.UUID(earlier), uuid.UUID(later)


def _elements(duns: str, rows: Sequence[Change]) -> list[Element]:
    others: dict[uuid.UUID, set[str]] = defaultdict(set)
    reports = Observation.objects.filter(company=duns, verb=Verb.OBSERVED, change__in=[row.pk for row in rows])
    for key, place in reports.values_list("change_id", "place"):
        others[key].add(source_at(place))
    neighbors = _neighbors(duns, rows)
    return [
        Element(
            id=row.pk,
            order=story_key(row),
            source=source_at(row.place),
            leaves=leaves_of(row.element, stored_value(row.previous), stored_value(row.current)),
            since=moment_of(_ids(row.derived_from)[0]) if row.derived_from else None,
            is_adjacent=not row.derived_from or row.derived_from in neighbors,
            sources={source_at(row.place), *others[row.pk]},
        )
        for row in rows
    ]


def _neighbors(duns: str, rows: Sequence[Change]) -> set[str]:
    """The pairs of documents that are neighbors, of the sources and times that the rows compare."""
    earlier = [_ids(row.derived_from)[0] for row in rows if row.derived_from]
    if not earlier:
        return set()
    registrations = {row.registration_id for row in rows if row.derived_from}
    seeds = Notification.objects.filter(
        company=duns, type="SEED", registration__in=registrations, pk__gte=uuid.UUID(int=min(earlier).int >> 80 << 80)
    ).defer("organization")
    chains: dict[str, list[uuid.UUID]] = defaultdict(list)
    for seed in sorted(seeds, key=notification_key):
        chains[source_of(seed.registration_id, seed.place)].append(seed.pk)
    return {f"{one}:{two}" for chain in chains.values() for one, two in pairwise(chain)}


def _first_documents(duns: str, rows: Iterable[Change]) -> dict[str, FirstDocument]:
    """Of the sources whose documents are compared, where the first is near enough to matter."""
    since: dict[str, datetime] = {}
    first: dict[str, Notification | None] = {}
    for row in rows:
        if row.derived_from:
            source, moment = source_at(row.place), moment_of(_ids(row.derived_from)[0])
            since[source] = min(moment, since.get(source, moment))
            if source not in first:
                first[source] = _first_seed(duns, row.registration_id, is_file=source.endswith("1"))
    near = {
        source: seed
        for source, seed in first.items()
        if seed and _moment(seed) + SEED_MAY_LEAD > since[source] - SEED_MAY_LAG
    }
    texts = dict(
        Notification.objects.filter(pk__in=[one.pk for one in near.values()]).values_list("pk", "organization")
    )
    return {source: FirstDocument(_moment(seed), parse_json(texts[seed.pk] or "{}")) for source, seed in near.items()}


def _first_seed(duns: str, registration: uuid.UUID, *, is_file: bool) -> Notification | None:
    """A source's first document of a company."""
    seeds = Notification.objects.filter(company=duns, type="SEED", registration=registration).defer("organization")
    seeds = seeds.filter(place__range=OF_FILES) if is_file else seeds.exclude(place__range=OF_FILES)
    first = seeds.order_by("delivered_at").first()
    return first and min(seeds.filter(delivered_at=first.delivered_at), key=notification_key)


def _moment(seed: Notification) -> datetime:
    return seed.delivered_at or seed.recorded_at


def _settle_lifecycle(duns: str, writer: _Writer) -> bool:
    rows = Change.objects.filter(company=duns, kind__in=list(FAMILIES)).only(*FIELDS, "current")
    events = [LifecycleEvent(row.pk, story_key(row), row.kind, row.current) for row in rows]
    return writer.write(list(rows), judge_lifecycle(events))


@dataclass(slots=True)
class _Writer:
    """Writes verdicts by compare-and-swap; the feed gets an entry for each change that was published before."""

    own: uuid.UUID | None
    entries: EntryDelivery
    result: Settled
    in_place: bool = False

    def write(self, rows: Iterable[Change], verdicts: Mapping[uuid.UUID, Verdict]) -> bool:
        different = [row for row in rows if _verdict(row) != verdicts[row.pk]]
        for row in different:
            self._flip(row, verdicts[row.pk])
            self.result.companies.add(row.company_id)
            self.result.verbs[_verb(verdicts[row.pk])] += 1
        return bool(different)

    def _flip(self, row: Change, verdict: Verdict) -> None:
        values: dict[str, Any] = {"superseded": not verdict.live, "replaced_by": verdict.replaced_by}
        if row.delivery_id == self.own:
            values["entry"] = Entry.CHANGE if verdict.live else self._entry_of(row, verdict)
        elif row.entry != Entry.CHANGE and verdict.live:
            # It was never published as a change: its delivery is the one that makes it one.
            values |= {"entry": Entry.CHANGE} | ({} if self.in_place else {"delivery": self.entries()})
        elif row.entry == Entry.CHANGE and row.superseded == verdict.live:
            self._publish(row, verdict)
        unchanged = Change.objects.filter(pk=row.pk, superseded=row.superseded, replaced_by=row.replaced_by)
        unchanged.update(**values)

    def _entry_of(self, row: Change, verdict: Verdict) -> Entry:
        """What a change that never held is to its registration's readers: the first report of the fact, or nothing."""
        if verdict.replaced_by is None:
            return Entry.NONE
        target, registration = verdict.replaced_by, row.registration_id
        is_reported = (
            Change.objects.filter(pk=target, registration=registration).exists()
            or Observation.objects.filter(change=target, registration=registration, is_first=True).exists()
            or Change.objects.filter(replaced_by=target, registration=registration, entry=Entry.OBSERVATION)
            .exclude(pk=row.pk)
            .exists()
        )
        return Entry.NONE if is_reported else Entry.OBSERVATION

    def _publish(self, row: Change, verdict: Verdict) -> None:
        verb = _verb(verdict)
        delivery, now = self.entries(), timezone.now()
        entry = Observation(
            id=observation_id(moment_of(row.pk), row.pk, verb, delivery.pk.hex, str(verdict.replaced_by or "")),
            change_id=row.pk,
            company_id=row.company_id,
            registration_id=row.registration_id,
            verb=verb,
            delivery_id=delivery.pk,
            observed_at=now,
            recorded_at=now,
        )
        insert_new(Observation, [entry])
