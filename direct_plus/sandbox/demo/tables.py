"""The tables of the demo world, as data.toml and groups.toml hold them."""

import tomllib
from importlib.resources import files
from typing import Any

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


class Holding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At the top of a group, and in no list of the customer's."""

    country: str


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    trades: dict[str, Trade]
    countries: dict[str, Country]
    holdings: dict[str, Holding]
    parents: dict[str, str]
    # How many further companies a group has, by the company at its top.
    subsidiaries: dict[str, int]


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("direct_plus.sandbox.demo").joinpath(name).read_text(encoding="utf-8"))


_TABLES = msgspec.convert(_read("data.toml") | _read("groups.toml"), Tables)
TRADES = _TABLES.trades
COUNTRIES = _TABLES.countries
HOLDINGS = _TABLES.holdings
PARENTS = _TABLES.parents
SUBSIDIARIES = _TABLES.subsidiaries
