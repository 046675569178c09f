"""What the API says of data fetches, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from core.api.bodies import Body
from core.api.fields import Entries, OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several
from monitoring.data_fetch.finish import counts_by_fetch
from monitoring.models import DataFetch, FetchedState, FetchState
from portfolio.call_budgets.api import ConfirmCallsField
from portfolio.companies.parameters import DunsField

MOST_COMPANIES = 500
FETCH_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "registration": None,
    "state": "open",
    "reason": "",
    "block_ids": ["companyinfo_L2_v1"],
    "check_since": None,
    "counts": {"ready": 1},
    "requested_by": "CRM",
    "requested_at": "2026-01-08T11:06:48.292000Z",
    "closed_at": None,
    "found": "",
}
ITEM_EXAMPLE = {
    "duns": "804735132",
    "state": "ready",
    "differences": 1,
    "replacement": "",
    "message": "",
    "decided_by": "",
    "decided_at": None,
}
DIFFERENCE_EXAMPLE = {"element": "organization.telephone", "previous": None, "current": "5555550100"}


class FetchSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="ID of the data fetch.")
    registration = serializers.CharField(
        allow_null=True, source="registration.reference", default=None, help_text="Registration with the data gap."
    )
    state = serializers.ChoiceField(
        FetchState.choices, help_text="`open` waits for decisions; `stopped` can be resumed."
    )
    reason = serializers.CharField(help_text="Reason for stopping.")
    block_ids = serializers.SerializerMethodField(help_text="Data blocks that are fetched.")
    check_since = serializers.DateField(
        allow_null=True, help_text="Only companies that D&B has changed since this day are fetched. Null: all are."
    )
    counts = serializers.SerializerMethodField(help_text="Number of companies by state.")
    requested_by = serializers.CharField(help_text="User or API key.")
    requested_at = serializers.DateTimeField(help_text="When it was requested.")
    closed_at = serializers.DateTimeField(
        allow_null=True, help_text="Time at which the data of the last company was accepted or discarded."
    )
    found = serializers.CharField(help_text="The result, in a sentence.")

    def get_block_ids(self, row: DataFetch) -> list[str]:
        return row.block_ids.split(",")

    def get_counts(self, row: DataFetch) -> dict[str, int]:
        return {state.value: count for state, count in self.context["counts"][row.pk].items()}


def serialized(rows: Sequence[DataFetch]) -> Any:
    """With their counts, in one query."""
    return FetchSerializer(rows, many=True, context={"counts": counts_by_fetch(rows)}).data


class FetchesSerializer(PageSerializer):
    results = FetchSerializer(many=True)


class RequestSerializer(Body):
    companies = Entries(
        child=DunsField(),
        required=False,
        allow_empty=False,
        max_length=MOST_COMPANIES,
        help_text="Up to 500 companies, all monitored in one contract.",
    )
    registration = serializers.CharField(
        required=False, max_length=255, help_text="Close this registration's data gap, instead of `companies`."
    )
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Contract of the registration, if several have the reference."
    )
    confirm_calls = ConfirmCallsField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("companies" in attrs) == ("registration" in attrs):
            raise serializers.ValidationError("Send either `companies` or `registration`.")
        return attrs


class FetchDecisionSerializer(Body):
    companies = Entries(
        child=DunsField(),
        required=False,
        allow_empty=False,
        max_length=MOST_COMPANIES,
        help_text="Companies to decide. Leave it out for all that wait for a decision.",
    )
    confirm_companies = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="Number of companies that you expect to wait for a decision. Required without `companies`.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("companies" in attrs) == ("confirm_companies" in attrs):
            raise serializers.ValidationError("Send either `companies` or `confirm_companies`.")
        return attrs


class DiscardSerializer(FetchDecisionSerializer):
    state = serializers.ChoiceField(
        [FetchedState.READY.value, FetchedState.FAILED.value],
        default=FetchedState.READY.value,
        help_text="`ready`: documents that wait for a decision. `failed`: companies without a valid response.",
    )


class ItemSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(source="company_id", help_text="D-U-N-S number.")
    state = serializers.ChoiceField(FetchedState.choices, help_text="`ready` waits for a decision.")
    differences = serializers.IntegerField(allow_null=True, help_text="Number of values that differed when fetched.")
    replacement = serializers.CharField(help_text="D-U-N-S number into which D&B merged the company.")
    message = serializers.CharField(help_text="D&B's message, or the error.")
    decided_by = serializers.CharField(help_text="User or API key.")
    decided_at = serializers.DateTimeField(allow_null=True, help_text="When it was accepted or discarded.")


class ItemsSerializer(PageSerializer):
    results = ItemSerializer(many=True)


class DifferenceSerializer(serializers.Serializer[Any]):
    element = serializers.CharField(help_text="Path of the data element.")
    previous = serializers.JSONField(help_text="Value before acceptance.")
    current = serializers.JSONField(help_text="Value after acceptance.")


class ItemDetailSerializer(ItemSerializer):
    changes = DifferenceSerializer(many=True, help_text="The differences that accepting the document applies.")


class ItemParameters(PageParameters):
    state = Several(child=OneOf(FetchedState.choices), help_text="Return only companies in these states.")
