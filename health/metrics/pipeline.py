"""How fast it is: time of a pull, rate of reading, and from received to visible, out of the deliveries themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.admin.filters import key_at
from monitoring.models import Delivery, DeliveryState, Source

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


class Pull(NamedTuple):
    """A call that brought something, until all could see it."""

    called_at: datetime
    ended_at: datetime
    received_at: datetime
    published_at: datetime
    notifications: int


def measure(start: datetime, end: datetime) -> Measured:
    return measured(pulls_between(start, end))


def pulls_between(start: datetime, end: datetime) -> list[Pull]:
    """The last pulls of a time that brought something; keys begin with the time, so an index answers."""
    rows = Delivery.objects.filter(
        state=DeliveryState.PUBLISHED, source=Source.PULL, id__gte=key_at(start), id__lt=key_at(end)
    ).order_by("-id")
    fields = ("called_at", "ended_at", "received_at", "published_at", "notification_count")
    return [Pull(*row) for row in rows.values_list(*fields)[:MOST] if None not in row]


def measured(pulls: Sequence[Pull]) -> Measured:
    seconds = [(pull.ended_at - pull.called_at).total_seconds() for pull in pulls]
    visible = [(pull.published_at - pull.received_at).total_seconds() for pull in pulls]
    count = sum(pull.notifications for pull in pulls)
    rate = round(count / sum(visible), 1) if sum(visible) > 0 else None
    return Measured(len(pulls), count, percentiles(seconds), percentiles(visible), rate)


def percentiles(values: Iterable[float]) -> dict[str, float] | None:
    """Half of them, 95 and 99 in a hundred are not above it."""
    ordered = sorted(values)
    if not ordered:
        return None
    return {name: round(at(ordered, share), 4) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}


def at(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile."""
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]
