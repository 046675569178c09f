"""What a publication brings to rules: its changes, and reports of changes that another publication brought first.

A change is new once, for every rule. To a rule that is limited to registrations, it is new again when one of these
registrations reports it for the first time, however long ago another has.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from core.bulk import select_rows, select_values
from core.db import in_batches
from monitoring.alerts.facts.replacements import is_replaced, replacing
from monitoring.history.seed_diff import is_first_known
from monitoring.models import Change, Entry, Kind, Observation, Publication, Verb
from monitoring.story_order import story_key

OLD_NEWS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Report:
    """That a registration reports a change that holds; `is_new` where nobody has reported it before."""

    change: Change
    registration: uuid.UUID
    is_new: bool = True


class About(NamedTuple):
    """What a change, or a fact of an alert, is about."""

    company: str
    kind: str
    element: str


@dataclass(slots=True)
class Brought:
    """What a publication brings: the reports, what its entries are about, and the changes that were replaced."""

    publication: Publication
    reports: list[Report] = field(default_factory=list)
    subjects: set[About] = field(default_factory=set)
    replaced: list[Change] = field(default_factory=list)
    # Changes that others reported before, with their companies.
    reported_again: dict[uuid.UUID, str] = field(default_factory=dict)
    # And who reports each of them for the first time.
    new_reporters: dict[uuid.UUID, set[uuid.UUID]] = field(default_factory=dict)

    def report(self, change: Change, registration: uuid.UUID, *, is_new: bool = True) -> None:
        if can_raise(change):
            self.reports.append(Report(change, registration, is_new))

    def report_later(self, change: Change, registration: uuid.UUID) -> None:
        self.new_reporters.setdefault(change.pk, set()).add(registration)
        self.report(change, registration, is_new=False)


class Head(NamedTuple):
    """As much of a change as it takes to leave it out: no rule takes what most are about."""

    id: uuid.UUID
    delivery: uuid.UUID
    company: str
    kind: str
    element: str
    previous: str | None
    current: str | None
    superseded: bool
    severity: int


HEAD = ("id", "delivery_id", "company_id", "kind", "element", "previous", "current", "superseded", "severity")
# Whether some rule may take such a change.
MayMatter = Callable[[Head], bool]


@dataclass(frozen=True, slots=True)
class Known:
    """The changes that publications bring; in full only those that may matter, and what replaces them."""

    heads: Mapping[uuid.UUID, Head]
    changes: Mapping[uuid.UUID, Change]
    ends: Mapping[uuid.UUID, Change]


def brought_by(publications: Sequence[Publication], may_matter: MayMatter) -> list[Brought]:
    """What each of them brings, in their order."""
    entries = _observations_of(publications)
    known = _read_changes(publications, entries, may_matter)
    brought = {publication.delivery_id: Brought(publication) for publication in publications}
    for head in known.heads.values():
        if its := brought.get(head.delivery):
            _note_change(its, head.id, known)
    for entry in entries:
        _note_observation(brought[entry.delivery_id], entry, known)
    for its in brought.values():
        its.reports.sort(key=lambda report: story_key(report.change))
    return list(brought.values())


def runs_of(brought: Iterable[Brought]) -> Iterator[list[Brought]]:
    """What was noted of a change moves to what replaces it before anything that follows is read, and after all that
    came before: only the first of a run has changes that were replaced."""
    run: list[Brought] = []
    for its in brought:
        if its.replaced and run:
            yield run
            run = []
        run.append(its)
    if run:
        yield run


def _observations_of(publications: Iterable[Publication]) -> list[Observation]:
    """Only publications with more entries than changes have any."""
    with_some = [row.delivery_id for row in publications if row.entry_count != row.change_count]
    return list(Observation.objects.filter(delivery__in=with_some)) if with_some else []


def _read_changes(publications: Iterable[Publication], entries: Iterable[Observation], may_matter: MayMatter) -> Known:
    own = _heads("delivery", {row.delivery_id for row in publications})
    heads = own | _heads("pk", {entry.change_id for entry in entries} - own.keys())
    needed = [key for key, head in heads.items() if head.superseded or may_matter(head)]
    changes: dict[uuid.UUID, Change] = {}
    for keys in in_batches(needed):
        changes.update((row.pk, row) for row in select_rows(Change, pk__in=keys))
    return Known(heads, changes, replacing(changes.values()))


def _heads(column: str, keys: Collection[uuid.UUID]) -> dict[uuid.UUID, Head]:
    found: dict[uuid.UUID, Head] = {}
    for batch in in_batches(sorted(keys)):
        rows = select_values(Change, HEAD, **{f"{column}__in": batch})
        found.update((row[0], Head(*row)) for row in rows)
    return found


def _note_subject(its: Brought, key: uuid.UUID, known: Known) -> Change | None:
    """What an entry is about; returns the change where it may matter."""
    if head := known.heads.get(key):
        its.subjects.add(About(head.company, head.kind, head.element))
    row = known.changes.get(key)
    if row and is_replaced(row):
        its.replaced.append(row)
    return row


def _note_change(its: Brought, key: uuid.UUID, known: Known) -> None:
    row = _note_subject(its, key, known)
    if row is None:
        return
    if not row.superseded:
        its.report(row, row.registration_id)
    elif row.entry != Entry.NONE and can_raise(row) and (end := known.ends.get(row.pk)) and not end.superseded:
        its.reported_again[end.pk] = end.company_id
        its.report_later(end, row.registration_id)


def _note_observation(its: Brought, entry: Observation, known: Known) -> None:
    row = _note_subject(its, entry.change_id, known)
    if entry.verb == Verb.OBSERVED:
        its.reported_again[entry.change_id] = entry.company_id
    if row is None:
        return
    change = known.ends.get(row.pk, row)
    if change.superseded:
        return
    if entry.verb == Verb.OBSERVED and entry.is_first:
        its.report_later(change, entry.registration_id)
    elif entry.verb == Verb.REINSTATED and change is row and not is_old_news(change, its.publication):
        # It may have been withdrawn while its own publication was read.
        its.report(change, change.registration_id)


def is_old_news(change: Change, publication: Publication) -> bool:
    return publication.published_at - change.changed_at > OLD_NEWS


def can_raise(change: Change) -> bool:
    """Not what a company begins with, nor what became known of it only because a registration shows more."""
    if change.kind == Kind.BASELINE:
        return False
    return not (change.derived_from and is_first_known(change.element, change.previous))
