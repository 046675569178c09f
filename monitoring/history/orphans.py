"""Changes that were replaced by one that is gone: they are settled again, and what holds takes its part."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.db import existing_keys
from monitoring.history.settle import Touched
from monitoring.models import Change

AT_ONCE = 500


@dataclass(slots=True)
class Orphans:
    touched: Touched = field(default_factory=Touched)
    # By the change that is gone, those that it had replaced.
    of: dict[uuid.UUID, list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))
    deliveries: set[uuid.UUID] = field(default_factory=set)
    # A registration that is left, by the company.
    registrations: dict[str, uuid.UUID] = field(default_factory=dict)

    def add(self, row: Change) -> None:
        self.touched.add(row.company_id, row.kind, row.changed_at)
        self.deliveries.add(row.delivery_id)
        self.registrations[row.company_id] = row.registration_id

    def heirs(self) -> Mapping[uuid.UUID, uuid.UUID]:
        """After they were settled: what holds now, by the change that is gone."""
        found: dict[uuid.UUID, uuid.UUID] = {}
        for gone, keys in self.of.items():
            rows = Change.objects.filter(pk__in=keys).order_by("superseded", "changed_at", "place", "id")
            first = rows.only("superseded", "replaced_by").first()
            heir = first and (first.replaced_by if first.superseded else first.pk)
            if heir and heir != gone:
                found[gone] = heir
        return found


def find_orphans() -> Orphans:
    """Looks at every change that is replaced: whoever is stopped between removing and settling finds the rest again."""
    orphans = Orphans()
    for batch in _replaced():
        targets = [row.replaced_by for row in batch if row.replaced_by]
        known = existing_keys(Change, targets)
        for row in batch:
            if row.replaced_by and row.replaced_by not in known:
                orphans.of[row.replaced_by].append(row.pk)
                orphans.add(row)
    return orphans


def _replaced() -> Iterator[list[Change]]:
    columns = ("company_id", "kind", "changed_at", "delivery_id", "registration_id", "replaced_by")
    rows = Change.objects.exclude(replaced_by=None).only(*columns).order_by("pk")
    last = uuid.UUID(int=0)
    while batch := list(rows.filter(pk__gt=last)[:AT_ONCE]):
        last = batch[-1].pk
        yield batch
