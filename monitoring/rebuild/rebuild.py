"""Read all stored deliveries again, beside what is there; then remove what none of them yields any more.

Everything after the stored bytes is derived from them, so it can be made again: after a better reader, a restored
backup, a doubt. Pages stay up meanwhile and pulling goes on. Rows keep the delivery that brought them, and so their
publication's number; only changes that no longer hold, or hold again, are published once for each registration, and
nobody is notified. Reports that no stored delivery yields go, unless their delivery's bytes are gone. Alerts
tell the changes that hold instead of those that do not; those that the program closed for changes that do not hold are
opened again, and those whose changes did not happen are closed with a note. It may be stopped and begun again at any
point.

What cannot be read again is no reason to remove anything: rows stay when the bytes of their delivery are no longer
stored, or when their item is unreadable now.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Model

from core.db import clean_text, in_batches
from monitoring.alerts.after_rebuild import correct_alerts
from monitoring.alerts.auto_resolve import review_all_reversals
from monitoring.elements.registry import element_key
from monitoring.figures.projection import project_all as project_all_figures
from monitoring.history.checkpoints import forget as forget_checkpoints
from monitoring.history.company_projection import project
from monitoring.history.settle import settle
from monitoring.ingest.batch import Batch, read
from monitoring.ingest.parser import Fact, Reading
from monitoring.models import (
    Change,
    DailyStat,
    DeadLetter,
    DeadLetterState,
    Delivery,
    Notification,
    Observation,
    Verb,
)
from monitoring.observations import keep_places
from monitoring.pipeline.apart import Apart
from monitoring.pipeline.ingest import write
from monitoring.rebuild.company_times import is_same, mend_times
from monitoring.rebuild.removal import AT_ONCE, Suspects, count_what_is_gone, facts_of, remove, stored_deliveries
from monitoring.stats.daily_counts import days_touched, recount
from monitoring.stats.latency import forget_delays
from monitoring.story_order import place_of
from portfolio.companies.word_index import verify_words
from portfolio.models import Company, Registration

logger = logging.getLogger(__name__)
# Ids of rows that may have to go, kept in memory; more of them cost another reading of the deliveries.
MOST_SUSPECTS = 200_000

COUNTED: tuple[type[Model], ...] = (Notification, Change, Observation)

Report = Callable[[str], None]


@dataclass(slots=True)
class Rebuilt:
    deliveries: int = 0
    unreadable: int = 0
    added: int = 0
    mended: int = 0
    removed: int = 0
    companies: int = 0
    figures: int = 0
    days: int = 0
    alerts: int = 0
    # What changed in the story: how many changes others reported too, and what became of those that were there.
    observed: int = 0
    replaced: int = 0
    withdrawn: int = 0
    reinstated: int = 0
    story_companies: int = 0


def rebuild(*, report: Report = lambda text: None) -> Rebuilt:
    result, suspects = Rebuilt(), Suspects()
    result.mended += place_all(report)
    for delivery in stored_deliveries():
        read_again(delivery, result, suspects)
        report(f"{result.deliveries:,} deliveries processed again")
        if len(suspects) >= MOST_SUSPECTS:
            result.removed += remove(suspects)
    result.removed += remove(suspects)
    count_what_is_gone()
    settle_all(suspects, result, report)
    project_all(result, report)
    result.figures = project_all_figures(report)
    result.alerts = correct_alerts() + review_all_reversals()
    count_all(result, report)
    return result


def place_all(report: Report) -> int:
    """Changes stand where all that is known of who reported them puts them: rows of before may not name the source."""
    last, placed, mended = uuid.UUID(int=0), 0, 0
    keys = Change.objects.order_by("pk").values_list("pk", flat=True)
    while batch := list(keys.filter(pk__gt=last)[:AT_ONCE]):
        last = batch[-1]
        mended += keep_places(batch)
        placed += len(batch)
        report(f"{placed:,} changes put in order")
    return mended


def settle_all(suspects: Suspects, result: Rebuilt, report: Report) -> None:
    """At last, when all that was reported is there: what holds, and what does not."""
    companies: set[str] = set()
    for registration, touched in sorted(suspects.story.items()):
        newest = Delivery.objects.filter(registration=registration).order_by("-pk").first()
        if newest is None:
            continue
        apart = Apart(newest)
        settled = settle(touched, None, apart.delivery)
        apart.publish()
        companies |= settled.companies
        result.replaced += settled.verbs[Verb.REPLACED]
        result.withdrawn += settled.verbs[Verb.WITHDRAWN]
        result.reinstated += settled.verbs[Verb.REINSTATED]
        report(f"{len(companies):,} companies settled")
    result.story_companies = len(companies)


def read_again(delivery: Delivery, result: Rebuilt, suspects: Suspects) -> None:
    before = _count_rows(delivery)
    try:
        batch = read(delivery)
    except ValueError as error:
        logger.warning("delivery %s cannot be read again: %s", delivery.pk, error)
        result.unreadable += 1
        return
    result.observed += len(write(delivery, settle_later=suspects.story[delivery.registration_id]).observed)
    added = _count_rows(delivery) - before
    if added:
        suspects.touched.add(delivery.pk)
    result.deliveries += 1
    result.added += added
    mended = _compare_notifications(batch, suspects) + _compare_changes(batch, suspects)
    if mended:
        # Places follow from the columns.
        keep_places([row.pk for row in _changes_of(batch)])
    result.mended += mended
    _compare_observations(batch, suspects)
    _close_dead_letters(batch)


def _count_rows(delivery: Delivery) -> int:
    return sum(model._default_manager.filter(delivery=delivery).count() for model in COUNTED)


def _compare_notifications(batch: Batch, suspects: Suspects) -> int:
    computed = {reading.id: reading for reading in reversed(batch.readings)}
    unreadable = _unreadable(batch)
    mended = 0
    for row in Notification.objects.filter(delivery=batch.delivery):
        reading = computed.get(row.pk)
        if reading:
            mended += _mend(row, _notification_columns(batch, reading, row))
        elif row.position not in unreadable:
            suspects.notifications.add(row.pk)
    return mended


def _notification_columns(batch: Batch, reading: Reading, row: Notification) -> dict[str, Any]:
    is_represented_here = row.place == place_of(batch.delivery, reading.position)
    return {
        "type": clean_text(reading.item.type, 64),
        "delivered_at": reading.delivered_at if is_represented_here else row.delivered_at,
        "position": reading.position,
        "retained_duns": clean_text(reading.item.retained_duns or "", 32),
        "organization": reading.organization,
    }


def _compare_changes(batch: Batch, suspects: Suspects) -> int:
    """Of its notifications; the delivery with which a change was published may be another one."""
    computed = {fact.id: (reading, fact) for reading, fact in reversed(list(facts_of(batch)))}
    unreadable = _unreadable(batch)
    mended = 0
    for row in _changes_of(batch, derived_from=""):
        found = computed.get(row.pk)
        if found:
            mended += _mend(row, _change_columns(batch, *found))
        elif row.position // 1000 not in unreadable:
            suspects.changes.add(row.pk)
    return mended


def _changes_of(batch: Batch, **which: str) -> Iterator[Change]:
    own = list(Notification.objects.filter(delivery=batch.delivery).values_list("pk", flat=True))
    for keys in in_batches(own):
        yield from list(Change.objects.filter(notification__in=keys, **which))


def _compare_observations(batch: Batch, suspects: Suspects) -> None:
    computed = {fact.id for _, fact in facts_of(batch)}
    unreadable = _unreadable(batch)
    rows = Observation.objects.filter(delivery=batch.delivery, verb=Verb.OBSERVED)
    for key, change, position in rows.values_list("pk", "change_id", "notification__position"):
        if change not in computed and position not in unreadable:
            suspects.observations.add(key)


def _change_columns(batch: Batch, reading: Reading, fact: Fact) -> dict[str, Any]:
    """Without the severity, which people set and which holds from then on."""
    columns: dict[str, Any] = {
        "kind": fact.kind,
        "element": element_key(fact.path),
        "previous": fact.previous,
        "current": fact.current,
        "delivered_at": reading.delivered_at,
        "notification_id": reading.id,
    }
    changed_at = fact.moment or reading.delivered_at or batch.stamp
    return columns | ({"changed_at": changed_at} if changed_at else {})


def _unreadable(batch: Batch) -> set[int]:
    return {unreadable.position for unreadable in batch.unreadable}


def _mend(row: Notification | Change, columns: dict[str, Any]) -> bool:
    different = {name: value for name, value in columns.items() if not is_same(getattr(row, name), value)}
    if different:
        type(row)._default_manager.filter(pk=row.pk).update(**different)
    return bool(different)


def _close_dead_letters(batch: Batch) -> None:
    """An item that can be read now is unreadable no longer."""
    letters = DeadLetter.objects.filter(delivery=batch.delivery, state=DeadLetterState.OPEN)
    letters.exclude(position__in=_unreadable(batch)).update(state=DeadLetterState.SOLVED)


def project_all(result: Rebuilt, report: Report) -> None:
    last = ""
    while batch := list(Company.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        last = batch[-1]
        forget_checkpoints({}, batch)
        project({}, set(batch), bump=set(batch))
        mend_times(batch)
        verify_words(batch)
        result.companies += len(batch)
        report(f"{result.companies:,} companies updated")


def count_all(result: Rebuilt, report: Report) -> None:
    for day in sorted(_all_days()):
        recount(day)
        result.days += 1
        report(f"{result.days:,} days counted")
    forget_delays()


def _all_days() -> set[date]:
    days = set(DailyStat.objects.order_by().values_list("day", flat=True).distinct())
    for registration in Registration.objects.values_list("pk", flat=True):
        last = uuid.UUID(int=0)
        deliveries = Delivery.objects.filter(registration=registration).order_by("pk")
        while batch := list(deliveries.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]):
            last = batch[-1]
            days |= days_touched(batch)
    return days
