"""A number over time as a small chart of steps, each value holding until the next: what SVG draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monitoring.scores.bands import Band

WIDTH, HEIGHT = 300.0, 116.0
# The plot inside: left of it the axis' numbers, right of it the bands' names, below it the days.
LEFT, RIGHT, TOP, BOTTOM = 40.0, 228.0, 6.0, 94.0
# Without bands nothing is written on the right, and the numbers may be amounts such as 950,000.
LEFT_OF_AMOUNTS, RIGHT_OF_AMOUNTS = 60.0, 288.0


@dataclass(frozen=True, slots=True)
class Point:
    """A value that holds from a moment on; None where D&B gives none any more."""

    moment: datetime
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Stripe:
    """A band as it is drawn: its place, and where its name stands."""

    band: Band
    top: str
    height: str
    middle: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A number beside the axis."""

    text: str
    y: str
    baseline: str


@dataclass(frozen=True, slots=True)
class Line:
    """Points from one time to another; `low` is at the bottom of the plot and `high` at its top."""

    points: Sequence[Point]
    start: datetime
    end: datetime
    low: float
    high: float
    numbers: Sequence[tuple[str, float]] = ()
    bands: Sequence[Band] = ()

    @property
    def left(self) -> float:
        return LEFT if self.bands else LEFT_OF_AMOUNTS

    @property
    def right(self) -> float:
        return RIGHT if self.bands else RIGHT_OF_AMOUNTS

    @property
    def number_end(self) -> float:
        """Where the numbers beside the axis end."""
        return self.left - 6

    @property
    def width(self) -> float:
        return self.right - self.left

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
                y = self._y(float(point.value))
                drawn.append(f"H{x:.1f}V{y:.1f}" if up else f"M{x:.1f} {y:.1f}")
            up = point.value is not None
        return "".join([*drawn, f"H{self.right:.1f}" if up else ""])

    @property
    def dots(self) -> Iterator[tuple[str, str]]:
        """Where it stands at the end."""
        if (value := self.points[-1].value) is not None:
            yield f"{self.right:.1f}", f"{self._y(float(value)):.1f}"

    @property
    def ticks(self) -> Iterator[Tick]:
        for text, value in self.numbers:
            y = self._y(value)
            yield Tick(text, f"{y:.1f}", f"{y + 3.5:.1f}")

    @property
    def stripes(self) -> Iterator[Stripe]:
        for band in self.bands:
            ends = sorted((self._y(band.first), self._y(band.last)))
            middle = (ends[0] + ends[1]) / 2 + 3.5
            yield Stripe(band, f"{ends[0]:.1f}", f"{ends[1] - ends[0]:.1f}", f"{middle:.1f}")

    def _x(self, moment: datetime) -> float:
        whole = (self.end - self.start).total_seconds() or 1
        share = min(max((moment - self.start).total_seconds() / whole, 0), 1)
        return self.left + share * (self.right - self.left)

    def _y(self, value: float) -> float:
        span = self.high - self.low
        share = min(max((value - self.low) / span, 0), 1) if span else 0.5
        return BOTTOM - share * (BOTTOM - TOP)
