"""How the numbers and ratings of D&B's assessment moved: of each, the moments at which it became what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from monitoring.history.state import CompanyState, Event

ASSESSMENT = "organization.dnbAssessment"
CODES = ("dnbCode", "scoreModelDnBCode")
# Of each; a chart of them is less than 200 pixels wide. Checkpoints hold them, so they must not grow with the past.
MOST = 200
A_FEW = 4
Value = TypeVar("Value", Decimal | None, str)


@dataclass(slots=True)
class Series:
    """One number, with its unit where it is an amount; None where D&B gives none any more."""

    unit: str = ""
    points: list[tuple[datetime, Decimal | None]] = field(default_factory=list)


@dataclass(slots=True)
class ScoreSeries:
    """All of a company, by their paths in the order in which they became known."""

    numbers: dict[str, Series] = field(default_factory=dict)
    ratings: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def note(self, event: Event, state: CompanyState) -> None:
        """What an event made of them; `state` is what is known after it."""
        if event.seed is not None or _is_near(event.path):
            self._take_first(event)
            self._take(event.moment, dict(_leaves(state.value(ASSESSMENT), ASSESSMENT)))

    def _take_first(self, event: Event) -> None:
        """What D&B says a number was before the first change that is known of it."""
        if event.seed is None and event.path not in self.numbers:
            for path, value, unit in _numbers(dict(_leaves(event.previous, event.path))):
                if path.startswith(ASSESSMENT + ".") and path not in self.numbers:
                    self.numbers[path] = Series(unit, [(event.moment, value)])

    def _take(self, moment: datetime, leaves: dict[str, Any]) -> None:
        found = {path: (value, unit) for path, value, unit in _numbers(leaves)}
        for path in dict.fromkeys([*self.numbers, *found]):
            value, unit = found.get(path, (None, ""))
            series = self.numbers.setdefault(path, Series(unit))
            if not series.points or series.points[-1][1] != value:
                series.points.append((moment, value))
                series.points = _fewer(series.points)
        for path, text in leaves.items():
            if path.rpartition(".")[2] == "rating" and isinstance(text, str):
                steps = self.ratings.setdefault(path, [])
                if not steps or steps[-1][1] != text:
                    steps.append((moment, text))
                    self.ratings[path] = _fewer(steps)


def _fewer(points: list[tuple[datetime, Value]]) -> list[tuple[datetime, Value]]:
    """Where there are too many, every other one goes. What pages say stays: how it began, the last time at which it was
    lowest and highest, and the last moves."""
    if len(points) < MOST:
        return points
    last: dict[Any, int] = {value: place for place, (_, value) in enumerate(points) if value is not None}
    kept = {1, last[min(last)], last[max(last)]} if last else {1}
    return [one for place, one in enumerate(points) if place in kept or place % 2 == 0 or place >= len(points) - A_FEW]


def _is_near(path: str) -> bool:
    return path.startswith(ASSESSMENT) or ASSESSMENT.startswith(path + ".")


def _numbers(leaves: Mapping[str, Any]) -> Iterator[tuple[str, Decimal, str]]:
    """Plain numbers, and amounts under the name of what holds them."""
    for path, value in leaves.items():
        above, _, name = path.rpartition(".")
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or name in CODES:
            continue
        unit = leaves.get(f"{above}.currency", "") if name == "value" else ""
        yield above if name == "value" else path, Decimal(str(value)), unit if isinstance(unit, str) else ""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}")
    elif not isinstance(value, list):
        yield path, value
