"""Who else reported a change, and the place that a change has from all who did."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from core.db import in_batches, insert_new
from monitoring.content_ids import moment_of, observation_id
from monitoring.models import Change, Delivery, Notification, Observation, Source, Verb
from monitoring.story_order import first_step, index_at, source_at, step_of, story_place, with_step

CHANGES_OF_AN_ITEM = 1000
PLACED_BY = ("kind", "notification_id", "position", "place", "changed_at", "derived_from")


@dataclass(frozen=True, slots=True)
class Report:
    """That a delivery reports a change which is there already."""

    change: uuid.UUID
    notification: uuid.UUID
    place: str
    observed_at: datetime


def record_reports(delivery: Delivery, reports: Iterable[Report]) -> list[Observation]:
    """Record each source once for a change; returns what was inserted. A change stands at the least of its places."""
    by_change = {report.change: report for report in reports}
    inserted: list[Observation] = []
    for keys in in_batches(list(by_change)):
        changes = Change.objects.filter(pk__in=keys).only("company_id", "registration_id", "delivery_id", "place")
        new = _new_to(delivery, list(changes), by_change)
        inserted += insert_new(Observation, new)
        _move_to_least([row.change_id for row in new])
    return inserted


def _new_to(delivery: Delivery, changes: Sequence[Change], reports: dict[uuid.UUID, Report]) -> list[Observation]:
    """Without what the delivery's source reported first."""
    ours = [change.delivery_id for change in changes if change.registration_id == delivery.registration_id]
    files = set(Delivery.objects.filter(pk__in=ours, source=Source.FILE).values_list("pk", flat=True))
    is_file = delivery.source == Source.FILE
    others = [
        change
        for change in changes
        if change.registration_id != delivery.registration_id or (change.delivery_id in files) != is_file
    ]
    reported = Observation.objects.filter(
        change__in=[change.pk for change in others], registration=delivery.registration_id, is_first=True
    )
    known = set(reported.exclude(delivery=delivery.pk).values_list("change_id", flat=True))
    return [_observation(delivery, change, reports[change.pk], change.pk in known) for change in others]


def _observation(delivery: Delivery, change: Change, report: Report, is_known: bool) -> Observation:
    source = source_at(report.place)
    return Observation(
        id=observation_id(moment_of(change.pk), change.pk, Verb.OBSERVED, source),
        change_id=change.pk,
        company_id=change.company_id,
        registration_id=delivery.registration_id,
        verb=Verb.OBSERVED,
        is_first=not is_known and change.registration_id != delivery.registration_id,
        delivery_id=delivery.pk,
        notification_id=report.notification,
        place=report.place,
        observed_at=report.observed_at,
        recorded_at=timezone.now(),
    )


def hand_over(
    changes: Sequence[uuid.UUID], *, leaving: uuid.UUID | None = None, without: Container[uuid.UUID] = ()
) -> dict[uuid.UUID, set[uuid.UUID]]:
    """Changes whose first source is gone belong to the next that reported them, not counting the registration `leaving`
    and reports in `without`; returns those that found one, with the deliveries between which they moved."""
    moved: dict[uuid.UUID, set[uuid.UUID]] = {}
    for keys in in_batches(changes):
        rows = dict(Change.objects.filter(pk__in=keys).values_list("pk", "delivery_id"))
        found: dict[uuid.UUID, Observation] = {}
        heirs = Observation.objects.filter(change__in=list(rows), verb=Verb.OBSERVED, is_first=True)
        for heir in heirs.exclude(registration=leaving).select_related("notification").order_by("-recorded_at", "-id"):
            # The earliest comes last, and stays.
            if heir.pk not in without:
                found[heir.change_id] = heir
        for key, heir in found.items():
            _give(key, heir)
            moved[key] = {rows[key], heir.delivery_id}
    return moved


def _give(change: uuid.UUID, heir: Observation) -> None:
    notification = heir.notification
    assert notification is not None, "a report came in a notification"
    Change.objects.filter(pk=change).update(
        registration=heir.registration_id,
        delivery=heir.delivery_id,
        notification=notification,
        delivered_at=notification.delivered_at,
        position=notification.position * CHANGES_OF_AN_ITEM + min(index_at(heir.place), CHANGES_OF_AN_ITEM - 1),
        place=heir.place,
    )
    now_first(change, heir.registration_id, source_at(heir.place))


def now_first(change: uuid.UUID, registration: uuid.UUID, source: str) -> None:
    """The change stands in the name of this source: what it reported is no entry of its own any more."""
    reports = Observation.objects.filter(change=change, verb=Verb.OBSERVED, registration=registration)
    reports.filter(pk=observation_id(moment_of(change), change, Verb.OBSERVED, source)).delete()
    reports.update(is_first=False)
    # What became of it is told where it stands.
    Observation.objects.filter(change=change).exclude(verb=Verb.OBSERVED).update(registration=registration)


def keep_places(changes: Iterable[uuid.UUID]) -> int:
    """Each change stands at the least place of all that report it, a comparison where its later document stands; how
    many were moved."""
    moved = 0
    for keys in in_batches(list(changes)):
        rows = list(Change.objects.filter(pk__in=keys).only(*PLACED_BY))
        least = _least_places(rows)
        for row in rows:
            if row.place != (place := _in_its_step(row, least[row.pk])):
                moved += Change.objects.filter(pk=row.pk, place=row.place).update(place=place)
    return moved


def _in_its_step(change: Change, place: str) -> str:
    """Steps are given by `history/steps.py`; a place of before has none."""
    return with_step(place, step_of(change.place)) if len(change.place) == len(place) else place


def place_again(notification: uuid.UUID, places: dict[uuid.UUID, str]) -> None:
    """A notification stands elsewhere, and its changes at `places`: each goes to the least of all that reported it."""
    for key, place in places.items():
        Observation.objects.filter(change=key, notification=notification, verb=Verb.OBSERVED).update(place=place)
    _move_to_least(list(places))


def _move_to_least(changes: Sequence[uuid.UUID]) -> None:
    """Each change stands at the least of its places; its step among those that it touches is given afterwards."""
    waiting = list(changes)
    while waiting:
        rows = list(Change.objects.filter(pk__in=waiting).only(*PLACED_BY))
        least = _least_places(rows)
        waiting = [
            row.pk
            for row in rows
            if row.place != (place := _in_its_step(row, least[row.pk]))
            and not Change.objects.filter(pk=row.pk, place=row.place).update(place=place)
        ]


def _least_places(changes: Sequence[Change]) -> dict[uuid.UUID, str]:
    firsts = Notification.objects.defer("organization").in_bulk([change.notification_id for change in changes])
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for change in changes:
        first = firsts[change.notification_id]
        # The document itself is the first of its place; its comparison follows.
        index = change.position + 1 if change.derived_from else change.position % CHANGES_OF_AN_ITEM
        moment = first.delivered_at or (first.recorded_at if change.derived_from else change.changed_at)
        found[change.pk] = [story_place(first.registration_id, moment, first.place, index, first_step(change.kind))]
    others = Observation.objects.filter(change__in=list(found), verb=Verb.OBSERVED).exclude(place="")
    for key, place in others.values_list("change_id", "place"):
        found[key].append(place)
    return {key: min(places) for key, places in found.items()}
