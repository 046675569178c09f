"""A company's history before a day, made smaller so that every state after that day stays what it was.

A snapshot, stamped just before the cut, holds the state of that moment: the document, and what each registration's
last SEED carried, on which the effect of the next one depends. What came before it is no longer needed. A SEED takes up
changes of four days before it once more (history.py), so nothing is removed within four days before the cut.

A registration of whole documents keeps its last SEED itself, because the next one is compared with it. A change that
reports the same fact as one that stays, stays with it: without it the other would hold.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from core.db import in_batches, insert_new
from core.json_text import dump_json
from monitoring import content_ids
from monitoring.figures.projection import project as project_figures
from monitoring.history.checkpoints import forget as forget_checkpoints
from monitoring.history.company_projection import project
from monitoring.history.facts import SEED_MAY_LAG
from monitoring.history.state import SNAPSHOT, STATUS_KINDS, apply_events, events_of
from monitoring.ingest.insert import is_full_product
from monitoring.models import Change, Delivery, Notification, Observation
from monitoring.story_order import is_fetched, notification_key
from portfolio.models import Registration

JUST_BEFORE = timedelta(milliseconds=1)


@dataclass(slots=True)
class Cut:
    """Up to when, of which registrations, and the deliveries that carry the snapshots."""

    at: datetime
    registrations: dict[uuid.UUID, Registration]
    deliveries: dict[uuid.UUID, Delivery]

    @property
    def edge(self) -> datetime:
        return self.at - SEED_MAY_LAG

    @property
    def whole(self) -> set[uuid.UUID]:
        return {key for key, row in self.registrations.items() if is_full_product(row.detail)}


@dataclass(frozen=True, slots=True)
class Old:
    """As much of a change before the edge as the choice looks at."""

    id: uuid.UUID
    kind: str
    is_derived: bool
    notification: uuid.UUID
    holds: bool


def condense(duns: str, cut: Cut) -> int:
    """Make the snapshot, then remove what it stands for; how many rows went. Again, it does nothing."""
    old, seeds = _old_changes(duns, cut), _old_seeds(duns, cut)
    kept_seeds = _last_of_whole(seeds, cut)
    doomed = _without_needed(duns, _doomed(old, kept_seeds))
    if not doomed and not {row.pk for row in seeds} - kept_seeds:
        return 0
    # What they were before the snapshot cannot be told afterwards.
    project_figures([duns])
    insert_new(Notification, [_snapshot(duns, cut)])
    # What arrives late for a time before the snapshot does not come after all that figures were made of.
    project_figures([duns])
    removed = _remove(duns, cut, doomed, kept_seeds)
    forget_checkpoints({}, {duns})
    # Nor after all that was applied.
    project({}, {duns}, bump={duns})
    return removed


def _old_changes(duns: str, cut: Cut) -> list[Old]:
    rows = Change.objects.filter(company=duns, registration__in=list(cut.registrations), changed_at__lt=cut.edge)
    columns = ("id", "kind", "derived_from", "notification_id", "superseded")
    found = rows.order_by("changed_at", "delivered_at", "place", "position", "id").values_list(*columns)
    return [
        Old(key, kind, bool(derived), notification, not superseded)
        for key, kind, derived, notification, superseded in found
    ]


def _old_seeds(duns: str, cut: Cut) -> list[Notification]:
    """Oldest first, without their documents."""
    rows = Notification.objects.filter(
        company=duns, type__in=("SEED", SNAPSHOT), registration__in=list(cut.registrations), delivered_at__lt=cut.edge
    )
    return sorted(rows.defer("organization"), key=notification_key)


def _snapshot(duns: str, cut: Cut) -> Notification:
    """Also of what other contracts' registrations told: the state is the company's."""
    moment = cut.at - JUST_BEFORE
    found = apply_events(events_of([duns], until=moment)[duns])
    carried = {str(registration): sorted(names) for registration, names in found.carried.items()}
    registration = _delivered_by(duns, cut)
    return Notification(
        id=content_ids.content_id(moment, "snapshot", registration.contract_id, duns),
        registration=registration,
        company_id=duns,
        type=SNAPSHOT,
        delivered_at=moment,
        recorded_at=timezone.now(),
        delivery=cut.deliveries[registration.pk],
        position=0,
        organization=dump_json({"carried": carried, "document": found.document}),
    )


def _delivered_by(duns: str, cut: Cut) -> Registration:
    rows = Notification.objects.filter(company=duns, registration__in=list(cut.registrations)).order_by("-delivered_at")
    key = rows.values_list("registration_id", flat=True).first()
    return cut.registrations[key or min(cut.registrations)]


def _last_of_whole(seeds: Iterable[Notification], cut: Cut) -> set[uuid.UUID]:
    """Of those that the next one is compared with."""
    compared = [row for row in seeds if row.registration_id in cut.whole and not is_fetched(row.place)]
    return set({row.registration_id: row.pk for row in compared}.values())


def _doomed(old: Sequence[Old], kept_seeds: set[uuid.UUID]) -> list[uuid.UUID]:
    """All but the last word on whether D&B still keeps the company, and what a SEED stands for that is kept."""
    status = next((row.id for row in reversed(old) if row.kind in STATUS_KINDS and row.holds), None)
    return [row.id for row in old if row.is_derived or not (row.notification in kept_seeds or row.id == status)]


def _without_needed(duns: str, doomed: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Less those that have replaced a change which stays, of whatever contract."""
    going = set(doomed)
    replaced = Change.objects.filter(company=duns).exclude(replaced_by=None).values_list("pk", "replaced_by")
    pairs = [(key, target) for key, target in replaced if target in going]
    while needed := {target for key, target in pairs if key not in going and target in going}:
        going -= needed
    return [key for key in doomed if key in going]


def _remove(duns: str, cut: Cut, doomed: Sequence[uuid.UUID], kept_seeds: set[uuid.UUID]) -> int:
    count = 0
    for batch in in_batches(doomed):
        count += len(batch)
        # With what others reported of them, and what became of them.
        Observation.objects.filter(change__in=batch).delete()
        Change.objects.filter(pk__in=batch).delete()
    old = Notification.objects.filter(
        company=duns, registration__in=list(cut.registrations), delivered_at__lt=cut.edge
    ).values_list("pk", flat=True)
    for batch in in_batches([key for key in old if key not in kept_seeds]):
        used = set(Change.objects.filter(notification__in=batch).values_list("notification_id", flat=True))
        gone = [key for key in batch if key not in used]
        count += len(gone)
        Observation.objects.filter(notification__in=gone).delete()
        Notification.objects.filter(pk__in=gone).delete()
    return count
