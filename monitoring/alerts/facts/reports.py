"""What a publication brings to rules: its changes, and reports of changes that another publication brought first.

A change is new once, for every rule. To a rule that is limited to registrations, it is new again when one of these
registrations reports it for the first time, however long ago another has.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

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


@dataclass(slots=True)
class Brought:
    """What a publication brings: the reports, the companies that it is about, and the changes that were replaced."""

    reports: list[Report]
    companies: set[str]
    replaced: list[Change]


def brought_by(publication: Publication) -> Brought:
    rows = list(Change.objects.filter(delivery=publication.delivery_id))
    entries = list(Observation.objects.filter(delivery=publication.delivery_id))
    changes = {row.pk: row for row in rows}
    for keys in in_batches(list({entry.change_id for entry in entries} - changes.keys())):
        changes.update(Change.objects.in_bulk(keys))
    ends = replacing(changes.values())
    found = [*_changes(rows, ends), *_observations(entries, changes, ends, publication)]
    reports = [report for report in found if can_raise(report.change)]
    return Brought(
        sorted(reports, key=lambda report: story_key(report.change)),
        {change.company_id for change in changes.values()},
        [change for change in changes.values() if is_replaced(change)],
    )


def _changes(rows: Iterable[Change], ends: dict[uuid.UUID, Change]) -> Iterator[Report]:
    for row in rows:
        if not row.superseded:
            yield Report(row, row.registration_id)
        elif row.entry != Entry.NONE and can_raise(row) and (end := ends.get(row.pk)) and not end.superseded:
            yield Report(end, row.registration_id, is_new=False)


def _observations(
    entries: Sequence[Observation],
    changes: dict[uuid.UUID, Change],
    ends: dict[uuid.UUID, Change],
    publication: Publication,
) -> Iterator[Report]:
    for entry in entries:
        change = ends.get(entry.change_id, changes[entry.change_id])
        if change.superseded:
            continue
        if entry.verb == Verb.OBSERVED and entry.is_first:
            yield Report(change, entry.registration_id, is_new=False)
        elif entry.verb == Verb.REINSTATED and change.pk == entry.change_id and not is_old_news(change, publication):
            # It may have been withdrawn while its own publication was read.
            yield Report(change, change.registration_id)


def is_old_news(change: Change, publication: Publication) -> bool:
    return publication.published_at - change.changed_at > OLD_NEWS


def can_raise(change: Change) -> bool:
    """Not what a company begins with, nor what became known of it only because a registration shows more."""
    if change.kind == Kind.BASELINE:
        return False
    return not (change.derived_from and is_first_known(change.element, change.previous))
