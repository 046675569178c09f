"""A company's scores over time: from its own changes to small lines, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from monitoring.elements.compare import course
from monitoring.elements.formatting import number, plain_text, unit_of, words
from monitoring.elements.severity import default_label
from monitoring.history.score_series import ScoreSeries
from monitoring.models import Element
from monitoring.scores.bands import CLASS, PERCENTILE, SCALES, Band, band_of_rating
from monitoring.scores.compact import compact
from monitoring.scores.sparkline import Line, Point

MOST = 12
TONES = {"better": "good", "worse": "bad", "": "calm"}
SHORT = {"maximumRecommendedLimit": _("Recommended credit limit")}


@dataclass(slots=True)
class Score:
    """One number of D&B's assessment, and how it moved."""

    path: str
    label: str
    unit: str = ""
    points: list[Point] = field(default_factory=list)
    line: Line | None = None
    # Of a percentile with a class beside it: which class it is in, D&B decides by country.
    of_class: Band | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def values(self) -> list[Decimal]:
        return [point.value for point in self.points if point.value is not None]

    @property
    def last(self) -> str:
        value = self.points[-1].value
        return gettext("none") if value is None else self.text_of(value)

    @property
    def last_exact(self) -> str:
        """In full, where the text is shortened."""
        value = self.points[-1].value
        exact = "" if value is None else f"{number(value)} {self.unit}".strip()
        return "" if exact == self.last else exact

    @property
    def band(self) -> Band | None:
        """Where its value lies on a scale that is known; the class decides where there is one."""
        if self.of_class:
            return self.of_class
        value, scale = self.points[-1].value, SCALES.get(self.name)
        return scale.band_of(value) if scale and value is not None else None

    def text_of(self, value: Decimal) -> str:
        return compact(value, self.unit)

    @property
    def sense(self) -> str:
        """Which way is good: percentiles up, classes down."""
        return {"better": gettext("Higher is better."), "worse": gettext("Higher is worse.")}.get(
            course(self.path, 1, 2), ""
        )

    @property
    def trend(self) -> str:
        """Better or worse than at the beginning, where that can be said."""
        return course(self.path, self.values[0], self.values[-1])

    @property
    def tone(self) -> str:
        return TONES[self.trend]

    @property
    def has_moved(self) -> bool:
        return len(self.points) > 1

    @property
    def is_drawn(self) -> bool:
        """Against a scale that is known, or because it moved."""
        return self.has_moved or self.name in SCALES

    @property
    def begins(self) -> str:
        return self._axis_text(self.line.start) if self.line else ""

    @property
    def ends(self) -> str:
        return self._axis_text(self.line.end) if self.line else ""

    def _axis_text(self, moment: datetime) -> str:
        """The time where the line begins and ends on one day."""
        line = self.line
        return time_of_day(moment) if line and day(line.start) == day(line.end) else day(moment)

    @property
    def since(self) -> str:
        """When it became what it is."""
        return self._date(len(self.points) - 1)

    @property
    def words(self) -> str:
        """Lowest, highest, and what became of it."""
        return " ".join(filter(None, [self._range(), self.sense, self._course()]))

    def _range(self) -> str:
        low, high = min(self.values), max(self.values)
        if low == high:
            return _no_change(self.points[0].moment)
        return gettext("Lowest %(low)s (%(low_day)s), highest %(high)s (%(high_day)s).") % {
            "low": self.text_of(low),
            "low_day": self._when(low),
            "high": self.text_of(high),
            "high_day": self._when(high),
        }

    def _when(self, value: Decimal) -> str:
        last = max(place for place, point in enumerate(self.points) if point.value == value)
        return gettext("before %(day)s") % {"day": self._date(last)} if self._is_before(last) else self._date(last)

    def _is_before(self, place: int) -> bool:
        """Whether it is known only as what the first change replaced."""
        return place == 0 and self.has_moved and self.points[0].moment == self.points[1].moment

    def _date(self, place: int) -> str:
        """Its day; with the time where another value became known on that day."""
        moment, first = self.points[place].moment, 1 if self._is_before(0) else 0
        beside = [self.points[near].moment for near in (place - 1, place + 1) if first <= near < len(self.points)]
        is_shared = place >= first and day(moment) in map(day, beside)
        return f"{day(moment)}, {time_of_day(moment)}" if is_shared else day(moment)

    def _start(self) -> str:
        text = gettext("before %(day)s") if self._is_before(0) else gettext("on %(day)s")
        return text % {"day": self._date(0)}

    def _course(self) -> str:
        first, start = self.values[0], self._start()
        if len(set(self.values)) == 1:
            return ""
        if first == self.values[-1]:
            return gettext("Same as %(when)s.") % {"when": start}
        text = {
            "better": gettext("Better than %(value)s %(when)s."),
            "worse": gettext("Worse than %(value)s %(when)s."),
        }.get(self.trend, "")
        return text and text % {"value": self.text_of(first), "when": start}

    def draw(self, start: datetime, end: datetime) -> None:
        if scale := SCALES.get(self.name):
            numbers = [(number(value), float(value)) for value in scale.numbers]
            bands = () if self.of_class else scale.bands
            self.line = Line(self.points, start, end, scale.low, scale.high, numbers, bands)
        else:
            ends = sorted({min(self.values), max(self.values)})
            numbers = [(compact(value), float(value)) for value in ends]
            self.line = Line(self.points, start, end, float(ends[0]), float(ends[-1]), numbers)


def day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT")


def time_of_day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")


@dataclass(slots=True)
class Rating:
    """An assessment in letters: what it is, and what it was."""

    path: str
    label: str
    steps: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def has_moved(self) -> bool:
        return len(self.steps) > 1

    @property
    def tone(self) -> str:
        return TONES[course(self.path, self.steps[0][1], self.steps[-1][1])]

    @property
    def last(self) -> str:
        return self.steps[-1][1] or gettext("none")

    @property
    def band(self) -> Band | None:
        """By the digit at its end."""
        return band_of_rating(self.steps[-1][1] or "")

    @property
    def words(self) -> str:
        if len(self.steps) == 1:
            return _no_change(self.steps[0][0])
        before = ", ".join(_step(*step) for step in reversed(self.steps[-4:-1]))
        trend = course(self.path, self.steps[0][1], self.steps[-1][1])
        words = {"better": gettext("Better than %(value)s."), "worse": gettext("Worse than %(value)s.")}.get(trend, "")
        parts = (
            gettext("Since %(day)s.") % {"day": day(self.steps[-1][0])},
            gettext("Previously: %(steps)s.") % {"steps": before},
            words and words % {"value": self.steps[0][1]},
        )
        return " ".join(filter(None, parts))


def _no_change(since: datetime) -> str:
    return gettext("No change since %(day)s.") % {"day": day(since)}


def _step(moment: datetime, text: str) -> str:
    return gettext("%(value)s from %(day)s") % {"value": text or gettext("none"), "day": day(moment)}


@dataclass(slots=True)
class Scores:
    """What D&B thinks of a company, over time."""

    numbers: list[Score] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)


def scores_of(series: ScoreSeries, elements: Mapping[str, Element], end: datetime) -> Scores:
    """The numbers and ratings of the assessment, each with the moments at which it became what it was."""
    numbers = [
        Score(path, label(path, elements), one.unit or unit_of(path), [Point(*point) for point in one.points])
        for path, one in series.numbers.items()
    ]
    ratings = [Rating(path, label(path, elements), steps) for path, steps in series.ratings.items()]
    _rank_by_class(numbers)
    found = Scores(sorted(numbers, key=_place)[:MOST], sorted(ratings, key=_place)[:MOST])
    start = min((score.points[0].moment for score in found.numbers), default=end)
    for score in found.numbers:
        score.draw(start, end)
    return found


def _rank_by_class(numbers: Sequence[Score]) -> None:
    classes = {score.path.rpartition(".")[0]: score.band for score in numbers if score.name == CLASS}
    for score in numbers:
        if score.name == PERCENTILE:
            score.of_class = classes.get(score.path.rpartition(".")[0])


def label(path: str, elements: Mapping[str, Element]) -> str:
    """ "Failure score: national percentile", where people gave no words of their own."""
    known = elements.get(path)
    if known and known.label and known.label != default_label(path)[:200]:
        return known.label
    above, name = path.split(".")[-2:]
    is_said = plain_text(above).endswith(plain_text(name))
    text = str(SHORT.get(name, "")) or (words(above) if is_said else f"{words(above)}: {words(name)}")
    return text[:1].upper() + text[1:]


def _place(row: Score | Rating) -> tuple[bool, bool, str, bool]:
    """What has moved first, of that scores before amounts, and percentiles before classes."""
    above, _, name = row.path.rpartition(".")
    return not row.has_moved, not course(row.path, 1, 2), above, not name.endswith("Percentile")
