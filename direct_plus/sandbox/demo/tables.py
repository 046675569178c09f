"""The tables of the demo world, as data.toml holds them."""

import tomllib
from importlib.resources import files

import msgspec


class Trade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sic: str
    description: str
    fewest: int
    most: int
    revenue_each: int
    # Trades of one sector are near enough for one company to buy another.
    sector: str
    since: int
    related: tuple[str, str]


class Country(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its companies are named with the trade of each."""

    name: str
    dialling: str
    currency: str
    # Units of the currency in a US dollar, roughly.
    rate: int
    form: tuple[str, str]
    number_kind: str
    number_pattern: str
    places: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    people: tuple[str, ...]
    title: str
    # The city of a company with a place or a landscape in its name.
    homes: dict[str, str]
    companies: dict[str, str]


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    trades: dict[str, Trade]
    countries: dict[str, Country]


def _read() -> Tables:
    text = files("direct_plus.sandbox.demo").joinpath("data.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Tables)


_TABLES = _read()
TRADES = _TABLES.trades
COUNTRIES = _TABLES.countries
