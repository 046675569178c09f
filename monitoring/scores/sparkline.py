"""A number over time as a small line of steps, each value holding until the next: what SVG draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

WIDTH, HEIGHT, EDGE = 240.0, 52.0, 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value that holds from a moment on; None where D&B gives none any more."""

    moment: datetime
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Line:
    """Points from one time to another; `low` and `high` are the ends of the scale."""

    points: Sequence[Point]
    start: datetime
    end: datetime
    low: float
    high: float

    @property
    def path(self) -> str:
        """What SVG draws; broken where there was no value."""
        drawn: list[str] = []
        up = False
        for point in self.points:
            x = self._x(point.moment)
            if point.value is None:
                drawn.append(f"H{x:.1f}" if up else "")
            else:
                drawn.append(f"H{x:.1f}V{self._y(point.value):.1f}" if up else f"M{x:.1f} {self._y(point.value):.1f}")
            up = point.value is not None
        return "".join([*drawn, f"H{WIDTH - EDGE:.1f}" if up else ""])

    @property
    def dots(self) -> Iterator[tuple[str, str]]:
        """Where it stands at the end."""
        if (value := self.points[-1].value) is not None:
            yield f"{WIDTH - EDGE:.1f}", f"{self._y(value):.1f}"

    def _x(self, moment: datetime) -> float:
        whole = (self.end - self.start).total_seconds() or 1
        share = min(max((moment - self.start).total_seconds() / whole, 0), 1)
        return EDGE + share * (WIDTH - 2 * EDGE)

    def _y(self, value: Decimal) -> float:
        span = self.high - self.low
        share = min(max((float(value) - self.low) / span, 0), 1) if span else 0.5
        return HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)
