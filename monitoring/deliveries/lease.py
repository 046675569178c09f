"""One puller a registration: a lease on its row by compare-and-swap, on the database's clock."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from core.db import database_now
from monitoring.story_order import take_turn
from portfolio.models import Registration

# Longer than a call may last in all, so that a lease cannot end while its call is under way.
MARGIN = timedelta(seconds=60)


class LeaseLost(Exception):
    """Somebody else pulls this registration now."""


@dataclass(slots=True)
class Lease:
    registration: uuid.UUID
    owner: uuid.UUID
    fence: int

    def renew(self) -> None:
        """Hold the registration for one more call; raises LeaseLost."""
        if not self._held().update(lease_until=database_now() + duration()):
            raise LeaseLost

    def next_turn(self) -> int:
        """The same for a call that may carry notifications, which takes a turn in the same step; raises LeaseLost."""
        turn = take_turn(self._held(), lease_until=database_now() + duration())
        if turn is None:
            raise LeaseLost
        return turn

    def release(self) -> None:
        self._held().update(lease_owner=None, lease_until=None)

    def update(self, **fields: object) -> None:
        """Change the registration's own fields, if the lease still holds; raises LeaseLost."""
        if not self._held().update(**fields):
            raise LeaseLost

    def _held(self) -> QuerySet[Registration]:
        return Registration.objects.filter(pk=self.registration, lease_owner=self.owner, fence=self.fence)


def duration() -> timedelta:
    return timedelta(seconds=settings.DNB_TIMEOUT) + MARGIN


def take_lease(registration: uuid.UUID) -> Lease | None:
    """The lease, or None while somebody else holds it."""
    now = database_now()
    owner = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    taken = Registration.objects.filter(free, pk=registration).update(
        lease_owner=owner, lease_until=now + duration(), fence=F("fence") + 1
    )
    if not taken:
        return None
    row = Registration.objects.filter(pk=registration, lease_owner=owner).values_list("fence", flat=True).first()
    return None if row is None else Lease(registration, owner, row)


@contextmanager
def leased(registration: uuid.UUID) -> Iterator[Lease | None]:
    """Hold the lease for a block; None when it is not to be had."""
    lease = take_lease(registration)
    try:
        yield lease
    finally:
        if lease:
            lease.release()
