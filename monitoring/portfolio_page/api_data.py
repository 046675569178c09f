"""An overview as the API gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitoring.portfolio_page.comparison import compared
from monitoring.portfolio_page.filters import FLAGS
from monitoring.portfolio_page.listed import state_text
from monitoring.portfolio_page.measures.concentration import Concentration, Place
from monitoring.portfolio_page.measures.counts import Count
from monitoring.portfolio_page.measures.dimensions import DELINQUENCY, FAILURE, Dimension
from monitoring.portfolio_page.measures.movement import direction_of
from monitoring.portfolio_page.names import Names, names_of
from monitoring.portfolio_page.overview import CLASSES, WITH_RISK, Overview
from monitoring.portfolio_page.worlds import Money
from portfolio.exposure.money import exact_text
from portfolio.models.figures import FLAG_LABELS

Json = dict[str, Any]


def as_json(overview: Overview, *, with_movement: bool) -> Json:
    asked, money, names = overview.asked, overview.money, names_of(overview)
    return {
        "day": overview.day,
        "since": asked.since if with_movement else None,
        "score": asked.score,
        "currency": money.currency if money else None,
        "all": _count(overview.whole, money),
        "high_failure_risk": _count(overview.high_failure_risk, money),
        "without_data": _count(overview.without_data, money),
        "matrix": [
            {"failure_class": failure, "delinquency_class": other, **_count(count, money)}
            for (failure, other), count in sorted(overview.matrix.items())
        ],
        "failure_class": _classes(FAILURE, overview.failure, money),
        "delinquency_class": _classes(DELINQUENCY, overview.delinquency, money),
        "flags": [_value(name, str(FLAG_LABELS[FLAGS[name]]), one, money) for name, one in overview.flags.items()],
        "movement": _movement(overview) if with_movement else None,
        "concentration": [_concentration(one, names, money) for one in overview.concentrations],
        "largest": _largest(overview, names) if money else None,
        "expected_loss": _loss(overview),
        "unconverted": _unconverted(money),
    }


def _count(count: Count, money: Money | None) -> Json:
    return {"companies": count.companies, "exposure": exact_text(count.cents) if money else None}


def _value(value: str, label: str, count: Count, money: Money | None) -> Json:
    return {"value": value, "label": label, **_count(count, money)}


def _classes(dimension: Dimension, counts: Mapping[str, Count], money: Money | None) -> list[Json]:
    return [_value(value, dimension.words(value), counts.get(value, Count()), money) for value in CLASSES]


def _movement(overview: Overview) -> list[Json]:
    money = overview.money
    cells = compared(overview.asked, overview.world, money).movement.cells
    return [
        {"was": state_text(was), "now": state_text(now), "direction": direction_of(was, now), **_count(count, money)}
        for (was, now), count in sorted(cells.items())
    ]


def _concentration(one: Concentration, names: Names, money: Money | None) -> Json:
    return {
        "by": one.dimension.name,
        "first": [_place(one, place, names.label(one, place), money) for place in one.first],
        "others": one.others,
        "rest": _count(one.rest, money),
        "unknown": _count(one.unknown, money),
        "share": round(one.share, 6),
    }


def _place(one: Concentration, place: Place, label: str, money: Money | None) -> Json:
    high = _count(place.high, money) if one.dimension in WITH_RISK else None
    return {**_value(place.value, label, place.count, money), "high_failure_risk": high}


def _largest(overview: Overview, names: Names) -> list[Json]:
    whole = overview.whole.cents
    return [
        {
            "duns": one.duns,
            "name": one.name,
            "failure_class": one.failure_class,
            "exposure": exact_text(one.cents),
            "share": round(one.cents / whole, 6),
        }
        for one in names.largest
    ]


def _loss(overview: Overview) -> Json | None:
    loss, money = overview.loss, overview.money
    if loss is None:
        return None
    return {
        "amount": exact_text(loss.cents),
        "rated": _count(loss.rated, money),
        "unrated": _count(loss.unrated, money),
        "without_exposure": loss.unexposed,
    }


def _unconverted(money: Money | None) -> list[Json]:
    found = sorted(money.unconverted.items()) if money else []
    return [
        {"currency": currency, "companies": companies, "amount": exact_text(cents)}
        for currency, (companies, cents) in found
    ]
