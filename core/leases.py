"""Work that only one process may do at a time: a lease on a row by compare-and-swap, on the database's clock.

The row is of any model that is `Leased`; what else changes with the lease changes in the same step. Where a row's own
time says when it is next somebody's turn (a message, a file on a schedule, the renewal of a token), moving that time on
by compare-and-swap is all: nobody renews it or gives it back, so it is no lease.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Self, TypeVar

from django.db.models import F, Q, QuerySet

from core.db import database_now, insert_new
from core.models import Lease, Leased

Row = TypeVar("Row", bound=Leased)
AnyHold = TypeVar("AnyHold", bound="Hold[Any]")
# A hold cannot end while the step it is renewed for is still under way.
MARGIN = timedelta(seconds=30)
NOBODYS: dict[str, Any] = {"lease_owner": None, "lease_until": None}


class HoldLost(Exception):
    """Somebody else does this work now."""


@dataclass(slots=True)
class Hold(Generic[Row]):
    """The lease of one row, taken; each step lasts so long at most."""

    row: QuerySet[Row]
    lasts: timedelta
    owner: uuid.UUID
    fence: int

    @classmethod
    def take(cls, row: QuerySet[Row], lasts: timedelta, **also: Any) -> Self | None:
        """The lease of the one row in the queryset, with other columns set in the same step; None while somebody else
        holds it."""
        now, owner = database_now(), uuid.uuid4()
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
        lease = {"lease_owner": owner, "lease_until": now + lasts, "fence": F("fence") + 1}
        if not row.filter(free).update(**lease, **also):
            return None
        fence = row.filter(lease_owner=owner).values_list("fence", flat=True).first()
        return None if fence is None else cls(row, lasts, owner, fence)

    def renew(self, *, seconds: float = 0) -> None:
        """Keep it for one more step that may last `seconds` longer than others; raises HoldLost."""
        self.update(lease_until=self.next_end(seconds))

    def update(self, **fields: Any) -> None:
        """Change columns of the row if the lease still holds; raises HoldLost."""
        if not self.held().update(**fields):
            raise HoldLost

    def release(self) -> None:
        self.held().update(**NOBODYS)

    def held(self) -> QuerySet[Row]:
        """The row while it is held by this; empty when somebody else has it."""
        return self.row.filter(lease_owner=self.owner, fence=self.fence)

    def next_end(self, seconds: float = 0) -> datetime:
        return database_now() + self.lasts + timedelta(seconds=seconds)


@contextmanager
def releasing(hold: AnyHold | None) -> Iterator[AnyHold | None]:
    """What was taken, for a block, and given back behind it."""
    try:
        yield hold
    finally:
        if hold:
            hold.release()


@contextmanager
def holding(key: str, lasts: timedelta) -> Iterator[Hold[Lease] | None]:
    """Hold the work for a block whose steps last so long at most; None while somebody else does it."""
    insert_new(Lease, [Lease(key=key)])
    with releasing(Hold.take(Lease.objects.filter(pk=key), lasts + MARGIN)) as hold:
        yield hold


def is_held(row: Leased) -> bool:
    return bool(row.lease_until and row.lease_until > database_now())
