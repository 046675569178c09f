"""What company searches look like in the API."""

from __future__ import annotations

import uuid
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from core.api.bodies import Body
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import CountryField, PageParameters, Several
from core.api.visibility import scope_for
from portfolio.call_budgets.api import ConfirmCallsField
from portfolio.companies.parameters import DunsField
from portfolio.company_search.candidates import candidates_of, monitored_in
from portfolio.models import CallKind, CompanySearch, SearchState

SEARCH_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The search's ID.")
CANDIDATE_EXAMPLE = {
    "duns": "804735132",
    "name": "Acme Inc",
    "country": "US",
    "address": "1 Main St, 62701, Springfield, IL",
    "confidence": 9,
    "recommended": True,
    "match": ["Same: name, city"],
    "status": "Active",
    "monitored_in": [],
}
SEARCH_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "import": None,
    "line": 0,
    "name": "acme",
    "country": "US",
    "state": "found",
    "candidates": [CANDIDATE_EXAMPLE],
    "chosen": None,
    "decided_by": "",
    "added_to": None,
    "error": "",
    "requested_by": "ERP (dnbmon_1a2b3c4d_…)",
    "requested_at": "2026-01-07T09:00:00Z",
}
ROWS_EXAMPLE = {"to_search": 30, "calls": {"match": 30}, "calls_left": 470, "states": {}}


class CandidateSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    name = serializers.CharField(help_text="Name at D&B.")
    country = serializers.CharField(help_text="Two-letter country code.")
    address = serializers.CharField(help_text="Address, if D&B returned one.")
    confidence = serializers.IntegerField(
        allow_null=True, help_text="D&B's confidence, 1 to 10. Null if the candidate is not rated."
    )
    recommended = serializers.BooleanField(
        source="is_recommended", help_text="True from a confidence of 8. Compare the address as well."
    )
    match = serializers.ListField(
        source="grade_words", child=serializers.CharField(), help_text="What is the same, similar or different."
    )
    status = serializers.CharField(help_text="Operating status, if D&B returned one.")
    monitored_in = serializers.SerializerMethodField(help_text="Registrations that request the company already.")

    def get_monitored_in(self, row: Any) -> list[str]:
        found: list[str] = self.context["monitored"].get(row.duns, [])
        return found


class SearchSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The search's ID.")
    line = serializers.IntegerField(help_text="Line of the import's file. 0 for a single search.")
    name = serializers.CharField(help_text="Name that was searched for.")
    country = serializers.CharField(help_text="Two-letter country code.")
    state = serializers.ChoiceField(SearchState.choices, help_text="State of the search.")
    candidates = serializers.SerializerMethodField(help_text="D&B's candidates, the likeliest first.")
    chosen = serializers.SerializerMethodField(help_text="D-U-N-S number that a user chose. Null if none was chosen.")
    decided_by = serializers.CharField(help_text="User who decided. Empty before that.")
    added_to = serializers.UUIDField(allow_null=True, help_text="The import that contains the chosen company.")
    error = serializers.CharField(help_text="Reason why the search stopped or failed. Empty if it did not.")
    requested_by = serializers.CharField(help_text="User or API key that requested the search.")
    requested_at = serializers.DateTimeField(help_text="When it was requested.")

    def get_fields(self) -> dict[str, Any]:
        """`import` is a word of Python's."""
        of = serializers.UUIDField(
            source="subject_import_id", allow_null=True, help_text="The import with the row. Null for a single search."
        )
        return {"import": of, **super().get_fields()}

    @extend_schema_field(CandidateSerializer(many=True))
    def get_candidates(self, row: CompanySearch) -> Any:
        return CandidateSerializer(candidates_of(row), many=True, context=self.context).data

    def get_chosen(self, row: CompanySearch) -> str | None:
        return row.chosen or None


class SearchesSerializer(PageSerializer):
    results = SearchSerializer(many=True)


class QuerySerializer(Body):
    name = serializers.CharField(max_length=300, help_text="Name of the company.")
    country = CountryField(help_text="Two-letter country code (ISO 3166-1).")
    street = serializers.CharField(required=False, max_length=200, help_text="Street and number.")
    city = serializers.CharField(required=False, max_length=100, help_text="City.")
    postal_code = serializers.CharField(required=False, max_length=20, help_text="Postal code.")
    registration_number = serializers.CharField(
        required=False, max_length=60, help_text="Number in a company register, or a tax number."
    )
    telephone = serializers.CharField(required=False, max_length=40, help_text="Telephone number.")
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Contract that makes the call. Required only if there are several."
    )
    kind = OneOf(
        [CallKind.MATCH.value, CallKind.TYPEAHEAD.value],
        default=CallKind.MATCH.value,
        help_text="`typeahead` finds by the beginning of the name, if the contract with D&B includes it.",
    )
    confirm_calls = ConfirmCallsField()


class CandidateCallsSerializer(Body):
    confirm_calls = ConfirmCallsField()


class RowsSerializer(serializers.Serializer[Any]):
    to_search = serializers.IntegerField(help_text="Rows with a name and a country that have not been searched for.")
    calls = serializers.DictField(
        child=serializers.IntegerField(), help_text="Calls to confirm: no more than are left this month."
    )
    calls_left = serializers.IntegerField(help_text="Match calls left this month.")
    states = serializers.DictField(child=serializers.IntegerField(), help_text="Number of searches by state.")


class DecisionSerializer(Body):
    duns = DunsField(
        allow_null=True, max_length=20, help_text="The candidate that is the company. Null if none of them is."
    )
    registration = serializers.CharField(
        required=False, max_length=64, help_text="For a single search: reference of the registration to add it to."
    )


class SearchParameters(PageParameters):
    state = Several(child=OneOf(SearchState.choices), help_text="Return only searches in these states.")

    def get_fields(self) -> dict[str, Any]:
        of = serializers.UUIDField(required=False, help_text="Return only searches for rows of this import.")
        return {**super().get_fields(), "import": of}


def answers(rows: list[CompanySearch], request: Request) -> Any:
    monitored: dict[str, list[str]] = {}
    for contract in {row.contract for row in rows}:
        numbers = [one.duns for row in rows if row.contract == contract for one in candidates_of(row)]
        monitored |= monitored_in(contract, numbers, scope_for(request))
    return SearchSerializer(rows, many=True, context={"monitored": monitored}).data
