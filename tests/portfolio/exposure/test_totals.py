"""Sums in the reporting currency: exact, by day, and without anything that has no rate."""

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

import pytest

from portfolio.exposure.rates import set_rate, set_reporting_currency
from portfolio.exposure.totals import exposures_at, stakes_of
from portfolio.imports.states import Refused
from portfolio.models import ExchangeRate
from tests.builders.companies import DUNS, OTHER
from tests.builders.exposures import DAY, exposure

pytestmark = pytest.mark.django_db


def rate(currency: str, value: str, day: date = DAY) -> ExchangeRate:
    return set_rate(currency=currency, day=day, rate=Decimal(value), set_by="ann")


def test_amounts_without_a_rate_stand_apart() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;EUR", f"{OTHER};20;USD")
    exposure("DUNS;Amount;Currency", f"{DUNS};30;USD", book="orders")
    found = exposures_at(DAY)
    assert found.by_duns == {int(DUNS): 1_000}
    assert found.unconverted == {"USD": (2, 5_000)}
    assert found.unconverted_duns.tolist() == sorted(map(int, (DUNS, OTHER)))


def test_the_rate_of_that_day_counts() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;USD")
    rate("USD", "0.9")
    rate("USD", "0.5", DAY + timedelta(days=10))
    assert exposures_at(DAY).by_duns == {int(DUNS): 900}
    assert exposures_at(DAY + timedelta(days=10)).by_duns == {int(DUNS): 500}


def test_another_reporting_currency_needs_its_rate() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;EUR", f"{OTHER};8;CHF")
    rate("USD", "0.5")
    set_reporting_currency(currency="CHF", set_by="ann")
    assert exposures_at(DAY).by_duns == {int(OTHER): 800}
    rate("CHF", "2")
    assert exposures_at(DAY).by_duns == {int(DUNS): 500, int(OTHER): 800}


@pytest.mark.parametrize("given", ["EUR 1", "XXQ 1", "USD 0", "USD -1", "USD 1e9"])
def test_a_rate_that_makes_no_sense_is_refused(given: str) -> None:
    currency, value = given.split()
    with pytest.raises(Refused):
        rate(currency, value)


def test_the_same_rate_again_is_one() -> None:
    rate("USD", "0.9")
    rate("USD", "0.8")
    assert ExchangeRate.objects.get().rate == 8 * 10**11


def test_amounts_that_a_mistyped_rate_makes_too_large_stand_apart() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;USD", f"{OTHER};9999999999999.99;USD")
    rate("USD", "8999999")
    found = exposures_at(DAY)
    assert found.by_duns == {int(DUNS): 8_999_999_000}
    assert found.unconverted == {"USD": (1, 999_999_999_999_999)}
    assert found.unconverted_duns.tolist() == [int(OTHER)]
    assert [one.converted for one in stakes_of(OTHER, DAY)] == [None]


def test_a_company_is_shown_book_by_book() -> None:
    exposure("DUNS;Amount;Currency", f"{DUNS};10;EUR")
    exposure("DUNS;Amount;Currency", f"{DUNS};4;USD", book="orders")
    assert [(one.book, one.cents, one.currency, one.converted) for one in stakes_of(DUNS, DAY)] == [
        ("orders", 400, "USD", None),
        ("receivables", 1_000, "EUR", 1_000),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_sums_of_random_books_equal_an_independent_sum(seed: int) -> None:
    chance = Random(seed)
    rates = {"EUR": Decimal(1), "USD": Decimal("0.8731"), "JPY": Decimal("0.00583"), "SEK": None}
    for currency in ("USD", "JPY"):
        rate(currency, str(rates[currency]), date(2026, 1, 1))
    books: dict[str, dict[str, tuple[int, str]]] = {}
    for number in range(12):
        book, is_whole = chance.choice(["receivables", "orders", "own"]), chance.random() < 0.4
        rows = {
            f"{100_000_000 + chance.randrange(30)}": (chance.randrange(10**9), chance.choice(list(rates)))
            for _ in range(chance.randrange(1, 20))
        }
        lines = [f"{duns};{cents // 100}.{cents % 100:02d};{currency}" for duns, (cents, currency) in rows.items()]
        day, mode = date(2026, 1, 1) + timedelta(days=number), "replace" if is_whole else "add"
        exposure("DUNS;Amount;Currency", *lines, book=book, mode=mode, as_of=day)
        books[book] = rows if is_whole else {**books.get(book, {}), **rows}
    expected: dict[int, int] = {}
    for rows in books.values():
        for duns, (cents, currency) in rows.items():
            if (value := rates[currency]) is not None:
                converted = int((cents * value).to_integral_value(ROUND_HALF_UP))
                expected[int(duns)] = expected.get(int(duns), 0) + converted
    assert exposures_at(DAY).by_duns == expected
