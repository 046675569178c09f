"""Companies in the API page by page, in the order of an index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from core.api.parameters import read_moment
from core.bulk import among
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from core.visibility import EVERYTHING, Scope
from portfolio.companies.columns import COLUMN_ORDER
from portfolio.companies.conditions import SORTED_DATES, SORTED_NUMBERS, with_value
from portfolio.companies.parameters import companies_chosen
from portfolio.companies.search import MOST, search_companies
from portfolio.models import Company

LONGEST_NUMBER = 18
TOO_MANY = f"More than {MOST:,} companies match the search, and some are left out. Search for more or longer words."


@dataclass(frozen=True, slots=True)
class CompanyPage:
    companies: list[Company]
    order: tuple[str, ...]
    has_more: bool
    note: str | None = None

    def token(self, mark: str) -> str | None:
        """Where the next page begins. `mark` goes along, so that all pages of one walk carry the same."""
        if not self.has_more:
            return None
        last = self.companies[-1]
        return write_token(
            [mark, *self.order, *(_written(getattr(last, name.removeprefix("-"))) for name in self.order)]
        )


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def company_page(asked: dict[str, Any], among_them: QuerySet[Company], scope: Scope = EVERYTHING) -> CompanyPage:
    """One page of the companies asked for, in the order of an index that leads to them."""
    order = _order(asked)
    names = [name.removeprefix("-") for name in order]
    found = search_companies(asked["search"], scope) if "search" in asked else None
    rows = with_value(companies_chosen(asked, among_them), names[0]).order_by(*order)
    if found:
        rows = rows.filter(among("duns", found.duns))
    if "after" in asked:
        rows = beyond(rows, names, _values(asked["after"], order), newest_first=order[0].startswith("-"))
    companies, has_more = cut(rows, asked["limit"])
    return CompanyPage(companies, order, has_more, TOO_MANY if found and found.has_more else None)


def mark_of(asked: dict[str, Any]) -> str | None:
    """The mark that the first page of this walk was given."""
    return _read(asked["after"])[0] if "after" in asked else None


def _order(asked: dict[str, Any]) -> tuple[str, ...]:
    if "sort" in asked:
        sign, name = ("-" if asked["sort"].startswith("-") else ""), asked["sort"].removeprefix("-")
        return (f"{sign}{COLUMN_ORDER[name]}", f"{sign}duns")
    return ("changed_at", "duns") if "changed_since" in asked else ("duns",)


def _read(cursor: str) -> list[str]:
    try:
        parts = read_token(cursor)
    except ValueError as error:
        raise BadCursor from error
    if len(parts) not in (3, 5):
        raise BadCursor
    return parts


def _values(cursor: str, order: tuple[str, ...]) -> list[Any]:
    _, *rest = _read(cursor)
    if rest[: len(order)] != list(order):
        raise BadCursor
    values = rest[len(order) :]
    try:
        return [_read_value(name.removeprefix("-"), value) for name, value in zip(order, values, strict=True)]
    except ValueError as error:
        raise BadCursor from error


def _read_value(column: str, value: str) -> Any:
    if column in ("changed_at", "last_critical_at"):
        return read_moment(value)
    if column in SORTED_DATES:
        return date.fromisoformat(value)
    return _number(value) if column in SORTED_NUMBERS else value


def _number(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("no number of ours")
    return int(text)
