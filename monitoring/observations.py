"""Who else reported a change, and the place that a change has from all who did."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from core.db import in_batches, insert_new
from monitoring.audiences import stamp
from monitoring.content_ids import moment_of, observation_id
from monitoring.models import Change, Delivery, Notification, Observation, Verb
from monitoring.story_order import (
    first_step,
    index_at,
    item_place,
    source_at,
    source_of,
    step_of,
    story_place,
    with_step,
)

CHANGES_OF_AN_ITEM = 1000
REPORTED_BY = ("company_id", "registration_id", "delivery_id", "notification_id", "place")
PLACED_BY = ("kind", "notification_id", "position", "place", "changed_at", "derived_from")


@dataclass(frozen=True, slots=True)
class Report:
    """That a delivery reports a change which is there already."""

    change: uuid.UUID
    notification: uuid.UUID
    place: str
    observed_at: datetime


def record_reports(delivery: Delivery, reports: Iterable[Report]) -> list[Observation]:
    """Record each source once for a change, at the least place where it reports it; returns what was inserted. A change
    stands at the least of its places."""
    by_change = {report.change: report for report in sorted(reports, key=lambda report: report.place, reverse=True)}
    inserted: list[Observation] = []
    for keys in in_batches(list(by_change)):
        changes = list(Change.objects.filter(pk__in=keys).only(*REPORTED_BY))
        new = _new_to(delivery, changes, by_change)
        inserted += insert_new(Observation, new)
        others = {row.change_id for row in new}
        again = [row.pk for row in changes if row.notification_id != by_change[row.pk].notification]
        moved = _stand_by([by_change[key] for key in again if key not in others])
        _report_earlier(by_change[key] for key in others - {row.change_id for row in inserted})
        _move_to_least([*others, *moved])
        stamp(row.pk for row in changes if row.pk in others and row.registration_id != delivery.registration_id)
    return inserted


def _report_earlier(reports: Iterable[Report]) -> None:
    """Where their sources have reported the changes before, in notifications that stand further back."""
    by_key = {_key_of(report): report for report in reports}
    waiting = list(by_key)
    while waiting:
        rows = Observation.objects.filter(pk__in=waiting).only("place", "notification_id")
        waiting = [row.pk for row in rows if _is_before(by_key[row.pk], row) and not _report_at(row, by_key[row.pk])]


def _is_before(report: Report, reported: Observation) -> bool:
    """Where answers show a notification decides what stands for it; of several notifications, the first delivered."""
    if report.notification == reported.notification_id:
        return item_place(report.place) < item_place(reported.place)
    return report.place < reported.place


def _report_at(reported: Observation, report: Report) -> bool:
    """False where somebody else has moved it meanwhile."""
    unmoved = Observation.objects.filter(pk=reported.pk, place=reported.place)
    earlier = {"place": report.place, "notification": report.notification, "observed_at": report.observed_at}
    return bool(unmoved.update(**earlier))


def _key_of(report: Report) -> uuid.UUID:
    return observation_id(moment_of(report.change), report.change, Verb.OBSERVED, source_at(report.place))


def _stand_by(reports: Sequence[Report]) -> list[uuid.UUID]:
    """A change that its own source reports in several notifications belongs to the one with the least place; returns
    those that have another one now."""
    by_change = {report.change: report for report in reports}
    waiting, moved = list(by_change), []
    while waiting:
        rows = list(Change.objects.filter(pk__in=waiting, derived_from="").only(*PLACED_BY))
        own = _own_places(rows)
        earlier = [row for row in rows if _is_earlier(by_change[row.pk].place, own[row.pk])]
        keys = [by_change[row.pk].notification for row in earlier]
        brought = Notification.objects.defer("organization").in_bulk(keys)
        waiting = [row.pk for row in earlier if not _stand_in(row, brought, by_change[row.pk])]
        moved += [row.pk for row in earlier]
    return moved


def _stand_in(change: Change, brought: Mapping[uuid.UUID, Notification], report: Report) -> bool:
    """False where somebody else has moved it meanwhile."""
    unmoved = Change.objects.filter(pk=change.pk, notification=change.notification_id)
    return bool(unmoved.update(**_position_at(brought[report.notification], report.place)))


def _is_earlier(place: str, own: str) -> bool:
    return source_at(place) == source_at(own) and place < own


def _new_to(delivery: Delivery, changes: Sequence[Change], reports: dict[uuid.UUID, Report]) -> list[Observation]:
    """Without what the delivery's source reported first."""
    own = _own_sources([change for change in changes if change.registration_id == delivery.registration_id])
    others = [change for change in changes if own.get(change.pk) != source_at(reports[change.pk].place)]
    reported = Observation.objects.filter(
        change__in=[change.pk for change in others], registration=delivery.registration_id, is_first=True
    )
    known = set(reported.exclude(delivery=delivery.pk).values_list("change_id", flat=True))
    return [_observation(delivery, change, reports[change.pk], change.pk in known) for change in others]


def _own_sources(changes: Sequence[Change]) -> dict[uuid.UUID, str]:
    """Of the notifications that the changes came in, as they stand now."""
    notifications = Notification.objects.filter(pk__in={change.notification_id for change in changes})
    places = dict(notifications.values_list("pk", "place"))
    return {change.pk: source_of(change.registration_id, places[change.notification_id]) for change in changes}


def _observation(delivery: Delivery, change: Change, report: Report, is_known: bool) -> Observation:
    return Observation(
        id=_key_of(report),
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


def keep_reports(delivery: Delivery, notification: uuid.UUID) -> list[Observation]:
    """Before answers show what a file reported first, and the notification stands by them: of the changes that came in
    it, the file's reports stay beside. Returns what was inserted."""
    changes = list(Change.objects.filter(notification=notification, derived_from="").only(*REPORTED_BY, *PLACED_BY))
    places, brought = _own_places(changes), Notification.objects.only("delivered_at").get(pk=notification)
    kept = [
        Report(change.pk, notification, places[change.pk], brought.delivered_at or change.changed_at)
        for change in changes
    ]
    _report_earlier(kept)
    rows = zip(changes, kept, strict=True)
    return insert_new(Observation, [_observation(delivery, change, report, is_known=True) for change, report in rows])


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
    owner = {"registration": heir.registration_id, "delivery": heir.delivery_id, "place": heir.place}
    Change.objects.filter(pk=change).update(**owner, **_position_at(notification, heir.place))
    now_first(change, heir.registration_id, source_at(heir.place))


def _position_at(notification: Notification, place: str) -> dict[str, Any]:
    index = min(index_at(place), CHANGES_OF_AN_ITEM - 1)
    position = notification.position * CHANGES_OF_AN_ITEM + index
    return {"notification": notification, "delivered_at": notification.delivered_at, "position": position}


def now_first(change: uuid.UUID, registration: uuid.UUID, source: str) -> None:
    """The change stands in the name of this source: what it reported is no entry of its own any more."""
    reports = Observation.objects.filter(change=change, verb=Verb.OBSERVED, registration=registration)
    reports.filter(pk=observation_id(moment_of(change), change, Verb.OBSERVED, source)).delete()
    reports.update(is_first=False)
    # What became of it is told where it stands.
    Observation.objects.filter(change=change).exclude(verb=Verb.OBSERVED).update(registration=registration)


def keep_places(changes: Iterable[uuid.UUID]) -> int:
    """Each change stands at the least place of all that report it, a comparison where its later document stands; and
    says who they are. How many were moved."""
    moved = 0
    for keys in in_batches(list(changes)):
        rows = list(Change.objects.filter(pk__in=keys).only(*PLACED_BY))
        least = _least_places(rows)
        for row in rows:
            if row.place != (place := _in_its_step(row, least[row.pk])):
                moved += Change.objects.filter(pk=row.pk, place=row.place).update(place=place)
        stamp(keys)
    return moved


def _in_its_step(change: Change, place: str) -> str:
    """Steps are given by `history/steps.py`; a place of before has none."""
    return with_step(place, step_of(change.place)) if len(change.place) == len(place) else place


def place_again(reports: Sequence[Report]) -> None:
    """A notification stands elsewhere: its changes go to the least places of all that reported them."""
    _report_earlier(reports)
    _stand_by(reports)
    _move_to_least([report.change for report in reports])


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
    found = defaultdict(list, {key: [place] for key, place in _own_places(changes).items()})
    others = Observation.objects.filter(change__in=list(found), verb=Verb.OBSERVED).exclude(place="")
    for key, place in others.values_list("change_id", "place"):
        found[key].append(place)
    return {key: min(places) for key, places in found.items()}


def _own_places(changes: Sequence[Change]) -> dict[uuid.UUID, str]:
    """Where the notifications stand that the changes came in."""
    firsts = Notification.objects.defer("organization").in_bulk([change.notification_id for change in changes])
    found: dict[uuid.UUID, str] = {}
    for change in changes:
        first = firsts[change.notification_id]
        # The document itself is the first of its place; its comparison follows.
        index = change.position + 1 if change.derived_from else change.position % CHANGES_OF_AN_ITEM
        moment = first.delivered_at or (first.recorded_at if change.derived_from else change.changed_at)
        found[change.pk] = story_place(first.registration_id, moment, first.place, index, first_step(change.kind))
    return found
