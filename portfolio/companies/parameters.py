"""Companies in the API: checked parameters, and the rows that these select."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request

from core.api.fields import OneOf
from core.api.parameters import CountryField, MomentField, PageParameters, Several
from core.api.visibility import scope_for, seen_by, seen_in
from core.text import is_clean
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.companies.conditions import (
    NO,
    NONE,
    NUMBERS,
    SORTED,
    TEXTS,
    UNKNOWN,
    YES,
    flagged,
    in_portfolio,
    in_registrations,
    of_column,
    of_tiers,
    owned_by,
    review_due_by,
    tagged,
)
from portfolio.companies.external_references import companies_named
from portfolio.models import Company, Flag, Registration, Size, Tier
from portfolio.visibility import left_on

DUNS_IN_PATH = OpenApiParameter(
    "duns", str, OpenApiParameter.PATH, description="D-U-N-S number: nine digits, with or without dashes."
)


UNKNOWN_COMPANY = (
    "No company with this D-U-N-S number is known. To monitor it, request it with"
    " POST /api/v1/registrations/{reference}/subjects/."
)

UNKNOWN_REGISTRATION = "No registration with this reference exists. GET /api/v1/registrations/ lists them."


def seen_numbers(context: Mapping[str, Any], numbers: list[str]) -> list[str]:
    """Those of companies that the caller sees; asked only where someone does not see all."""
    request = context.get("request")
    if request is None or not numbers or scope_for(request).sees_all:
        return numbers
    return list(seen_by(request, Company.objects.filter(pk__in=numbers)).values_list("pk", flat=True))


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
        numbers = companies_named(reference) if is_clean(reference) else []
        return seen_numbers(self.context, numbers)


def among(asked: Mapping[str, Any], name: str = "company") -> frozenset[str] | None:
    """The companies that the filters for numbers and references leave; None where there is neither."""
    several = [frozenset(asked[one]) for one in (name, "reference") if one in asked]
    return frozenset.intersection(*several) if several else None


class RegistrationField(serializers.CharField):
    """A registration's reference, as the keys of the registrations of that name."""

    def to_internal_value(self, data: Any) -> list[uuid.UUID]:  # type: ignore[override]
        reference = super().to_internal_value(data)
        rows = Registration.objects.filter(reference=reference) if is_clean(reference) else Registration.objects.none()
        if not (found := list(seen_in(self.context, rows).values_list("pk", flat=True))):
            raise serializers.ValidationError(UNKNOWN_REGISTRATION)
        return found


class CountryOrUnknown(CountryField):
    def run_validation(self, data: Any = empty) -> Any:
        return UNKNOWN if data == UNKNOWN else super().run_validation(data)


class DunsOrUnknown(DunsField):
    def run_validation(self, data: Any = empty) -> Any:
        return UNKNOWN if data == UNKNOWN else super().run_validation(data)


CLASSES = ("1", "2", "3", "4", "5", UNKNOWN)
FLAG_VALUES = (*(str(flag.name).lower() for flag in Flag), NONE, UNKNOWN)
# Exposure has scopes and endpoints of its own.
SORTS = [sign + name for name in ("name", "changed_at", *SORTED) if name != "exposure" for sign in ("", "-")]
OR_UNKNOWN = "Use `unknown` for companies where it is not known."
OF_CLASS = f"Classes from 1 (lowest risk) to 5. {OR_UNKNOWN}"


class CompanyParameters(PageParameters):
    duns = Several(child=DunsField(), help_text="Return only these companies: up to 200 D-U-N-S numbers.")
    search = serializers.CharField(
        required=False,
        max_length=200,
        help_text="Words of the name, city, customer reference or tags, each by its beginning, or the start of a"
        " D-U-N-S number. Accents, case and legal forms do not matter.",
    )
    country = Several(child=CountryOrUnknown(), help_text=f"Two-letter country codes, such as DE. {OR_UNKNOWN}")
    changed_since = MomentField(
        required=False,
        help_text="Changed at or after this date, or date and time with time zone. Sorts by time, oldest first.",
    )
    reference = ReferenceField()
    registration = RegistrationField(
        required=False,
        max_length=255,
        help_text="Return only companies that D&B monitors in this registration at present, by its reference.",
    )
    monitored = serializers.BooleanField(
        required=False, help_text="Return only companies that D&B monitors at present, or only the others."
    )
    failure_class = Several(child=OneOf(CLASSES), help_text=OF_CLASS)
    delinquency_class = Several(child=OneOf(CLASSES), help_text=OF_CLASS)
    rating = Several(child=serializers.CharField(max_length=8), help_text=f"D&B ratings, such as 5A1. {OR_UNKNOWN}")
    industry_code = Several(child=serializers.CharField(max_length=12), help_text=f"Industry codes. {OR_UNKNOWN}")
    size = Several(child=OneOf([*Size.values, UNKNOWN]), help_text=f"Sizes by employees. {OR_UNKNOWN}")
    operating_status = Several(
        child=serializers.CharField(max_length=200), help_text=f"D&B's descriptions, such as Active. {OR_UNKNOWN}"
    )
    flag = OneOf(FLAG_VALUES, required=False, help_text="A risk flag, `none` or `unknown`.")
    global_ultimate = Several(
        child=DunsOrUnknown(max_length=20), help_text=f"D-U-N-S numbers of global ultimates. {OR_UNKNOWN}"
    )
    owner = serializers.CharField(required=False, max_length=200, help_text="Owner of the company, or `unknown`.")
    tag = serializers.CharField(required=False, max_length=500, help_text="One of the company's tags, or `unknown`.")
    tier = Several(child=OneOf([*Tier.values, NONE]), help_text="Tiers that users or rules set, or `none`.")
    review_by = serializers.DateField(
        required=False, help_text="Return only companies with a review that is due on or before this day."
    )
    sort = OneOf(
        SORTS,
        required=False,
        help_text="Sort by this column; with a hyphen, from the highest. Companies where it is unknown are left out.",
    )


CHOSEN_BY: dict[str, Callable[[QuerySet[Company], Any], QuerySet[Company]]] = {
    "monitored": lambda rows, monitored: in_portfolio(rows, YES if monitored else NO),
    "registration": in_registrations,
    "flag": lambda rows, flag: rows.filter(flagged(flag)),
    "tier": lambda rows, tiers: rows.filter(of_tiers(tiers)),
    "review_by": lambda rows, day: rows.filter(review_due_by(day)),
    "owner": owned_by,
    "tag": tagged,
}


def companies_chosen(asked: dict[str, Any], rows: QuerySet[Company]) -> QuerySet[Company]:
    """Without the search, which finds a limited number."""
    if (companies := among(asked, "duns")) is not None:
        rows = rows.filter(duns__in=sorted(companies))
    for column in (*NUMBERS, *TEXTS):
        rows = rows.filter(of_column(column, asked.get(column, ())))
    if "changed_since" in asked:
        rows = rows.filter(changed_at__gte=asked["changed_since"])
    for name, choose in CHOSEN_BY.items():
        if name in asked:
            rows = choose(rows, asked[name])
    return rows


def company_or_404(request: Request, duns: str) -> Company:
    """Unknown and invisible are the same to the caller."""
    row = seen_by(request, Company.objects.filter(pk=_duns_or_404(duns))).first()
    if row is None:
        raise Http404(UNKNOWN_COMPANY)
    return row


def company_once_held(request: Request, duns: str) -> tuple[Company, date | None]:
    """Also one that left the registrations which the caller sees, with its last day there."""
    row = Company.objects.filter(pk=_duns_or_404(duns)).first()
    if row is None:
        raise Http404(UNKNOWN_COMPANY)
    scope = scope_for(request)
    if scope.sees_all or seen_by(request, Company.objects.filter(pk=row.pk)).exists():
        return row, None
    last = left_on(scope, row.pk)
    if last is None:
        raise Http404(UNKNOWN_COMPANY)
    return row, last


def _duns_or_404(text: str) -> str:
    try:
        return normalise_duns(text)
    except InvalidDuns as error:
        raise Http404(
            f"The path contains no valid D-U-N-S number: {error.reason}. Write its nine digits, such as 804735132 or"
            " 80-473-5132. To find a company by your own ID, use /api/v1/companies/?reference=."
        ) from error
