"""Calls that may cost, in the API: their budgets, the calls made, and how a request confirms its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import plurals
from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer, page_by_key
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import READ
from portfolio.call_budgets.budgets import budget_of, budgets_of, set_budget
from portfolio.call_budgets.calls import BudgetUsedUp, CallsChanged, this_month
from portfolio.models import CallKind, CallOutcome, Contract, DnbCall

Row = TypeVar("Row", bound=Model)
MOST_CALLS = 10**9
CONFIRM_HELP = (
    'Number of calls to D&B that you confirm, by kind, such as `{"match": 12}`. If it is not the number that the '
    "request would make, no call is made, and the response (409) states that number. Send `{}` to get it."
)
CONFIRM_MISSING = (
    "Send the number of calls to D&B that you confirm, by kind. To get it, send {{}}: no call is made, and the response"
    " (409) states the number."
)

BUDGET_EXAMPLE = {
    "contract": "default",
    "kind": "match",
    "limit": 500,
    "is_default": True,
    "used": 12,
    "left": 488,
}
CALL_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "contract": "default",
    "kind": "data_blocks",
    "about": "804735132",
    "requested_by": "ann",
    "called_at": "2026-01-07T09:00:00Z",
    "ended_at": "2026-01-07T09:00:01Z",
    "outcome": "answered",
    "code": "",
}


class ConfirmCallsField(serializers.DictField):
    """`confirm_calls` of a request whose calls may cost."""

    child = serializers.IntegerField(min_value=0, max_value=10**9)

    def __init__(self, **options: Any) -> None:
        missing = dict.fromkeys(("required", "null"), CONFIRM_MISSING)
        super().__init__(**{"help_text": CONFIRM_HELP, "error_messages": missing, **options})

    def to_internal_value(self, data: Any) -> dict[CallKind, int]:
        sent = super().to_internal_value(data)
        if unknown := sorted(sent.keys() - set(CallKind.values)):
            known = ", ".join(CallKind.values)
            raise serializers.ValidationError(f"Unknown kinds of calls: {', '.join(unknown)}. The kinds are: {known}.")
        return {CallKind(kind): number for kind, number in sent.items()}


class ConfirmCallsSerializer(Body):
    confirm_calls = ConfirmCallsField()


@contextmanager
def conflicts_of_calls() -> Iterator[None]:
    """409 where the calls are not within the budget, or not those confirmed."""
    try:
        yield
    except BudgetUsedUp as error:
        raise Conflict(str(error)) from error
    except CallsChanged as error:
        needed = {kind.value: number for kind, number in error.planned.items()}
        made = plurals.calls(sum(needed.values()))
        detail = f'No call was made. The request makes {made}. Send "confirm_calls": {json.dumps(needed)}.'
        raise Conflict(detail, confirm_calls=needed) from error


def resume_confirmed(
    request: Request, row: Row, may_resume: Callable[[Row], bool], resume: Callable[..., None]
) -> None:
    """What has stopped goes on with the calls that are left and confirmed. 409 where there are none, or others."""
    asked = ConfirmCallsSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    if not may_resume(row):
        raise Conflict("No companies are left to fetch.")
    with conflicts_of_calls():
        resume(row, asked.validated_data["confirm_calls"], by=who(request))


class CallBudgetSerializer(serializers.Serializer[Any]):
    contract = serializers.CharField(source="budget.contract_id", help_text="Name of the contract.")
    kind = serializers.ChoiceField(CallKind.choices, help_text="Kind of call.")
    limit = serializers.IntegerField(source="budget.limit", help_text="Calls per month.")
    is_default = serializers.BooleanField(help_text="True if no limit was set, so that the default counts.")
    used = serializers.IntegerField(help_text="Calls made this month.")
    left = serializers.IntegerField(help_text="Calls left this month.")


class BudgetsSerializer(serializers.Serializer[Any]):
    month = serializers.DateField(help_text="First day of the month, in UTC.")
    results = CallBudgetSerializer(many=True)


class CallSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="ID of the call.")
    contract = serializers.CharField(source="contract_id", help_text="Name of the contract.")
    kind = serializers.ChoiceField(CallKind.choices, help_text="Kind of call.")
    about = serializers.CharField(help_text="D-U-N-S number, name or table that the call was about.")
    requested_by = serializers.CharField(help_text="User, API key or job.")
    called_at = serializers.DateTimeField(help_text="When the call was made.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When it ended. Null without a result.")
    outcome = serializers.ChoiceField(
        CallOutcome.choices,
        help_text="`called`: no result yet, or the process ended. `answered`, `refused` by D&B, or `failed`.",
    )
    code = serializers.CharField(help_text="D&B's code, or the kind of failure. Otherwise empty.")


class CallsSerializer(PageSerializer):
    results = CallSerializer(many=True)


class CallParameters(PageParameters):
    kind = Several(child=OneOf(CallKind.choices), help_text="Return only calls of these kinds.")


class SetBudgetSerializer(Body):
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Name of the contract. Required only if there are several."
    )
    kind = OneOf(CallKind.choices, help_text="Kind of call.")
    limit = serializers.IntegerField(
        min_value=0, max_value=MOST_CALLS, allow_null=True, help_text="Calls per month. Null for the default."
    )


class CallBudgetList(APIView):
    # No scope opens changes: no API key raises the limit that it is held to.
    scopes = {"GET": READ, "PUT": ""}
    permissions = {"GET": "portfolio.view_callbudget", "PUT": "portfolio.change_callbudget"}

    @extend_schema(
        operation_id="call_budgets",
        tags=["calls"],
        summary="List call budgets",
        responses=BudgetsSerializer,
        examples=[an_answer("This month", {"month": "2026-01-01", "results": [BUDGET_EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        """How many calls that may incur costs were made this month, and how many are left, by contract and kind."""
        Parameters.of(request)
        return Response(_budgets_json(Contract.objects.order_by("name")))

    @extend_schema(
        operation_id="set_call_budget",
        tags=["calls"],
        summary="Set a call budget, as a user",
        request=SetBudgetSerializer,
        responses=BudgetsSerializer,
        examples=[
            a_request("1,000 searches", {"kind": "match", "limit": 1000}),
            an_answer(
                "Set",
                {
                    "month": "2026-01-01",
                    "results": [{**BUDGET_EXAMPLE, "limit": 1000, "is_default": False, "left": 988}],
                },
            ),
        ],
    )
    def put(self, request: Request) -> Response:
        """Sets the limit of one kind of call from this month on, and returns the budgets of its contract. API keys
        cannot set budgets; a user signs in.
        """
        asked = SetBudgetSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        contract = contract_named(asked.validated_data.get("contract"))
        budget = budget_of(contract, asked.validated_data["kind"])
        set_budget(budget, asked.validated_data["limit"], changed_by=who(request))
        return Response(_budgets_json([contract]))


def _budgets_json(contracts: Iterable[Contract]) -> dict[str, Any]:
    return {"month": this_month(), "results": CallBudgetSerializer(budgets_of(contracts), many=True).data}


def contract_named(name: str | None) -> Contract:
    """The only one, unless one is named."""
    rows = list(Contract.objects.order_by("name")) if name is None else list(Contract.objects.filter(pk=name))
    if not rows:
        raise NotFound("No contract with this name exists.")
    if len(rows) > 1:
        raise serializers.ValidationError({"contract": "There are several contracts. Name one of them."})
    return rows[0]


class CallList(APIView):
    permissions = {"GET": "portfolio.view_dnbcall"}

    @extend_schema(
        operation_id="calls",
        tags=["calls"],
        summary="List calls to D&B, latest first",
        parameters=[CallParameters],
        responses=CallsSerializer,
        examples=[an_answer("A page", {"results": [CALL_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Every call that may incur costs, recorded before it was made."""
        asked = CallParameters.of(request)
        rows = DnbCall.objects.all()
        if "kind" in asked:
            rows = rows.filter(kind__in=sorted(set(asked["kind"])))
        found, token = page_by_key(rows, asked, newest_first=True)
        return Response({"results": CallSerializer(found, many=True).data, "next": token})
