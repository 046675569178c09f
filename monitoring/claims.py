"""One reader a delivery: who reads it claims it first, by compare-and-swap and until a moment of the database's clock.

Only the claimant marks it as read. Of one who dies, another takes the delivery when the claim ends. A delivery that is
made for entries of others is claimed from the beginning, so that nobody publishes it before the entries are in it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db.models import Q

from core.bulk import durable_later, update_values
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
    is_used: bool = False

    def keep(self) -> None:
        """Before what others must not do at the same time: renew it where it has become old; raises ClaimLost."""
        if not is_old(self.taken):
            return
        until, now = end_of_a_claim(), monotonic()
        if not self.update_held(claimed_until=until):
            raise ClaimLost
        self.until, self.taken = until, now

    def update_held(self, **values: Any) -> bool:
        """Write to the delivery while nobody else has claimed or read it; False otherwise."""
        held = {"state": DeliveryState.RECEIVED, "claimed_until": self.until}
        return bool(update_values(Delivery, values, pk=self.delivery, **held))

    def release(self) -> None:
        if not self.is_used:
            self.update_held(claimed_until=None)


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
    with claimed_together([delivery]) as claims:
        yield claims.get(delivery.pk)


@contextmanager
def claimed_together(deliveries: Sequence[Delivery]) -> Iterator[dict[uuid.UUID, Claim]]:
    """Claim them for a block; without those that somebody else reads or has read."""
    until = end_of_a_claim()
    claims: dict[uuid.UUID, Claim] = {}
    try:
        with durable_later():
            for delivery in deliveries:
                if _take(delivery.pk, until):
                    claims[delivery.pk] = Claim(delivery.pk, until)
        yield claims
    finally:
        for claim in claims.values():
            claim.release()


def _take(delivery: uuid.UUID, until: datetime) -> bool:
    """From nobody, or from who has let its claim end."""
    of_nobody: tuple[dict[str, Any], ...] = {"claimed_until": None}, {"claimed_until__lt": until - LASTS}
    values, received = {"claimed_until": until}, {"state": DeliveryState.RECEIVED}
    return any(update_values(Delivery, values, pk=delivery, **received, **claim) for claim in of_nobody)
