"""Work that only one process may do at a time: a lease on a row by compare-and-swap, on the database's clock."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet

from core.db import database_now, insert_new
from core.models import WorkLease

# A hold cannot end while the step it is renewed for is still under way.
MARGIN = timedelta(seconds=30)


class HoldLost(Exception):
    """Somebody else does this work now."""


@dataclass(slots=True)
class Hold:
    key: str
    owner: uuid.UUID
    lasts: timedelta

    def renew(self, *, seconds: float = 0) -> None:
        """Keep it for one more step that may last `seconds` longer than others; raises HoldLost."""
        if not self._row().update(until=database_now() + self.lasts + MARGIN + timedelta(seconds=seconds)):
            raise HoldLost

    def release(self) -> None:
        self._row().update(owner=None, until=None)

    def _row(self) -> QuerySet[WorkLease]:
        return WorkLease.objects.filter(pk=self.key, owner=self.owner)


@contextmanager
def holding(key: str, lasts: timedelta) -> Iterator[Hold | None]:
    """Hold the work for a block whose steps last so long at most; None while somebody else does it."""
    hold = _take(key, lasts)
    try:
        yield hold
    finally:
        if hold:
            hold.release()


def _take(key: str, lasts: timedelta) -> Hold | None:
    insert_new(WorkLease, [WorkLease(key=key)])
    now, hold = database_now(), Hold(key, uuid.uuid4(), lasts)
    free = Q(until__isnull=True) | Q(until__lt=now)
    taken = WorkLease.objects.filter(free, pk=key).update(owner=hold.owner, until=now + lasts + MARGIN)
    return hold if taken else None
