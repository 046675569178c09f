"""Companies in the API: checked parameters, the rows that these select, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.api.parameters import CountryField, MomentField, PageParameters, Several, read_moment
from core.db import with_name_prefix
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from core.text import is_clean
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.companies.external_references import companies_named
from portfolio.models import Company

DUNS_IN_PATH = OpenApiParameter(
    "duns", str, OpenApiParameter.PATH, description="D-U-N-S number: nine digits, with or without dashes."
)


UNKNOWN_COMPANY = (
    "No company with this D-U-N-S number is known. To monitor it, request it with"
    " POST /api/v1/registrations/{reference}/subjects/."
)


class DunsField(serializers.CharField):
    """A D-U-N-S number, with or without dashes."""

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise_duns(super().to_internal_value(data))
        except InvalidDuns as error:
            raise serializers.ValidationError(f"Invalid D-U-N-S number: {error.reason}.") from error


class ReferenceField(serializers.CharField):
    """What another system calls a company, as the D-U-N-S numbers of that name."""

    def __init__(self) -> None:
        text = "Companies with this ID in another system. Use `crm:1234` to search one system only."
        super().__init__(required=False, max_length=300, help_text=text)

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        reference = super().to_internal_value(data)
        return companies_named(reference) if is_clean(reference) else []


def among(asked: Mapping[str, Any], name: str = "company") -> frozenset[str] | None:
    """The companies that the filters for numbers and references leave; None where there is neither."""
    several = [frozenset(asked[one]) for one in (name, "reference") if one in asked]
    return frozenset.intersection(*several) if several else None


class CompanyParameters(PageParameters):
    duns = Several(child=DunsField(), help_text="Return only these companies: up to 200 D-U-N-S numbers.")
    name = serializers.CharField(
        required=False, max_length=200, help_text="Start of the name, in upper or lower case. Sorts by name."
    )
    country = Several(child=CountryField(), help_text="Two-letter country codes, such as DE.")
    changed_since = MomentField(
        required=False,
        help_text="Changed at or after this date, or date and time with time zone. Sorts by time, oldest first.",
    )
    reference = ReferenceField()


@dataclass(frozen=True, slots=True)
class CompanyPage:
    companies: list[Company]
    order: tuple[str, ...]
    has_more: bool

    def token(self, mark: str) -> str | None:
        """Where the next page begins. `mark` goes along, so that all pages of one walk carry the same."""
        if not self.has_more:
            return None
        return write_token([mark, *self.order, *(_written(getattr(self.companies[-1], name)) for name in self.order)])


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def company_page(asked: dict[str, Any]) -> CompanyPage:
    """One page of the companies asked for, in the order of an index that leads to them."""
    order = _order(asked)
    rows = companies_chosen(asked).order_by(*order)
    if "after" in asked:
        rows = beyond(rows, order, _values(asked["after"], order))
    companies, has_more = cut(rows, asked["limit"])
    return CompanyPage(companies, order, has_more)


def mark_of(asked: dict[str, Any]) -> str | None:
    """The mark that the first page of this walk was given."""
    return _read(asked["after"])[0] if "after" in asked else None


def _order(asked: dict[str, Any]) -> tuple[str, ...]:
    if "name" in asked:
        return ("search_name", "duns")
    return ("changed_at", "duns") if "changed_since" in asked else ("duns",)


def companies_chosen(asked: dict[str, Any]) -> QuerySet[Company]:
    rows = Company.objects.all()
    if (companies := among(asked, "duns")) is not None:
        rows = rows.filter(duns__in=sorted(companies))
    if "name" in asked:
        rows = with_name_prefix(rows, asked["name"])
    if "country" in asked:
        rows = rows.filter(country__in=sorted(set(asked["country"])))
    if "changed_since" in asked:
        rows = rows.filter(changed_at__gte=asked["changed_since"])
    return rows


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
        return [read_moment(v) if name == "changed_at" else v for name, v in zip(order, values, strict=True)]
    except ValueError as error:
        raise BadCursor from error


def company_or_404(duns: str) -> Company:
    try:
        return Company.objects.get(pk=normalise_duns(duns))
    except InvalidDuns as error:
        raise Http404(
            f"The path contains no valid D-U-N-S number: {error.reason}. Write its nine digits, such as 804735132 or"
            " 80-473-5132."
        ) from error
    except Company.DoesNotExist as error:
        raise Http404(UNKNOWN_COMPANY) from error
