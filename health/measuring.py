"""How fast it is: time of a pull, rate of reading, and from received to visible, out of the deliveries themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.models import Delivery, DeliveryState, Source
from portfolio.filters import key_at

MOST = 2_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Percentiles in seconds; None where there was nothing to measure."""

    pulls: int
    notifications: int
    pull: dict[str, float] | None
    visible: dict[str, float] | None
    rate: float | None

    def as_numbers(self) -> dict[str, Any]:
        return {
            "pulls": self.pulls,
            "notifications": self.notifications,
            "pull": self.pull,
            "visible": self.visible,
            "rate": self.rate,
        }


def measure(start: datetime, end: datetime) -> Measured:
    """Of the last pulls of a time that brought something; keys begin with the time, so an index answers."""
    rows = Delivery.objects.filter(
        state=DeliveryState.PUBLISHED, source=Source.PULL, id__gte=key_at(start), id__lt=key_at(end)
    ).order_by("-id")
    fields = ("asked_at", "ended_at", "received_at", "published_at", "notification_count")
    found = [row for row in rows.values_list(*fields)[:MOST] if None not in row]
    seconds = [(ended - asked).total_seconds() for asked, ended, *_ in found]
    visible = [(published - received).total_seconds() for _, _, received, published, _ in found]
    count = sum(row[-1] for row in found)
    rate = round(count / sum(visible), 1) if sum(visible) > 0 else None
    return Measured(len(found), count, percentiles(seconds), percentiles(visible), rate)


def percentiles(values: Iterable[float]) -> dict[str, float] | None:
    """Half of them, 95 and 99 in a hundred are not above it."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {name: round(at(ordered, share), 4) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def at(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]
