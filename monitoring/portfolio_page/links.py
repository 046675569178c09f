"""Addresses of the lists behind the portfolio's numbers: each has exactly as many rows as its number says."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from core.lists.saved_filters import COLUMNS
from monitoring.portfolio_page.asked import Asked
from portfolio.companies.filters import SCORE_CLASSES

Values = str | Iterable[str]
Pairs = Sequence[tuple[str, str]]
# What today's list of companies is filtered by: one value, or several.
BY_ONE = ("registration", "owner", "tag", "flag", "global_ultimate")
BY_SEVERAL = ("failure_class", "delinquency_class", "rating", "size", "operating_status", "country", "industry_code")
OF_CLASSES = ("name", "duns", "country_name", "failure_class", "failure_percentile", "delinquency_class")
LIST = "portfolio_risk_companies"


@dataclass(frozen=True, slots=True)
class Links:
    asked: Asked
    # The columns of today's list of the companies of a score class.
    of_classes: Pairs = ()

    def companies(self, **chosen: Values) -> str:
        """The companies of the day; those of today in the list of companies, where it has such filters."""
        pairs = [*self._filters(chosen), *_pairs(chosen)]
        if not self.asked.past and _has_filters(pairs):
            shown = self.of_classes if any(name in SCORE_CLASSES for name, _ in pairs) else ()
            query = urlencode([("monitored", "yes"), *pairs, *shown], safe=",")
            return f"{reverse('admin:portfolio_company_changelist')}?{query}"
        return _address(LIST, [*self._day(), *pairs])

    def moved(self, **chosen: Values) -> str:
        """The companies of both days: `direction`, or `was` and `now`."""
        return _address(LIST, [*self._days(), *self._filters(chosen), *_pairs(chosen)])

    def page(self, name: str = "portfolio_risk", **chosen: Values) -> str:
        """This page again, or one of its files, with other values in place of its own."""
        own = [pair for pair in self._days() if pair[0] not in chosen]
        return _address(name, [*own, *self._filters(chosen), *_pairs(chosen)])

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


def list_of_classes(*, with_money: bool) -> Pairs:
    """With the scores; and with exposure, by which the list is then ordered, for those who may see it."""
    return [(COLUMNS, ",".join([*OF_CLASSES, *(["exposure"] if with_money else [])]))]


def _has_filters(pairs: Pairs) -> bool:
    names = [name for name, _ in pairs]
    return all(name in BY_SEVERAL or (name in BY_ONE and names.count(name) == 1) for name in names)


def _pairs(chosen: Mapping[str, Values]) -> Iterator[tuple[str, str]]:
    for name, values in chosen.items():
        yield from ((name, value) for value in ([values] if isinstance(values, str) else values) if value)


def _address(name: str, pairs: Pairs) -> str:
    return f"{reverse(name)}?{urlencode(pairs)}" if pairs else reverse(name)
