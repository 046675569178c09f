"""Addresses of the lists behind the portfolio's numbers: each has exactly as many rows as its number says."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from monitoring.portfolio_page.asked import Asked

Values = str | Iterable[str]


@dataclass(frozen=True, slots=True)
class Links:
    asked: Asked

    def companies(self, **chosen: Values) -> str:
        """The companies of the day."""
        return self._list([*self._day(), *self._filters(chosen), *_pairs(chosen)])

    def moved(self, **chosen: Values) -> str:
        """The companies of both days: `direction`, or `was` and `now`."""
        return self._list([*self._days(), *self._filters(chosen), *_pairs(chosen)])

    def page(self, name: str = "portfolio_risk", **chosen: Values) -> str:
        """This page again, or one of its files, with other values in place of its own."""
        own = [pair for pair in self._days() if pair[0] not in chosen]
        return _address(name, [*own, *self._filters(chosen), *_pairs(chosen)])

    def _list(self, pairs: list[tuple[str, str]]) -> str:
        return _address("portfolio_risk_companies", pairs)

    def _days(self) -> Iterator[tuple[str, str]]:
        yield from self._day()
        yield "since", self.asked.since.isoformat()
        yield "score", self.asked.score

    def _day(self) -> Iterator[tuple[str, str]]:
        if self.asked.past:
            yield "day", self.asked.past.isoformat()

    def _filters(self, replaced: Container[str]) -> Iterator[tuple[str, str]]:
        """Without those that a cell narrows down to one value."""
        kept = {name: values for name, values in self.asked.filters.values.items() if name not in replaced}
        return _pairs(kept)


def _pairs(chosen: Mapping[str, Values]) -> Iterator[tuple[str, str]]:
    for name, values in chosen.items():
        yield from ((name, value) for value in ([values] if isinstance(values, str) else values) if value)


def _address(name: str, pairs: list[tuple[str, str]]) -> str:
    return f"{reverse(name)}?{urlencode(pairs)}" if pairs else reverse(name)
