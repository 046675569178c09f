"""Read all stored deliveries again, beside what is there; then remove what none of them yields any more.

Everything after the stored bytes is derived from them, so it can be made again: after a better reader, a restored
backup, a doubt. Pages stay up meanwhile and pulling goes on. Rows keep the delivery that brought them, and so their
publication's number; only changes that no longer hold, or hold again, are published, and nobody is notified. Alerts
tell the changes that hold instead of those that do not; those that the program closed for changes that do not hold are
opened again, and those whose changes did not happen are closed with a note. It may be stopped and begun again at any
point.

What cannot be read again is no reason to remove anything: rows stay when the bytes of their delivery are no longer
stored, or when their item is unreadable now.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.db import clean_text, in_batches
from core.models import Blob
from monitoring.alerts.after_rebuild import correct_alerts
from monitoring.alerts.auto_resolve import review_all_reversals
from monitoring.elements.registry import SeverityTable, element_key
from monitoring.history.company_projection import project
from monitoring.history.seed_diff import compare_company
from monitoring.history.settle import Touched, settle
from monitoring.ingest.insert import Batch, is_full_product, place_in_story, read
from monitoring.ingest.parser import Fact, Reading
from monitoring.models import (
    Change,
    DailyStat,
    DeadLetter,
    DeadLetterState,
    Delivery,
    DeliveryState,
    Notification,
    Publication,
)
from monitoring.pipeline.ingest import Apart, write
from monitoring.publications.sequence import counts_of
from monitoring.rebuild.company_times import is_same, mend_times
from monitoring.stats.daily_counts import days_touched, recount
from monitoring.stats.latency import forget_delays
from monitoring.story_order import place_of
from portfolio.models import Company, Registration

logger = logging.getLogger(__name__)
AT_ONCE = 200
# Ids of rows that may have to go, kept in memory; more of them cost another reading of the deliveries.
MOST_SUSPECTS = 200_000

Report = Callable[[str], None]


@dataclass(slots=True)
class Rebuilt:
    deliveries: int = 0
    unreadable: int = 0
    added: int = 0
    mended: int = 0
    removed: int = 0
    companies: int = 0
    days: int = 0
    alerts: int = 0


@dataclass(slots=True)
class Suspects:
    """Rows that their own delivery yields no more; another one may."""

    notifications: set[uuid.UUID] = field(default_factory=set)
    changes: set[uuid.UUID] = field(default_factory=set)
    touched: set[uuid.UUID] = field(default_factory=set)
    # What no longer holds, or holds again, is published once for each registration.
    corrections: dict[uuid.UUID, Apart] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.notifications) + len(self.changes)


def rebuild(*, report: Report = lambda text: None) -> Rebuilt:
    result, suspects = Rebuilt(), Suspects()
    for delivery in stored_deliveries():
        read_again(delivery, result, suspects)
        report(f"{result.deliveries:,} deliveries processed again")
        if len(suspects) >= MOST_SUSPECTS:
            remove(suspects, result)
    remove(suspects, result)
    for corrections in suspects.corrections.values():
        corrections.publish()
    project_all(result, report)
    result.alerts = correct_alerts() + review_all_reversals()
    count_all(result, report)
    return result


def stored_deliveries() -> Iterator[Delivery]:
    """Those that were read and whose bytes are there, oldest first."""
    last = uuid.UUID(int=0)
    was_read = Delivery.objects.filter(state__in=(DeliveryState.INGESTED, DeliveryState.PUBLISHED))
    while batch := list(was_read.filter(pk__gt=last).select_related("registration").order_by("pk")[:AT_ONCE]):
        last = batch[-1].pk
        keys = [delivery.pk for delivery in batch]
        stored = set(Blob.objects.filter(owner__in=keys, part=0).values_list("owner", flat=True))
        yield from (delivery for delivery in batch if delivery.pk in stored)


def read_again(delivery: Delivery, result: Rebuilt, suspects: Suspects) -> None:
    before = _count_rows(delivery)
    try:
        batch = read(delivery)
    except ValueError as error:
        logger.warning("delivery %s cannot be read again: %s", delivery.pk, error)
        result.unreadable += 1
        return
    apart = suspects.corrections.setdefault(delivery.registration_id, Apart(delivery))
    write(delivery, apart.delivery)
    added = _count_rows(delivery) - before
    if added:
        suspects.touched.add(delivery.pk)
    result.deliveries += 1
    result.added += added
    result.mended += _compare_notifications(batch, suspects) + _compare_changes(batch, suspects)
    _close_dead_letters(batch)


def _count_rows(delivery: Delivery) -> int:
    return sum(model._default_manager.filter(delivery=delivery).count() for model in (Notification, Change))


def _compare_notifications(batch: Batch, suspects: Suspects) -> int:
    computed = {reading.id: reading for reading in reversed(batch.readings)}
    unreadable = _unreadable(batch)
    mended = 0
    for row in Notification.objects.filter(delivery=batch.delivery):
        reading = computed.get(row.pk)
        if reading:
            mended += _mend(row, _notification_columns(reading))
        elif row.position not in unreadable:
            suspects.notifications.add(row.pk)
    return mended


def _notification_columns(reading: Reading) -> dict[str, Any]:
    return {
        "type": clean_text(reading.item.type, 64),
        "delivered_at": reading.delivered_at,
        "position": reading.position,
        "retained_duns": clean_text(reading.item.retained_duns or "", 32),
        "organization": reading.organization,
    }


def _compare_changes(batch: Batch, suspects: Suspects) -> int:
    computed = {fact.id: (reading, fact) for reading, fact in reversed(list(_facts(batch)))}
    unreadable = _unreadable(batch)
    mended = 0
    for row in Change.objects.filter(delivery=batch.delivery, derived_from=""):
        found = computed.get(row.pk)
        if found:
            mended += _mend(row, _change_columns(batch, *found))
        elif row.position // 1000 not in unreadable:
            suspects.changes.add(row.pk)
    return mended


def _facts(batch: Batch) -> Iterator[tuple[Reading, Fact]]:
    for reading in batch.readings:
        for fact in reading.facts:
            yield reading, fact


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


def remove(suspects: Suspects, result: Rebuilt) -> None:
    """Give to another delivery what that one yields as well; remove the rest; forget the suspects."""
    if len(suspects):
        give_away(suspects)
        for changes in in_batches(sorted(suspects.changes)):
            result.removed += _remove_changes(changes, suspects)
        for notifications in in_batches(sorted(suspects.notifications)):
            result.removed += _remove_notifications(notifications, suspects)
    for batch in in_batches(sorted(suspects.touched)):
        count_deliveries(batch)
    suspects.notifications.clear()
    suspects.changes.clear()
    suspects.touched.clear()


def give_away(suspects: Suspects) -> None:
    for delivery in stored_deliveries():
        if not len(suspects):
            return
        batch = _read_if_possible(delivery)
        for reading in batch.readings:
            if reading.id in suspects.notifications:
                suspects.notifications.discard(reading.id)
                place = place_of(delivery, reading.position)
                _own(Notification, reading.id, delivery, suspects, position=reading.position, place=place)
        for reading, fact in _facts(batch):
            if fact.id in suspects.changes:
                suspects.changes.discard(fact.id)
                owner = {"registration_id": delivery.registration_id, "notification_id": reading.id}
                _own(Change, fact.id, delivery, suspects, place=place_in_story(batch, reading, fact), **owner)


def _read_if_possible(delivery: Delivery) -> Batch:
    try:
        return read(delivery)
    except ValueError:
        return Batch(delivery, timezone.now(), None)


def _own(
    model: type[Notification] | type[Change], key: uuid.UUID, delivery: Delivery, suspects: Suspects, **columns: Any
) -> None:
    row = model._default_manager.filter(pk=key)
    suspects.touched.update(row.values_list("delivery_id", flat=True))
    suspects.touched.add(delivery.pk)
    row.update(delivery_id=delivery.pk, **columns)


def _remove_changes(keys: Sequence[uuid.UUID], suspects: Suspects) -> int:
    rows = Change.objects.filter(pk__in=keys)
    suspects.touched.update(rows.values_list("delivery_id", flat=True))
    count = rows.count()
    rows.delete()
    return count


def _remove_notifications(keys: Sequence[uuid.UUID], suspects: Suspects) -> int:
    """With what was derived from them; those that some change still stands on stay."""
    rows = list(Notification.objects.filter(pk__in=keys).select_related("delivery__registration").defer("organization"))
    removed = sum(_remove_derived(row) for row in rows if row.type == "SEED")
    used = set(Change.objects.filter(notification__in=keys).values_list("notification_id", flat=True))
    gone = [row for row in rows if row.pk not in used]
    suspects.touched.update(row.delivery_id for row in gone)
    Notification.objects.filter(pk__in=[row.pk for row in gone]).delete()
    for row in gone:
        _compare_seeds_again(row, suspects)
    return removed + len(gone)


def _remove_derived(seed: Notification) -> int:
    derived = _derived(seed).filter(derived_from__contains=str(seed.pk))
    count = derived.count()
    derived.delete()
    return count


def _compare_seeds_again(gone: Notification, suspects: Suspects) -> None:
    """The SEEDs before and after the one that is gone are neighbours now."""
    if gone.type == "SEED" and is_full_product(gone.delivery.registration.detail):
        _derived(gone).filter(superseded=True).delete()
        compare_company(gone.delivery, gone.company_id, SeverityTable())
        touched = Touched({gone.company_id: gone.delivered_at or gone.recorded_at})
        settle(touched, None, suspects.corrections.setdefault(gone.registration_id, Apart(gone.delivery)).delivery)


def _derived(seed: Notification) -> QuerySet[Change]:
    rows = Change.objects.filter(company=seed.company_id, registration=seed.registration_id)
    return rows.exclude(derived_from="")


def count_deliveries(keys: Iterable[uuid.UUID]) -> None:
    for key in keys:
        Delivery.objects.filter(pk=key).update(new_count=Notification.objects.filter(delivery=key).count())
        Publication.objects.filter(delivery=key).update(**counts_of(key))


def project_all(result: Rebuilt, report: Report) -> None:
    last = ""
    while batch := list(Company.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        last = batch[-1]
        project({}, set(batch), bump=set(batch))
        mend_times(batch)
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
