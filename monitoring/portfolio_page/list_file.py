"""The list of companies behind a number as a file with all of its rows: CSV, written while it is read, or XLSX."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.exports.sheets import Sheets, workbook
from core.exports.writers import csv_headings, csv_rows
from core.lists.listings import Column
from core.text import country_name
from monitoring.portfolio_page.asked import Asked, read_asked
from monitoring.portfolio_page.list_data import MOST_IN_A_SHEET, state_of_company
from monitoring.portfolio_page.listed import OF_LIST, Listed, Order, chosen_sort, listed, read_choice
from monitoring.portfolio_page.measures.dimensions import DIMENSIONS, SIZE, UNKNOWN
from monitoring.portfolio_page.measures.world import World
from portfolio.companies.columns import exposure_in, units
from portfolio.models import Company

AT_ONCE = 1000
NAME_WIDTH, WIDTH = 40, 18
# As a record has it where D&B reported nothing.
NUMBERS = {"failure_percentile": 0xFF, "failure_incidence": 0xFFFF, "delinquency_percentile": 0xFF}
Headings = tuple[tuple[str, str | Promise], ...]
COMPANY: Headings = (
    *(("duns", "D-U-N-S"), ("name", _("Name"))),
    *(("country", _("Country code")), ("country_name", _("Country"))),
)
FIGURES: Headings = (
    *(("failure_class", _("Failure score class")), ("failure_percentile", _("Failure score"))),
    *(("failure_incidence", _("Failure incidence, %")), ("delinquency_class", _("Delinquency score class"))),
    *(("delinquency_percentile", _("Delinquency score")), ("rating", _("D&B rating"))),
    *(("industry_code", _("Industry code")), ("size", _("Size")), ("operating_status", _("Operating status"))),
    ("global_ultimate", _("Global ultimate")),
)
STATES: Headings = (("was", _("Before")), ("now", _("After")))
Row = dict[str, Any]


def list_file(query: QueryDict, person: Any, *, with_money: bool) -> tuple[int, Iterator[str]]:
    """How many companies it has, and its pieces. It is in the reader's language, also where it is sent later."""
    asked, choice = read_asked(query, person, *OF_LIST), read_choice(query)
    found = listed(asked, choice, with_money=with_money)
    order = found.ordered(chosen_sort(query, found))
    return len(found), _pieces(found, order, asked, translation.get_language())


def list_sheet(query: QueryDict, person: Any, *, with_money: bool) -> tuple[int, bytes]:
    """The same as a spreadsheet; empty where it would have too many rows."""
    asked, choice = read_asked(query, person, *OF_LIST), read_choice(query)
    found = listed(asked, choice, with_money=with_money)
    if len(found) > MOST_IN_A_SHEET:
        return len(found), b""
    columns, order = _columns(found), found.ordered(chosen_sort(query, found))
    headings = [str(column.heading) for column in columns]
    rows = [[column.read(row) for column in columns] for row in _rows(found, order, asked)]
    widths = [NAME_WIDTH if column.name == "name" else WIDTH for column in columns]

    def companies(sheets: Sheets) -> None:
        sheets.long_table(gettext("Companies"), headings, rows, widths)

    return len(found), workbook(gettext("Companies"), timezone.now(), [companies])


def _pieces(found: Listed, order: Order, asked: Asked, language: str | None) -> Iterator[str]:
    columns = _columns(found)
    with translation.override(language):
        piece = csv_headings(columns)
    yield piece
    for start in range(0, len(order), AT_ONCE):
        with translation.override(language):
            piece = csv_rows(columns, _rows(found, order[start : start + AT_ONCE], asked))
        yield piece


def _columns(found: Listed) -> list[Column]:
    states = STATES if found.was is not None else ()
    money = [("exposure", exposure_in(found.money.currency))] if found.money else []
    return [Column(name, heading, itemgetter(name)) for name, heading in (*COMPANY, *states, *FIGURES, *money)]


def _rows(found: Listed, places: Any, asked: Asked) -> Iterator[Row]:
    """Each column is read at once: one company after the other takes many times as long."""
    world = found.world.only(places)
    columns = {"duns": [f"{number:09d}" for number in world["duns"].tolist()], **_figures(world)}
    columns |= {name: _states(states, places, asked) for name, states in (("was", found.was), ("now", found.now))}
    names = dict(Company.objects.filter(pk__in=columns["duns"]).values_list("duns", "name"))
    columns["name"] = [names.get(duns, "") for duns in columns["duns"]]
    columns["country_name"] = [country_name(code) if code else "" for code in columns["country"]]
    columns["exposure"] = [
        units(cents) if is_exposed else None
        for cents, is_exposed in zip(world.cents.tolist(), world.is_exposed.tolist(), strict=True)
    ]
    return (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def _figures(world: World) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {name: _values(world, name) for name in DIMENSIONS}
    found["size"] = [SIZE.words(value) if value else "" for value in found["size"]]
    for name, unknown in NUMBERS.items():
        found[name] = [None if number == unknown else number for number in world[name].tolist()]
    found["failure_incidence"] = [units(number) for number in found["failure_incidence"]]
    return found


def _values(world: World, name: str) -> list[str]:
    """As in lists; empty where D&B reported nothing."""
    dimension = DIMENSIONS[name]
    numbers = world[dimension.column].tolist()
    values = {number: dimension.value(world.snapshot, number) for number in set(numbers)}
    return ["" if values[number] == UNKNOWN else values[number] for number in numbers]


def _states(states: Any, places: Any, asked: Asked) -> list[str]:
    return [state_of_company(states, place, asked) for place in places.tolist()]
