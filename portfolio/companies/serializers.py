"""Companies and their IDs in other systems, as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portfolio.companies.external_references import references_by_company
from portfolio.models import Company, ExternalReference, Flag

COMPANY_EXAMPLE = {
    "duns": "804735132",
    "name": "Gorman Manufacturing Company, Inc.",
    "country": "US",
    "city": "San Francisco",
    "operating_status": "Active",
    "changed_at": "2026-01-07T02:34:56Z",
    "figures": {
        "failure_percentile": 82,
        "failure_class": 2,
        "failure_incidence": 12,
        "delinquency_percentile": 74,
        "delinquency_class": 2,
        "delinquency_incidence": 260,
        "rating": "3A2",
        "limit_amount": 250000,
        "limit_currency": "USD",
        "payment_index": 76,
        "industry_code": "3537",
        "industry_scheme": "399",
        "industry": "Industrial trucks and tractors",
        "legal_form": "Corporation",
        "start_year": 1985,
        "employees": 1300,
        "size": "large",
        "revenue": 212000000,
        "revenue_currency": "USD",
        "flags": ["suits"],
        "parent": "",
        "domestic_ultimate": "804735132",
        "global_ultimate": "804735132",
        "last_critical_at": None,
    },
    "tier": "critical",
    "next_review_on": "2026-04-07",
}
REFERENCE_EXAMPLE = {"system": "crm", "id": "0015g00000AbCdE"}
NAMED_COMPANY_EXAMPLE = {**COMPANY_EXAMPLE, "references": [REFERENCE_EXAMPLE]}
FLAG_NAMES = [str(flag.name).lower() for flag in Flag]


def flag_names(flags: int | None) -> list[str] | None:
    return None if flags is None else [name for name, flag in zip(FLAG_NAMES, Flag, strict=True) if flags & flag]


class FiguresSerializer(serializers.ModelSerializer[Company]):
    """Unknown is null, or empty for a text."""

    size = serializers.CharField(read_only=True, help_text="`micro`, `small`, `medium` or `large`, by employees.")
    flags = serializers.SerializerMethodField(help_text="Risk flags. Null if unknown.")

    class Meta:
        model = Company
        fields = [
            *("failure_percentile", "failure_class", "failure_incidence"),
            *("delinquency_percentile", "delinquency_class", "delinquency_incidence"),
            *("rating", "limit_amount", "limit_currency", "payment_index"),
            *("industry_code", "industry_scheme", "industry", "legal_form", "start_year"),
            *("employees", "size", "revenue", "revenue_currency", "flags"),
            *("parent", "domestic_ultimate", "global_ultimate", "last_critical_at"),
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "string", "enum": FLAG_NAMES}, "nullable": True})
    def get_flags(self, company: Company) -> list[str] | None:
        return flag_names(company.flags)


class CompanySerializer(serializers.ModelSerializer[Company]):
    duns = serializers.CharField(read_only=True, help_text="D-U-N-S number, nine digits.")
    name = serializers.CharField(read_only=True, help_text="Empty until D&B sends it.")
    country = serializers.CharField(read_only=True, help_text="Two letters (ISO 3166-1). Empty until D&B sends it.")
    city = serializers.CharField(read_only=True, help_text="Empty until D&B sends it.")
    operating_status = serializers.CharField(
        read_only=True, help_text="D&B's description, such as Active or Out of Business."
    )
    changed_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Last update: when the latest change that is not of severity noise happened, or when the latest "
        "full data set came.",
    )

    figures = FiguresSerializer(source="*", help_text="What D&B reports about its risk, size and group.")
    tier = serializers.CharField(
        read_only=True, help_text="`critical`, `important` or `normal`, as users or tier rules set it. Empty for none."
    )
    next_review_on = serializers.DateField(
        read_only=True, allow_null=True, help_text="Day on which the next review is due. Null if none is planned."
    )

    class Meta:
        model = Company
        fields = [
            "duns",
            "name",
            "country",
            "city",
            "operating_status",
            "changed_at",
            "figures",
            "tier",
            "next_review_on",
        ]


class ReferenceSerializer(serializers.Serializer[ExternalReference]):
    system = serializers.CharField(help_text="Name of the system.")
    id = serializers.CharField(source="reference", help_text="ID of the company in that system.")


class NamedCompanySerializer(CompanySerializer):
    """With the names that other systems have for it, in the context by D-U-N-S number: read once for all companies."""

    references = serializers.SerializerMethodField(help_text="The IDs of the company in your other systems.")

    class Meta(CompanySerializer.Meta):
        fields = [*CompanySerializer.Meta.fields, "references"]

    @extend_schema_field(ReferenceSerializer(many=True))
    def get_references(self, company: Company) -> Any:
        return ReferenceSerializer(self.context["named"].get(company.pk, []), many=True).data


def named_companies(companies: Sequence[Company]) -> Any:
    named = references_by_company(company.pk for company in companies)
    return NamedCompanySerializer(companies, many=True, context={"named": named}).data
