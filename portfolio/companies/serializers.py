"""Companies and their IDs in other systems, as the API shows them."""

from __future__ import annotations

from rest_framework import serializers

from portfolio.models import Company, ExternalReference

COMPANY_EXAMPLE = {
    "duns": "804735132",
    "name": "Gorman Manufacturing Company, Inc.",
    "country": "US",
    "city": "San Francisco",
    "operating_status": "Active",
    "changed_at": "2026-01-07T02:34:56Z",
}


class CompanySerializer(serializers.ModelSerializer[Company]):
    duns = serializers.CharField(read_only=True, help_text="D-U-N-S number, nine digits.")
    name = serializers.CharField(read_only=True, help_text="Empty until D&B sends it.")
    country = serializers.CharField(read_only=True, help_text="Two letters (ISO 3166-1). Empty until D&B sends it.")
    city = serializers.CharField(read_only=True, help_text="Empty until D&B sends it.")
    operating_status = serializers.CharField(
        read_only=True, help_text="D&B's description, such as Active or Out of Business."
    )
    changed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When the latest change happened that is not of severity noise."
    )

    class Meta:
        model = Company
        fields = ["duns", "name", "country", "city", "operating_status", "changed_at"]


class ReferenceSerializer(serializers.Serializer[ExternalReference]):
    system = serializers.CharField(help_text="Name of the system.")
    id = serializers.CharField(source="reference", help_text="ID of the company in that system.")
