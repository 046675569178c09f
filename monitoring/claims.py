"""One reader a delivery: who reads it claims it first, by compare-and-swap and until a moment of the database's clock.

Only the claimant marks it as read. Of one who dies, another takes the delivery when the claim ends. A delivery that is
made for entries of others is claimed from the beginning, so that nobody publishes it before the entries are in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.db.models import Q, QuerySet

from core.db import database_now
from monitoring.models import Delivery, DeliveryState

LASTS = timedelta(minutes=5)


class ClaimLost(Exception):
    """It took so long that the claim ended, and somebody else reads the delivery."""


@dataclass(slots=True)
class Claim:
    delivery: uuid.UUID
    until: datetime
    taken: float = field(default_factory=monotonic)

    def keep(self) -> None:
        """Before what others must not do at the same time: renew it where it has become old; raises ClaimLost."""
        if not is_old(self.taken):
            return
        until, now = end_of_a_claim(), monotonic()
        if not self.held().update(claimed_until=until):
            raise ClaimLost
        self.until, self.taken = until, now

    def held(self) -> QuerySet[Delivery]:
        """The delivery while nobody else has claimed or read it."""
        return Delivery.objects.filter(pk=self.delivery, state=DeliveryState.RECEIVED, claimed_until=self.until)

    def release(self) -> None:
        self.held().update(claimed_until=None)


def end_of_a_claim() -> datetime:
    return database_now() + LASTS


def is_old(taken: float) -> bool:
    """Whether it is time to renew a claim that was taken then, by this process's own clock."""
    return monotonic() - taken > LASTS.total_seconds() / 3


def unclaimed() -> Q:
    return Q(claimed_until=None) | Q(claimed_until__lt=database_now())


@contextmanager
def claimed(delivery: Delivery) -> Iterator[Claim | None]:
    """Claim it for a block; None where somebody else reads it or has read it."""
    until = end_of_a_claim()
    waiting = Delivery.objects.filter(unclaimed(), pk=delivery.pk, state=DeliveryState.RECEIVED)
    claim = Claim(delivery.pk, until) if waiting.update(claimed_until=until) else None
    try:
        yield claim
    finally:
        if claim:
            claim.release()
