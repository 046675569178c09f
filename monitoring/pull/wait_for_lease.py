"""Wait for a registration that another process holds: for a while, and not in silence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError, CommandParser

from core.leases import releasing
from monitoring.deliveries.lease import RegistrationLease, take_lease
from portfolio.models import Registration
from portfolio.plain_commands import Progress

PAUSE = 0.5
# Longer than the lease of a process that was killed lives on (monitoring.deliveries.lease.duration).
PATIENCE = 120


def add_wait(parser: CommandParser) -> None:
    parser.add_argument(
        "--wait",
        type=float,
        default=PATIENCE,
        metavar="SECONDS",
        help=f"how long to wait for another process that pulls the same registration ({PATIENCE})",
    )


def keep_trying(attempt: Callable[[], bool], registration: Registration, wait: float, shown: Progress) -> bool:
    """Until an attempt succeeds or the patience is over."""
    deadline = time.monotonic() + wait
    told = False
    while not attempt():
        if not told:
            shown.line(f"{registration}: another process is pulling it; waiting for up to {wait:.0f} seconds.")
            told = True
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE)
    return True


@contextmanager
def lease_after_waiting(registration: Registration, wait: float, shown: Progress) -> Iterator[RegistrationLease]:
    held: list[RegistrationLease] = []

    def attempt() -> bool:
        lease = take_lease(registration.pk)
        held.extend([lease] if lease else [])
        return lease is not None

    if not keep_trying(attempt, registration, wait, shown):
        raise CommandError(f"{registration}: another process is still pulling it. Try again later.")
    with releasing(held[0]):
        yield held[0]
