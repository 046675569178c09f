"""The scales of D&B's scores, and the band of risk that a value lies in.

D&B's class 1 is the lowest risk and class 5 the highest; 3 is the middle. A percentile has the risk of its class: where
D&B draws the line between classes differs from country to country. Only one without a class is divided into thirds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from monitoring.elements.compare import rating_of


@dataclass(frozen=True, slots=True)
class Band:
    """A part of a scale: from its first to its last place, with its names and its colour."""

    first: float
    last: float
    name: Promise
    words: Promise
    tone: str


@dataclass(frozen=True, slots=True)
class Scale:
    """What is at the bottom of a chart and at its top, the numbers beside it, and its bands; good is always up."""

    low: float
    high: float
    numbers: tuple[int, ...]
    bands: tuple[Band, ...]

    def band_of(self, value: Decimal | float) -> Band | None:
        place = float(value)
        inside = (one for one in self.bands if min(one.first, one.last) <= place <= max(one.first, one.last))
        return next(inside, None)


def _bands(*edges: float) -> tuple[Band, ...]:
    low, moderate, high = zip(edges, edges[1:], strict=False)
    return (
        Band(*low, _("Low"), _("Low risk"), "good"),
        Band(*moderate, _("Moderate"), _("Moderate risk"), "warn"),
        Band(*high, _("High"), _("High risk"), "bad"),
    )


CLASSES = Scale(5.5, 0.5, (1, 2, 3, 4, 5), _bands(0.5, 2.5, 3.5, 5.5))
# A company in one of these failure score classes is at “high failure risk”, on every page.
HIGH_RISK_CLASSES = (4, 5)
CLASS, PERCENTILE = "classScore", "nationalPercentile"
SCALES: Mapping[str, Scale] = {
    PERCENTILE: Scale(1, 100, (1, 34, 67, 100), _bands(100, 67, 34, 1)),
    CLASS: CLASSES,
}
# The digit of a rating, from minimal risk (1) to high risk (4).
RATING_RISK = Scale(4.5, 0.5, (1, 2, 3, 4), _bands(0.5, 2.5, 3.5, 4.5))


def band_of_rating(text: str) -> Band | None:
    _strength, risk = rating_of(text)
    return None if risk is None else RATING_RISK.band_of(risk)
