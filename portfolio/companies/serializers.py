"""Companies and what other systems call them, as the API shows them."""

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
    name = serializers.CharField(read_only=True, help_text="Empty until D&B has told it.")
    country = serializers.CharField(read_only=True, help_text="ISO 3166-1, two letters; empty while unknown.")
    city = serializers.CharField(read_only=True)
    operating_status = serializers.CharField(read_only=True, help_text="In D&B's words.")
    changed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When the newest change happened that is not noise."
    )

    class Meta:
        model = Company
        fields = ["duns", "name", "country", "city", "operating_status", "changed_at"]


class ReferenceSerializer(serializers.Serializer[ExternalReference]):
    system = serializers.CharField(help_text="Which system.")
    id = serializers.CharField(source="reference", help_text="What that system calls the company.")
