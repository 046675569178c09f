"""The choices above the page: days, and filters by what occurs in the portfolio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from monitoring.figures.snapshot import Snapshot
from monitoring.portfolio_page.asked import SCORES, Asked
from monitoring.portfolio_page.filters import OF_TODAY
from monitoring.portfolio_page.links import Links
from monitoring.portfolio_page.measures.counts import occurring
from monitoring.portfolio_page.measures.dimensions import COUNTRY, INDUSTRY, UNKNOWN, Dimension
from monitoring.portfolio_page.numbers import saved_filters
from portfolio.registrations.names import references_of

# A value, what people read, and whether it is chosen.
Option = tuple[str, str, bool]


def form_context(asked: Asked, snapshot: Snapshot, person: Any, *, is_movement: bool = False) -> dict[str, Any]:
    links = Links(asked)
    registrations = [(str(key), name) for key, name in _registrations(asked, snapshot).items()]
    offered = saved_filters(person) if asked.filters.offered is None else asked.filters.offered
    saved = [(str(row.pk), row.name) for row in offered]
    choices = (
        ("registration", gettext("Registration"), registrations),
        (COUNTRY.name, COUNTRY.title, _occurring(snapshot, COUNTRY)),
        (INDUSTRY.name, INDUSTRY.title, _occurring(snapshot, INDUSTRY)),
        ("saved", gettext("Saved filter"), saved),
    )
    return {
        "asked": asked,
        "is_movement": is_movement,
        "tabs": [
            {"title": gettext("Risk"), "link": links.page(), "active": not is_movement},
            {"title": gettext("Movement"), "link": links.page("portfolio_risk_movement"), "active": is_movement},
        ],
        "selects": [
            (name, title, list(_marked(options, asked.filters.first(name)))) for name, title, options in choices
        ],
        "tag": asked.filters.first("tag"),
        "owner": asked.filters.first("owner"),
        "scores": [(name, dimension.title, name == asked.score) for name, dimension in SCORES.items()],
        "is_filtered": bool(asked.filters.values),
        "uses_today": asked.past and any(name in asked.filters.values for name in OF_TODAY),
        "pdf_link": links.page("portfolio_risk_pdf"),
        "xlsx_link": links.page("portfolio_risk_xlsx"),
    }


def _registrations(asked: Asked, snapshot: Snapshot) -> dict[UUID, str]:
    """Those with companies on the day, and those chosen."""
    return references_of({*snapshot.numbers, *map(UUID, asked.filters.values.get("registration", ()))})


def _occurring(snapshot: Snapshot, dimension: Dimension) -> list[tuple[str, str]]:
    numbers = occurring(snapshot.column(dimension.column))
    found = {dimension.value(snapshot, number): dimension.label(snapshot, number) for number in numbers}
    return sorted(found.items(), key=lambda option: (option[0] == UNKNOWN, option[1]))


def _marked(options: Iterable[tuple[str, str]], chosen: str) -> Iterator[Option]:
    return ((value, words, value == chosen) for value, words in options)
