"""The numbers of the Overview: the days' totals, read once and taken apart by day, kind, country, registration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from core import plurals
from core.cached_counts import OpenCounts
from core.text import counted, country_name
from core.visibility import visible_to
from dnbmon_site.dashboard.query import Asked
from monitoring.company_page.timeline import label_of
from monitoring.models import Axis, DailyTotal, Element, Kind, Severity
from monitoring.open_counts import in_use_since
from monitoring.stats.day_totals import TOLD
from portfolio.models import Registration

SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
QUIET = (Severity.LOW, Severity.NOISE)
# A value of the list's filter of severities: what the charts count.
FROM_MEDIUM = "from-medium"
ROWS = 7
Counts = dict[int, int]


@dataclass(slots=True)
class Totals:
    """Changes by axis, value and severity; and by severity for as many days before.

    Each change once; for one registration, and to compare registrations, what each reported.
    """

    by_axis: dict[str, dict[str, Counts]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(dict)))
    before: Counts = field(default_factory=dict)

    def of(self, axis: Axis) -> Mapping[str, Counts]:
        return self.by_axis[axis]

    def total(self, severity: int) -> int:
        return sum(counts.get(severity, 0) for counts in self.of(Axis.DAY).values())

    @property
    def elements(self) -> list[str]:
        return list(self.of(Axis.ELEMENT))


def totals_of(asked: Asked, numbers: OpenCounts) -> Totals:
    rows = DailyTotal.objects.filter(day__range=(asked.before, asked.last)).order_by()
    # Of the days before only the severities are needed.
    rows = rows.filter(Q(day__gte=asked.first) | Q(axis=Axis.DAY))
    if asked.registration:
        rows = rows.filter(registration=asked.registration.pk)
    rows = visible_to(asked.scope, rows)
    if not asked.scope.sees_all:
        # Who else reported a change is not for the unit to see.
        rows = rows.filter(~Q(axis=Axis.REGISTRATION) | Q(registration__in=asked.scope.registrations))
    found = Totals()
    sums = rows.values_list("axis", "value", "severity").annotate(total=Sum("count"), reported=Sum("reports"))
    for axis, value, severity, total, reported in sums:
        count = reported if asked.registration or axis == Axis.REGISTRATION else total
        if not count:
            continue
        if axis == Axis.DAY and value < asked.first.isoformat():
            found.before[severity] = found.before.get(severity, 0) + count
        else:
            found.by_axis[axis][value][severity] = count
    if found.before and not _has_history(asked, numbers):
        found.before = {}
    return found


def _has_history(asked: Asked, numbers: OpenCounts) -> bool:
    """Whether D&B's notifications were received during all of the days before: else there is nothing to compare."""
    since = counted_since(numbers) or in_use_since()
    return since is None or since.date() <= asked.before


def counted_since(numbers: OpenCounts) -> datetime | None:
    since = numbers.of("in_use").get("since")
    return datetime.fromisoformat(since) if since else None


def severe_total(counts: Counts) -> int:
    return sum(counts.get(severity, 0) for severity in TOLD)


# Rows of a bar chart


@dataclass(frozen=True, slots=True)
class Piece:
    """A severity's part of a bar: its share of the longest, in percent."""

    tone: str
    x: str
    width: str
    count: int


COUNTED = {
    "critical": gettext_lazy("%(count)s critical"),
    "high": gettext_lazy("%(count)s high"),
    "medium": gettext_lazy("%(count)s medium"),
    "low": gettext_lazy("%(count)s low"),
    "noise": gettext_lazy("%(count)s noise"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a bar chart, which is a link."""

    label: str
    link: str
    count: int
    pieces: Sequence[Piece]

    @property
    def words(self) -> str:
        """What the line is called: "Germany: 12 changes, 2 critical, 10 medium"."""
        parts = ", ".join(COUNTED[piece.tone] % {"count": counted(piece.count)} for piece in self.pieces)
        return f"{self.label}: {plurals.changes(self.count)}, {parts}"


def rows_of(counts: Mapping[str, Counts], label: Any, link: Any) -> list[Row]:
    """The largest first; the longest bar is full."""
    ordered = sorted(counts.items(), key=lambda item: (-severe_total(item[1]), item[0]))[:ROWS]
    longest = max((severe_total(found) for _, found in ordered), default=0) or 1
    return [
        Row(label(value), link(value), severe_total(found), list(_pieces(found, longest))) for value, found in ordered
    ]


def _pieces(counts: Counts, longest: int) -> Iterator[Piece]:
    x = 0.0
    for severity in SEVERITIES:
        if count := counts.get(severity, 0):
            width = 100 * count / longest
            yield Piece(severity.name.lower(), f"{x:.2f}", f"{width:.2f}", count)
            x += width


def by_kind(asked: Asked, totals: Totals, elements: Mapping[str, Element]) -> list[Row]:
    """What changed: elements by their labels, and what befell whole companies."""
    counts = {f"element={path}": found for path, found in totals.of(Axis.ELEMENT).items()}
    counts |= {f"kind={kind}": found for kind, found in totals.of(Axis.KIND).items()}

    def label(name: str) -> str:
        what, _, value = name.partition("=")
        return label_of(value, elements) if what == "element" else str(dict(Kind.choices).get(value, value))

    def link(name: str) -> str:
        what, _, value = name.partition("=")
        return asked.changes(severity=FROM_MEDIUM, **{what: value})

    return rows_of(counts, label, link)


def by_country(totals: Totals) -> list[Row]:
    companies = reverse("admin:portfolio_company_changelist")
    return rows_of(
        totals.of(Axis.COUNTRY),
        lambda code: country_name(code) or gettext("Unknown"),
        lambda code: f"{companies}?country={code}" if code else companies,
    )


def by_registration(asked: Asked, totals: Totals, registrations: Sequence[Registration]) -> list[Row]:
    names = {str(row.pk): row.reference for row in registrations}

    def link(key: str) -> str:
        return asked.changes(severity=FROM_MEDIUM, registration=key)

    return rows_of(totals.of(Axis.REGISTRATION), lambda key: names.get(key, key), link)


# Days


@dataclass(frozen=True, slots=True)
class Bar:
    """Some days of the chart, usually one: pieces from the bottom up, each with its place."""

    first: date
    last: date
    x: str
    width: str
    count: int
    words: str
    link: str
    pieces: Sequence[Mapping[str, str]]
    # Written above it: the number of the highest, and of those that are cut off.
    label: str = ""
    middle: str = ""
    is_cut: bool = False


WIDTH, HEIGHT = 600, 250
# Left of the bars the numbers of the axis are written, below them the days.
AXIS, BELOW = 40, 24
MOST_LEVELS = 4
# More bars than this would be too thin to tell apart: then each stands for a week.
MOST_BARS = 92
GAP = 0.28
ROOM = 20
FAR_ABOVE, CUT_AT = 3, 1.6


def chart_of(asked: Asked, totals: Totals) -> dict[str, Any]:
    """Bars, stacked from the highest severity at the bottom, and what is written on the two axes."""
    spans = list(_spans(asked))
    by_day = totals.of(Axis.DAY)
    counts = [_sum([by_day.get(day.isoformat(), {}) for day in days]) for days in spans]
    highest = _highest(list(map(severe_total, counts)))
    step = (WIDTH - AXIS) / len(spans)
    bars = [
        _bar(asked, days, found, AXIS + number * step, step, highest)
        for number, (days, found) in enumerate(zip(spans, counts, strict=True))
    ]
    size = {"width": WIDTH, "height": HEIGHT, "whole": HEIGHT + BELOW, "axis": AXIS}
    levels = list(_levels(highest))
    is_cut = any(bar.is_cut for bar in bars)
    return {
        **size,
        "is_cut": is_cut,
        "bars": bars,
        "levels": levels,
        "ticks": list(_ticks(bars)),
        "by_week": asked.count > MOST_BARS,
    }


def _levels(highest: int) -> Iterator[tuple[str, int]]:
    """Round numbers of the axis and their heights, from 0 up."""
    size = next(size for size in _round_numbers() if highest / size <= MOST_LEVELS)
    for number in range(0, highest + 1, size):
        yield f"{HEIGHT - number / highest * (HEIGHT - ROOM):.1f}", number


def _round_numbers() -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 …"""
    power = 1
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _highest(counts: Sequence[int]) -> int:
    """What a full bar stands for: one day far above the others is cut off, or it would flatten them."""
    most, next_most = (sorted(counts, reverse=True) + [0, 0])[:2]
    return max(round(next_most * CUT_AT), 1) if next_most and most > next_most * FAR_ABOVE else most or 1


def _spans(asked: Asked) -> Iterator[list[date]]:
    size = 1 if asked.count <= MOST_BARS else 7
    days = asked.each_day
    for start in range(0, len(days), size):
        yield days[start : start + size]


def _sum(counts: Sequence[Counts]) -> Counts:
    return {severity: sum(found.get(severity, 0) for found in counts) for severity in SEVERITIES}


def _bar(asked: Asked, days: list[date], counts: Counts, x: float, step: float, highest: int) -> Bar:
    top, pieces, total = float(HEIGHT), [], severe_total(counts)
    for severity in SEVERITIES:
        if count := counts[severity]:
            height = max(count / max(highest, total) * (HEIGHT - ROOM), 2.0)
            top -= height
            pieces.append({"y": f"{top:.1f}", "height": f"{height:.1f}", "tone": severity.name.lower()})
    link = asked.changes(severity=FROM_MEDIUM, day_from=days[0].isoformat(), day_to=days[-1].isoformat())
    gap = step * GAP
    left, width = f"{x + gap / 2:.1f}", f"{step - gap:.1f}"
    label = counted(total) if total and total >= highest else ""
    middle = f"{min(x + step / 2, WIDTH - 14):.1f}"
    return Bar(days[0], days[-1], left, width, total, _words(counts), link, pieces, label, middle, total > highest)


def _words(counts: Counts) -> str:
    parts = [f"{counted(counts[severity])} {severity.label.lower()}" for severity in SEVERITIES if counts[severity]]
    return ", ".join(parts) or gettext("no changes")


def _ticks(bars: Sequence[Bar]) -> Iterator[tuple[str, date]]:
    """Where days are written under the bars: five or six of them."""
    every = max(round(len(bars) / 5), 1)
    for bar in bars[::every]:
        yield bar.x, bar.first


def legend_of(asked: Asked, totals: Totals) -> Iterator[dict[str, Any]]:
    """Each severity with its number, as a link; what is not drawn is counted all the same."""
    for severity in (*SEVERITIES, *QUIET):
        yield {
            "tone": severity.name.lower(),
            "label": severity.label,
            "count": totals.total(severity),
            "link": asked.changes(severity=str(severity.value)),
            "is_drawn": severity in SEVERITIES,
        }
