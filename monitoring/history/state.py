"""A company's profile, now and as of any time: SEEDs and changes applied in the order of their times."""

from __future__ import annotations

import uuid
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q

from core.bulk import select_values
from core.db import in_batches
from direct_plus.exact_json import parse_json
from monitoring.elements.json_paths import (
    copied,
    leaf_paths,
    names_below_root,
    paths_spoken_of,
    same_value,
    set_value,
    stored_value,
    value_at,
)
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.newest_scores import (
    ASSESSMENT,
    SCORE_DATE,
    is_older_score,
    is_score_date,
    merged,
    score_around,
    score_of,
    with_newest_scores,
)
from monitoring.models import Change, Kind, Notification, Source
from monitoring.story_order import WAYS, story_place, way_at

# A SEED of our own, made where older history was removed (condensing.py).
SNAPSHOT = "SNAPSHOT"
SEED_COLUMNS = (
    *("company_id", "id", "type", "delivered_at", "recorded_at", "place", "registration_id"),
    "organization",
)
CHANGE_COLUMNS = (
    *("company_id", "id", "changed_at", "place", "kind", "registration_id", "element"),
    *("previous", "current"),
)
# In place of a registration, for the members that fetched documents carried: fetches with other data blocks follow.
FETCHED = uuid.UUID("f37c4ed0-0000-8000-8000-000000000000")
# More than a page shows of the history. Checkpoints hold them, so they must not grow with the past.
MOST_MISMATCHES = 200
# What tells whether D&B still keeps the company; a review, say, does not undo a merger.
STATUS_KINDS = (Kind.DELETED, Kind.RESTORED, Kind.TRANSFERRED)


# Of each score of which one is reported at a moment, by moment and name.
ScoreDates = Mapping[tuple[datetime, str], str]


class Event(NamedTuple):
    """One thing that happened to a company: a SEED (`seed` set), an element's change, or a notice."""

    id: uuid.UUID
    moment: datetime
    order: tuple[Any, ...]
    kind: str
    registration: uuid.UUID
    seed: dict[str, Any] | None = None
    carried: dict[uuid.UUID, set[str]] | None = None
    path: str = ""
    previous: Any = None
    current: Any = None

    @property
    def is_fetched(self) -> bool:
        """A document that a person fetched."""
        return self.seed is not None and way_at(self.order[2]) == str(WAYS[Source.FETCH])


@dataclass(frozen=True, slots=True)
class KnownValue:
    """What was known where a change says that something else was there before, and since when."""

    value: Any
    since: datetime


@dataclass(slots=True)
class CompanyState:
    """What is known of a company at a moment."""

    document: dict[str, Any] = field(default_factory=dict)
    # The latest changes whose "before" is not what was known, and what that was. What was never known cannot differ.
    mismatches: dict[uuid.UUID, KnownValue] = field(default_factory=dict)
    # When each part of the document was first and last received, by the names of its path.
    received: dict[tuple[str, ...], tuple[datetime, datetime]] = field(default_factory=dict)
    unplaced: set[uuid.UUID] = field(default_factory=set)
    status: Event | None = None
    # The members that each registration's last SEED carried.
    carried: dict[uuid.UUID, set[str]] = field(default_factory=dict)
    # Whether mismatches are noted, and what they are seen by: lists and figures show none.
    notes_mismatches: bool = True

    def value(self, path: str) -> Any:
        return value_at(self.document, path)

    def note_mismatch(self, change: uuid.UUID, known: KnownValue) -> None:
        self.mismatches[change] = known
        if len(self.mismatches) > MOST_MISMATCHES:
            del self.mismatches[next(iter(self.mismatches))]


def events_of(
    duns: Sequence[str], *, until: datetime | None = None, paths: Sequence[str] | None = None
) -> dict[str, list[Event]]:
    """The events of each company; with `paths`, only the changes at, above or below one of them."""
    events: dict[str, list[Event]] = defaultdict(list)
    seeds = Notification.objects.filter(company__in=duns, type__in=("SEED", SNAPSHOT))
    changes = Change.objects.filter(company__in=duns, derived_from="").exclude(kind=Kind.BASELINE)
    if until:
        seeds = seeds.filter(delivered_at__lte=until)
        changes = changes.filter(changed_at__lte=until)
    if paths:
        changes = changes.filter(~Q(kind=Kind.ELEMENT) | touching(paths))
    # Changes first: where retention puts a snapshot in their place, whoever misses them finds it.
    told = list(change_events(changes.values_list(*CHANGE_COLUMNS)))
    for company, event in [*seed_events(seeds.values_list(*SEED_COLUMNS)), *told]:
        events[company].append(event)
    return events


def events_among(seeds: Sequence[uuid.UUID], changes: Sequence[uuid.UUID]) -> dict[str, list[Event]]:
    """The events of these SEEDs and changes, as they are stored now."""
    events: dict[str, list[Event]] = defaultdict(list)
    for keys in in_batches(seeds):
        for company, event in seed_events(select_values(Notification, SEED_COLUMNS, pk__in=keys, type="SEED")):
            events[company].append(event)
    for keys in in_batches(changes):
        for company, event in change_events(select_values(Change, CHANGE_COLUMNS, pk__in=keys)):
            events[company].append(event)
    return events


def changes_since(moment: datetime, duns: Sequence[str], paths: Sequence[str]) -> dict[str, list[Event]]:
    """The changes of these companies from then on, at, above or below one of the paths."""
    events: dict[str, list[Event]] = defaultdict(list)
    changes = Change.objects.filter(company__in=duns, derived_from="", kind=Kind.ELEMENT, changed_at__gte=moment)
    for company, event in change_events(changes.filter(touching(paths)).values_list(*CHANGE_COLUMNS)):
        events[company].append(event)
    return events


def touching(paths: Sequence[str]) -> Q:
    """Changes of an element at, above or below a path."""
    above = {".".join(names[:depth]) for names in (path.split(".") for path in paths) for depth in range(1, len(names))}
    condition = Q(element__in=sorted(above))
    for path in paths:
        if not any(path != other and path.startswith(other) for other in paths):
            condition |= Q(element__startswith=path)
    return condition


def events_with(changes: Iterable[Change], duns: str) -> list[Event]:
    """The events of one company whose changes are at hand: only its SEEDs are read."""
    told = (row for row in changes if not row.derived_from and row.kind != Kind.BASELINE)
    seeds = Notification.objects.filter(company=duns, type__in=("SEED", SNAPSHOT))
    return [*(event for _, event in seed_events(seeds.values_list(*SEED_COLUMNS))), *map(event_of, told)]


def event_of(row: Change) -> Event:
    order = (row.changed_at, 1, row.place, row.pk.int)
    values = stored_value(row.previous), stored_value(row.current)
    return Event(row.pk, row.changed_at, order, row.kind, row.registration_id, None, None, row.element, *values)


def seed_events(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[str, Event]]:
    for company, key, kind, delivered_at, recorded_at, place, registration, text in rows:
        moment = delivered_at or recorded_at
        document = parse_json(text) if text else {}
        # At one moment a SEED comes before the changes: they were made to what it shows.
        order = (moment, 0, story_place(registration, moment, place), key.int)
        carried = None
        if kind == SNAPSHOT:
            document, carried = _snapshot(document)
        yield company, Event(key, moment, order, Kind.BASELINE, registration, document, carried)


def _snapshot(stored: dict[str, Any]) -> tuple[dict[str, Any], dict[uuid.UUID, set[str]]]:
    carried = {uuid.UUID(registration): set(names) for registration, names in stored["carried"].items()}
    return stored["document"], carried


def change_events(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[str, Event]]:
    for company, key, moment, place, kind, registration, path, *texts in rows:
        order, values = (moment, 1, place, key.int), map(stored_value, texts)
        yield company, Event(key, moment, order, kind, registration, None, None, path, *values)


def apply_events(
    events: Iterable[Event], state: CompanyState | None = None, before: Iterable[Event] = ()
) -> CompanyState:
    """The state after the events, in the order of their times, whatever the order in which they are given; with
    `state`, which is changed, from what was before them: `before` are its last changes, which a SEED may lack."""
    result = state or CompanyState()
    for _ in states_after(events, result, before):
        pass
    return result


def states_after(
    events: Iterable[Event], state: CompanyState | None = None, changes: Iterable[Event] = ()
) -> Iterator[tuple[Event, CompanyState]]:
    """Each event in the order of their times, with the state after it: one profile, which goes on changing."""
    result = state or CompanyState()
    before = sorted(changes, key=lambda event: event.order)
    ordered = sorted(events, key=lambda event: event.order)
    dates = score_dates([*before, *ordered])
    for event in ordered:
        if event.carried is not None:
            _take_snapshot(result, event)
        elif event.seed is not None:
            removed = _take_seed(result, event)
            _reapply(result, event, removed, before, dates)
        elif event.kind == Kind.ELEMENT:
            _take_change(result, event, dates)
            insort(before, event, key=attrgetter("order"))
        elif event.kind in STATUS_KINDS:
            result.status = event
        yield event, result


def _take_snapshot(result: CompanyState, event: Event) -> None:
    """The state at that moment, whatever is left of how it came about."""
    result.document = copied(event.seed or {})
    result.carried = dict(event.carried or {})
    whole = set().union(*result.carried.values())
    for member, value in result.document.items():
        _note_received(result, [(member,)] if member in whole else leaf_paths(value, (member,)), event.moment)


def _take_seed(result: CompanyState, event: Event) -> set[str]:
    """Replace the members it carries; remove those that the registration's previous SEED carried and it does not, which
    are returned. What was fetched removes none, nor parts of one: it holds the data blocks that were asked for that
    time."""
    assert event.seed is not None
    is_fetched = event.is_fetched
    carrier = FETCHED if is_fetched else event.registration
    before = result.carried.get(carrier, set())
    removed = set() if is_fetched else before - set(event.seed)
    for member in removed:
        result.document.pop(member, None)
    assessment = with_newest_scores(result.document.get(ASSESSMENT), event.seed.get(ASSESSMENT))
    carried = copied(event.seed) | ({ASSESSMENT: assessment} if ASSESSMENT in event.seed else {})
    result.document.update(merged(result.document, carried) if is_fetched else carried)
    result.carried[carrier] = set(event.seed) | (before if is_fetched else set())
    if result.notes_mismatches:
        _note_received(result, paths_spoken_of((), event.seed), event.moment)
    return removed


def _reapply(
    result: CompanyState, seed: Event, removed: AbstractSet[str], before: Sequence[Event], dates: ScoreDates
) -> None:
    """A SEED is stamped when pulled: what happened shortly before may still be missing in it. What was fetched is D&B's
    answer of that moment, and lacks nothing."""
    if not before or seed.is_fetched:
        return
    about = removed | (seed.seed or {}).keys()
    first = bisect_left(before, seed.moment - SEED_MAY_LAG, key=attrgetter("moment"))
    for change in before[first:]:
        if _speaks_of(about, change.path) and same_value(result.value(change.path), change.previous):
            set_value_of(change, result.document, dates)


def _speaks_of(members: AbstractSet[str], path: str) -> bool:
    """Whether the SEED does, by what it carries or removes: any other member stays as it is."""
    names = names_below_root(path)
    return not names or names[0] in members


def _take_change(result: CompanyState, event: Event, dates: ScoreDates) -> None:
    if result.notes_mismatches:
        known, since = result.value(event.path), _known_since(result, event)
        if since and not same_value(known, event.previous):
            result.note_mismatch(event.id, KnownValue(copied(known), since))
        _note_received(result, paths_spoken_of(tuple(names_below_root(event.path)), event.current), event.moment)
    if not set_value_of(event, result.document, dates):
        result.unplaced.add(event.id)


def set_value_of(change: Event, document: dict[str, Any], dates: ScoreDates) -> bool:
    """Put what the change sets in its place, unless it is of an older score; False where an array stands in the way."""
    if _is_part_of_older_score(change, document, dates):
        return True
    return set_value(document, change.path, _newest_score(change, document))


def score_dates(changes: Iterable[Event]) -> ScoreDates:
    """A part of a score that changes by itself has the date that is reported of the score at its moment, the latest of
    several."""
    found: dict[tuple[datetime, str], str] = {}
    for change in changes:
        if is_score_date(change.path):
            key = change.moment, score_of(change.path)
            found[key] = max(found.get(key, ""), str(change.current or ""))
    return found


def _is_part_of_older_score(change: Event, document: dict[str, Any], dates: ScoreDates) -> bool:
    if not (score := score_of(change.path)):
        return False
    date = str(change.current or "") if is_score_date(change.path) else dates.get((change.moment, score), "")
    return is_older_score({SCORE_DATE: date}, value_at(document, score_around(change.path)))


def _newest_score(change: Event, document: dict[str, Any]) -> Any:
    """What a change sets; of a whole score, or of all of them, what is not older than what is known."""
    names = names_below_root(change.path)
    if names[:1] != [ASSESSMENT] or len(names) > 2:
        return change.current
    known = value_at(document, change.path)
    if len(names) == 1:
        return with_newest_scores(known, change.current)
    return copied(known) if is_older_score(change.current, known) else change.current


def _known_since(result: CompanyState, event: Event) -> datetime | None:
    """When the part that a change speaks of was received last before it; None where that is not earlier than it."""
    names = tuple(names_below_root(event.path))
    above = [names[:depth] for depth in range(1, len(names) + 1)] or [()]
    received = [result.received[part] for part in above if part in result.received]
    is_known = any(first < event.moment for first, _ in received)
    return max(last for _, last in received) if is_known else None


def _note_received(result: CompanyState, parts: Iterable[tuple[str, ...]], moment: datetime) -> None:
    for part in parts:
        first, _ = result.received.get(part, (moment, moment))
        result.received[part] = (first, moment)
