"""One puller a registration: the lease of its own row, with which it takes its turns."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from datetime import timedelta

from django.conf import settings

from core.leases import Hold, HoldLost, releasing
from monitoring.story_order import take_turn
from portfolio.models import Registration

# Longer than a call may last in all, so that a lease cannot end while its call is under way.
MARGIN = timedelta(seconds=60)


class RegistrationLease(Hold[Registration]):
    """Of a registration: nobody else pulls it."""

    __slots__ = ()

    def next_turn(self) -> int:
        """Renew it for a call that may carry notifications, which takes a turn in the same step; raises HoldLost."""
        turn = take_turn(self.held(), lease_until=self.next_end())
        if turn is None:
            raise HoldLost
        return turn


def duration() -> timedelta:
    return timedelta(seconds=settings.DNB_TIMEOUT) + MARGIN


def take_lease(registration: uuid.UUID) -> RegistrationLease | None:
    """The lease, or None while somebody else holds it."""
    return RegistrationLease.take(Registration.objects.filter(pk=registration), duration())


def leased(registration: uuid.UUID) -> AbstractContextManager[RegistrationLease | None]:
    """Hold the lease for a block; None when it is not to be had."""
    return releasing(take_lease(registration))
