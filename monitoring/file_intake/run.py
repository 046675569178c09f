"""One run of the intake: the lease that makes it the only one, its time, and who reads what it passes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.utils import timezone

from core.leases import Hold, HoldLost, holding
from core.models import Lease
from monitoring.models import DeliveredFile, Delivery

LEASE = "file intake"
# Longer than reading and storing a part takes, or hashing a file of 3 GB.
LASTS = timedelta(minutes=5)
RENEWED_AFTER = 20.0


@dataclass(slots=True)
class Run:
    hold: Hold[Lease]
    keep: Callable[[Delivery], object]
    until: datetime | None = None
    report: Callable[[DeliveredFile], object] = lambda row: None
    is_lost: bool = False
    _renewed: float = field(default_factory=monotonic)

    def renew(self) -> None:
        """Raises HoldLost where another process has taken over."""
        if monotonic() - self._renewed < RENEWED_AFTER:
            return
        try:
            self.hold.renew()
        except HoldLost:
            self.is_lost = True
            raise
        self._renewed = monotonic()

    def has_time(self, is_at_work: bool = True) -> bool:
        """Before each step. Finding the place where the last run stopped is not counted as work."""
        self.renew()
        return not (is_at_work and self.until and timezone.now() >= self.until)

    @property
    def is_over(self) -> bool:
        return self.is_lost or not self.has_time()


@contextmanager
def only_run(keep: Callable[[Delivery], object], until: datetime | None) -> Iterator[Run | None]:
    """None while another process is at it."""
    with holding(LEASE, LASTS) as hold:
        yield Run(hold, keep, until) if hold else None
