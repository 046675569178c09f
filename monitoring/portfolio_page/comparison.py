"""The portfolio on two days: what page, API, PDF and spreadsheet show of its movement."""

from __future__ import annotations

from dataclasses import dataclass

from monitoring.portfolio_page.asked import Asked
from monitoring.portfolio_page.measures.counts import Count, count_of
from monitoring.portfolio_page.measures.movement import Movement, Pairs, movement_of, pairs_of
from monitoring.portfolio_page.measures.world import World
from monitoring.portfolio_page.worlds import Money, Reading, read_days


@dataclass(frozen=True, slots=True)
class Comparison:
    """`before` and `after` are all companies of each day. Exposure is that of the later day."""

    asked: Asked
    after_world: World
    before: Count
    after: Count
    movement: Movement
    pairs: Pairs
    money: Money | None


def comparison_of(asked: Asked, *, with_money: bool) -> Comparison:
    reading = read_days(asked, asked.past, asked.since)
    money = reading.money(asked.past)[0] if with_money else None
    return _compared(reading, reading.world(asked.past, asked.filters, money), money)


def compared(asked: Asked, after: World, money: Money | None) -> Comparison:
    """Of a later day that was read before."""
    return _compared(read_days(asked, asked.since), after, money)


def _compared(reading: Reading, after: World, money: Money | None) -> Comparison:
    asked = reading.asked
    before = reading.world(asked.since, asked.filters, money)
    pairs = pairs_of(before, after, asked.dimension.column)
    return Comparison(asked, after, count_of(before), count_of(after), movement_of(pairs), pairs, money)
