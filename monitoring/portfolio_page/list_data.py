"""A page of the list of companies behind a number: its lines, and what it is filtered by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.core.paginator import Paginator
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.text import country_name, day_text
from monitoring.portfolio_page.asked import Asked, read_asked
from monitoring.portfolio_page.filters import FLAGS, Filters
from monitoring.portfolio_page.links import Links
from monitoring.portfolio_page.listed import OF_LIST, Choice, Listed, chosen_sort, listed, read_choice
from monitoring.portfolio_page.measures.dimensions import (
    COUNTRY,
    DELINQUENCY,
    DIMENSIONS,
    FAILURE,
    RATING,
    UNKNOWN,
)
from monitoring.portfolio_page.movement_data import DIRECTION_WORDS, state_words
from monitoring.portfolio_page.view_data import badge_of
from portfolio.companies.columns import exposure_in
from portfolio.exposure.money import amount_text
from portfolio.models import Company
from portfolio.models.figures import FLAG_LABELS
from portfolio.registrations.names import references_of

ON_A_PAGE = 50
# A spreadsheet is written before it is sent, while somebody waits; CSV has no limit.
MOST_IN_A_SHEET = 20_000
SORT_WORDS: Mapping[str, str | Promise] = {
    "risk": _("Highest risk first"),
    "exposure": _("Largest exposure first"),
    "duns": _("By D-U-N-S number"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One company, with its figures of the day."""

    duns: str
    name: str
    place: str
    failure: SafeString
    delinquency: SafeString
    rating: str
    was: str
    now: str
    amount: str


def list_context(query: QueryDict, person: Any, *, with_money: bool) -> dict[str, Any]:
    asked, choice = read_asked(query, person, *OF_LIST), read_choice(query)
    found = listed(asked, choice, with_money=with_money)
    sorts, sort = found.sorts, chosen_sort(query, found)
    page = Paginator(found.ordered(sort), ON_A_PAGE).get_page(query.get("p"))
    return {
        "asked": asked,
        "count": len(found),
        "page": page,
        "lines": list(_lines(found, np.asarray(page.object_list), asked)),
        "chips": list(_chips(asked, choice, query)),
        "is_movement": choice.is_movement,
        "exposure_heading": exposure_in(found.money.currency) if found.money else "",
        "sorts": [(_without(query, "sort", "p", sort=name), SORT_WORDS[name], name == sort) for name in sorts],
        "previous": page.has_previous() and _without(query, "p", p=str(page.previous_page_number())),
        "next": page.has_next() and _without(query, "p", p=str(page.next_page_number())),
        "back": Links(asked).page(),
        "csv": f"{reverse('portfolio_risk_companies_csv')}{_without(query, 'p')}",
        "xlsx": _xlsx_link(query, len(found)),
        "as_of": asked.past.isoformat() if asked.past else "",
    }


def _xlsx_link(query: QueryDict, companies: int) -> str:
    return f"{reverse('portfolio_risk_companies_xlsx')}{_without(query, 'p')}" if companies <= MOST_IN_A_SHEET else ""


def _lines(found: Listed, places: Any, asked: Asked) -> Iterator[Line]:
    world = found.world.only(places)
    numbers = [f"{number:09d}" for number in world["duns"].tolist()]
    names = dict(Company.objects.filter(pk__in=numbers).values_list("duns", "name"))
    for place, duns, row, cents, is_exposed in zip(
        places.tolist(), numbers, world.rows, world.cents.tolist(), world.is_exposed.tolist(), strict=True
    ):
        failure, delinquency = (one.value(world.snapshot, row[one.column]) for one in (FAILURE, DELINQUENCY))
        country, rating = (one.value(world.snapshot, row[one.column]) for one in (COUNTRY, RATING))
        yield Line(
            duns=duns,
            name=names.get(duns, ""),
            place="" if country == UNKNOWN else country_name(country),
            failure=badge_of(FAILURE, failure),
            delinquency=badge_of(DELINQUENCY, delinquency),
            rating="" if rating == UNKNOWN else rating,
            was=state_of_company(found.was, place, asked),
            now=state_of_company(found.now, place, asked),
            amount=amount_text(cents) if found.money and is_exposed else "",
        )


def state_of_company(states: Any, place: int, asked: Asked) -> str:
    return "" if states is None else state_words(asked.dimension, int(states[place]))


# What it is filtered by


def _chips(asked: Asked, choice: Choice, query: QueryDict) -> Iterator[tuple[str, str, str]]:
    """Name, value, and the address without it."""
    for name, title, words in filter_words(asked.filters):
        yield title, words, _without(query, name, "p")
    if choice.direction:
        yield gettext("Movement"), str(DIRECTION_WORDS[choice.direction]), _without(query, "direction", "p")
    for name, title, state in (("was", gettext("Before"), choice.was), ("now", gettext("After"), choice.now)):
        if state is not None:
            yield title, state_words(asked.dimension, state), _without(query, name, "p")
    if choice.rest:
        yield str(DIMENSIONS[choice.rest].title), gettext("not among the ten largest"), _without(query, "rest", "p")


def words_of_list(query: QueryDict, person: Any) -> str:
    """Its days where it is not today's, and what it is filtered by, as its chips have it."""
    asked, choice = read_asked(query, person, *OF_LIST), read_choice(query)
    found = [(title, words) for title, words, _link in _chips(asked, choice, query)]
    if choice.is_movement:
        found.insert(0, (gettext("Compared with"), day_text(asked.since)))
    if asked.past:
        found.insert(0, (gettext("Day"), day_text(asked.past)))
    return "; ".join(f"{title}: {words}" for title, words in found)


def filter_words(filters: Filters) -> Iterator[tuple[str, str, str]]:
    """Name, and in words: title and values."""
    saved = {str(row.pk): row.name for row in filters.offered or ()}
    for name, values in filters.values.items():
        title, words = _words(name)
        yield name, title, ", ".join(saved.get(value) or words(value) for value in values)


def _words(name: str) -> tuple[str, Any]:
    if name in DIMENSIONS:
        return str(DIMENSIONS[name].title), DIMENSIONS[name].words
    title = str(TITLES[name])
    return title, {"flag": _flag_words, "registration": _reference}.get(name, _plain_words)


TITLES: Mapping[str, str | Promise] = {
    "registration": _("Registration"),
    "tag": _("Tag"),
    "owner": _("Owner"),
    "saved": _("Saved filter"),
    "flag": _("Risk flag"),
    "exposure": _("Exposure"),
    "failure_incidence": _("Default rate"),
    "data": _("Data from D&B"),
}
KNOWN_WORDS: Mapping[str, str | Promise] = {"known": _("Known"), UNKNOWN: _("Unknown")}


def _plain_words(value: str) -> str:
    return str(KNOWN_WORDS.get(value, value))


def _flag_words(value: str) -> str:
    return str(FLAG_LABELS[FLAGS[value]]) if value in FLAGS else value


def _reference(value: str) -> str:
    return references_of([UUID(value)]).get(UUID(value), value)


def _without(query: QueryDict, *names: str, **instead: str) -> str:
    rest = query.copy()
    for name in names:
        rest.pop(name, None)
    for name, value in instead.items():
        rest[name] = value
    return f"?{rest.urlencode()}"
