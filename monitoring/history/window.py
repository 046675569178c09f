"""What bears on changes that may have to be judged again, read for several companies at once.

How far an arrival reaches: whether a change holds depends on the last that held at its leaves, up to four days before
it; a difference of two documents also on the UPDATEs from four days before its earlier document until a little after
itself, and on which of them its source reported before. So what happens at t bears on changes until four days after t,
and on differences whose earlier document is from before that. Where one of these is judged otherwise now, what it bears
on is looked at next (settle.py). What a source's first document shows counts as reported however much later it is
compared: after the arrival of a document, all that follows is read.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from core.db import in_batches
from direct_plus.exact_json import parse_json
from monitoring.content_ids import milliseconds, moment_of
from monitoring.elements.json_paths import stored_value
from monitoring.history.facts import (
    SAME_WITHIN,
    SEED_MAY_LAG,
    SEED_MAY_LEAD,
    WITHDRAWN,
    Element,
    FirstDocument,
    Verdict,
    leaves_of,
)
from monitoring.models import Change, Kind, Notification, Observation, Source, Verb
from monitoring.story_order import OF_FETCHES, OF_FILES, WAYS, notification_key, source_at, source_of, story_key
from portfolio.models import Company

AT_ONCE = 200
MARGIN = max(SEED_MAY_LAG, SAME_WITHIN) + 2 * SEED_MAY_LEAD
FIELDS = (
    *("id", "company_id", "registration_id", "notification_id", "delivery_id", "kind", "element", "changed_at"),
    *("place", "derived_from", "superseded", "replaced_by", "entry"),
)
ANSWERS_OR_FILES = (False, True)
FILE = str(WAYS[Source.FILE])
Chain = Sequence[Notification]


@dataclass(frozen=True, slots=True)
class Span:
    """A time of some companies: from `since` on, and what `until` bears on; without that, all that follows."""

    companies: Sequence[str]
    since: datetime
    until: datetime | None = None

    def conditions(self) -> dict[str, Any]:
        return {"company__in": self.companies, "kind": Kind.ELEMENT, "changed_at__gte": self.since}

    def changes(self) -> QuerySet[Change]:
        return Change.objects.filter(**self.conditions())


@dataclass(slots=True)
class Past:
    """One company's changes in the order of the story, and what is known of them; what is `known` stays so."""

    rows: list[Change]
    known: dict[uuid.UUID, Verdict]
    elements: list[Element] = field(default_factory=list)
    first: dict[str, FirstDocument] = field(default_factory=dict)

    def differences(self) -> Iterator[Change]:
        """Those to be judged."""
        return (row for row in self.rows if row.derived_from and row.pk not in self.known)


def spans(since: Mapping[str, datetime], until: Mapping[str, datetime]) -> Iterator[Span]:
    """Companies whose times are near each other, so that little is read for the others' sake."""
    for companies in (since.keys() & until.keys(), since.keys() - until.keys()):
        for near in near_each_other({duns: since[duns] for duns in companies}):
            last = max((until[duns] for duns in near if duns in until), default=None)
            yield Span(near, since[near[0]] - SEED_MAY_LEAD, last)


def near_each_other(moments: Mapping[str, datetime]) -> Iterator[list[str]]:
    """Companies by their moments, the earliest first, as long as all are within a few days."""
    near: list[str] = []
    for duns in sorted(moments, key=lambda duns: (moments[duns], duns)):
        if near and (len(near) == AT_ONCE or moments[duns] > moments[near[0]] + MARGIN):
            yield near
            near = []
        near.append(duns)
    if near:
        yield near


def verdict_of(row: Change) -> Verdict:
    return Verdict(not row.superseded, row.replaced_by)


def pasts(span: Span) -> Iterator[Past]:
    """What is judged of each company of the span, and before it all that bears on that."""
    starts, end = _starts(span)
    for companies in near_each_other(starts):
        found = _read(companies, starts[companies[0]] - MARGIN, span.since, end)
        _add_elements(found)
        yield from found.values()


def _starts(span: Span) -> tuple[dict[str, datetime], datetime | None]:
    """Since when each company is compared, and until when any is."""
    pairs = span.changes().exclude(derived_from="")
    if span.until:
        pairs = pairs.filter(derived_from__lt=str(_first_key(span.until + MARGIN)))
    starts = dict.fromkeys(span.companies, span.since)
    ends = [span.until + MARGIN] if span.until else []
    for duns, later, derived_from in pairs.values_list("company_id", "changed_at", "derived_from").distinct():
        starts[duns] = min(starts[duns], earlier_of(derived_from))
        ends.append(later)
    return starts, max(ends) + SEED_MAY_LEAD if span.until else None


def _first_key(moment: datetime) -> uuid.UUID:
    return uuid.UUID(int=milliseconds(moment) << 80)


@lru_cache(maxsize=4096)
def ids_of(derived_from: str) -> tuple[uuid.UUID, uuid.UUID]:
    earlier, _, later = derived_from.partition(":")
    return uuid.UUID(earlier), uuid.UUID(later)


@lru_cache(maxsize=4096)
def earlier_of(derived_from: str) -> datetime:
    """When the earlier of the two documents was delivered."""
    return moment_of(ids_of(derived_from)[0])


def _read(companies: Sequence[str], start: datetime, since: datetime, end: datetime | None) -> dict[str, Past]:
    rows = Span(companies, start).changes()
    if end:
        rows = rows.filter(changed_at__lte=end)
    found: dict[str, Past] = {}
    for row in sorted(rows.only(*FIELDS, "previous", "current"), key=story_key):
        past = found.setdefault(row.company_id, Past([], {}))
        past.rows.append(row)
        if row.changed_at < since:
            past.known[row.pk] = verdict_of(row)
    return found


def _add_elements(found: Mapping[str, Past]) -> None:
    others = _others([row for past in found.values() for row in past.rows])
    documents = _documents(found)
    for duns, past in found.items():
        neighbors = {f"{one.pk}:{two.pk}" for chain in documents[duns].values() for one, two in pairwise(chain)}
        past.elements = [_element(row, past, neighbors, others.get(row.pk, set())) for row in past.rows]
    _add_first_documents(found, documents)


def _others(changes: Sequence[Change]) -> dict[uuid.UUID, set[str]]:
    """The sources of the changes that several reported: one that stands at another's place has its own besides."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    for keys in in_batches([row.pk for row in changes]):
        reports = Observation.objects.filter(change__in=keys, verb=Verb.OBSERVED)
        for key, place in reports.values_list("change_id", "place"):
            found[key].add(source_at(place))
    for rows in in_batches([row for row in changes if row.pk in found]):
        brought = Notification.objects.filter(pk__in={row.notification_id for row in rows})
        places = dict(brought.values_list("pk", "place"))
        for row in rows:
            found[row.pk].add(source_of(row.registration_id, places[row.notification_id]))
    return found


def _element(row: Change, past: Past, neighbors: set[str], others: set[str]) -> Element:
    verdict = past.known.get(row.pk)
    is_adjacent = not row.derived_from or (verdict != WITHDRAWN if verdict else row.derived_from in neighbors)
    return Element(
        id=row.pk,
        order=story_key(row),
        source=source_at(row.place),
        path=row.element,
        leaves=leaves_of(row.element, stored_value(row.previous), stored_value(row.current)),
        since=earlier_of(row.derived_from) if row.derived_from else None,
        is_adjacent=is_adjacent,
        sources={source_at(row.place), *others},
    )


# Documents


def _documents(found: Mapping[str, Past]) -> dict[str, dict[str, list[Notification]]]:
    """By company and source, the documents that are compared and those from shortly before them, in their order."""
    chains: dict[str, dict[str, list[Notification]]] = defaultdict(lambda: defaultdict(list))
    compared = [row for past in found.values() for row in past.differences()]
    if compared:
        pairs = {key for row in compared for key in ids_of(row.derived_from)}
        seeds = _seeds(compared).filter(Q(delivered_at__gte=_earliest(compared)) | Q(delivered_at=None))
        near = {seed.pk: seed for seed in seeds.defer("organization")}
        for keys in in_batches(sorted(pairs - near.keys())):
            near |= Notification.objects.filter(type="SEED").defer("organization").in_bulk(keys)
        for seed in sorted(near.values(), key=notification_key):
            chains[seed.company_id][source_of(seed.registration_id, seed.place)].append(seed)
    return chains


def _seeds(compared: Sequence[Change]) -> QuerySet[Notification]:
    companies, registrations = {row.company_id for row in compared}, {row.registration_id for row in compared}
    return Notification.objects.filter(
        company__in=sorted(companies), type="SEED", registration__in=sorted(registrations)
    )


def _earliest(compared: Sequence[Change]) -> datetime:
    """A document from before that is near to none that is compared."""
    return min(earlier_of(row.derived_from) for row in compared) - SEED_MAY_LAG - 2 * SEED_MAY_LEAD


def _add_first_documents(found: Mapping[str, Past], documents: Mapping[str, Mapping[str, Chain]]) -> None:
    """Of the sources whose documents are compared, where the first is near enough to matter."""
    near = {
        (duns, source): documents[duns][source][0]
        for duns, past in found.items()
        for source, since in _since(past).items()
        if documents[duns].get(source) and _moment(documents[duns][source][0]) + SEED_MAY_LEAD > since - SEED_MAY_LAG
    }
    if not near:
        return
    compared = [row for past in found.values() for row in past.differences()]
    older = _older(compared, _earliest(compared))
    first = {key: seed for key, seed in near.items() if key not in older}
    texts: dict[uuid.UUID, str] = {}
    for keys in in_batches([seed.pk for seed in first.values()]):
        texts |= dict(Notification.objects.filter(pk__in=keys).values_list("pk", "organization"))
    for (duns, source), seed in first.items():
        found[duns].first[source] = FirstDocument(_moment(seed), parse_json(texts[seed.pk] or "{}"))


def _since(past: Past) -> dict[str, datetime]:
    """Since when each source is compared."""
    since: dict[str, datetime] = {}
    for row in past.differences():
        source, moment = source_at(row.place), earlier_of(row.derived_from)
        since[source] = min(moment, since.get(source, moment))
    return since


def _older(compared: Sequence[Change], moment: datetime) -> set[tuple[str, str]]:
    """Companies and sources of which there is a document from before: one look into an index for each."""
    found: set[tuple[str, str]] = set()
    companies = Company.objects.filter(pk__in=sorted({row.company_id for row in compared}))
    for registration in {row.registration_id for row in compared}:
        for is_file in ANSWERS_OR_FILES:
            seeds = of_source(registration, is_file=is_file).filter(company=OuterRef("pk"), delivered_at__lt=moment)
            known = companies.filter(Exists(seeds)).values_list("pk", flat=True)
            found.update((duns, source_of(registration, FILE if is_file else "")) for duns in known)
    return found


def of_source(registration: uuid.UUID, *, is_file: bool) -> QuerySet[Notification]:
    """A source's documents; those that were fetched are compared with none."""
    seeds = Notification.objects.filter(type="SEED", registration=registration)
    return seeds.filter(place__range=OF_FILES) if is_file else seeds.exclude(place__range=(OF_FILES[0], OF_FETCHES[1]))


def _moment(seed: Notification) -> datetime:
    return seed.delivered_at or seed.recorded_at
