"""D&B's codes and their words in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several
from core.api.scopes import FETCH_REFERENCE_DATA, READ
from portfolio.call_budgets.api import ConfirmCallsField, conflicts_of_calls
from portfolio.models import Contract, ReferenceCategory, ReferenceCode
from portfolio.reference_data.fetch import request_reference_data

EXAMPLE = {"code": "9074", "words": "Active"}


class CodeSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="D&B's code.")
    words = serializers.CharField(help_text="Its description in the language.")


class CodesSerializer(PageSerializer):
    results = CodeSerializer(many=True)


class CodeParameters(PageParameters):
    category = OneOf(
        ReferenceCategory.choices,
        default=ReferenceCategory.OPERATING_STATUS,
        help_text="Category. Industries have the `typeDnBCode` of their classification.",
    )
    language = serializers.CharField(
        max_length=2, default="en", help_text="Language of the descriptions: two letters (ISO 639-1)."
    )
    code = Several(child=serializers.CharField(max_length=64), help_text="Return only these codes.")


class ReferenceDataFetchSerializer(Body):
    contract = serializers.SlugRelatedField(
        slug_field="name",
        queryset=Contract.objects.all(),
        required=False,
        help_text="Name of the contract that makes the calls. Leave it out for the first.",
    )
    confirm_calls = ConfirmCallsField()


class FetchedSerializer(serializers.Serializer[Any]):
    requested = serializers.IntegerField(help_text="Number of calls that a job makes for this request.")


class ReferenceCodeList(APIView):
    scopes = {"GET": READ}
    permissions = {"GET": "portfolio.view_referencelist"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="reference_data",
        tags=["reference data"],
        summary="List the codes of a category",
        parameters=[CodeParameters],
        responses=CodesSerializer,
        examples=[an_answer("Operating statuses", {"results": [EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """D&B's codes with their descriptions, in the order of the codes. Empty until a user has fetched them."""
        asked = CodeParameters.of(request)
        rows = ReferenceCode.objects.filter(category=asked["category"], language=asked["language"])
        rows = rows.filter(code__in=asked["code"]) if "code" in asked else rows
        rows = rows.filter(code__gt=asked["after"]) if "after" in asked else rows
        found = list(rows.order_by("code")[: asked["limit"] + 1])
        page = found[: asked["limit"]]
        following = page[-1].code if len(found) > len(page) else None
        return Response({"results": CodeSerializer(page, many=True).data, "next": following})


class ReferenceDataFetch(APIView):
    scopes = {"POST": FETCH_REFERENCE_DATA}
    permissions = {"POST": "portfolio.fetch_referencelist"}

    @extend_schema(
        operation_id="fetch_reference_data",
        tags=["reference data"],
        summary="Fetch D&B's reference data",
        request=ReferenceDataFetchSerializer,
        responses={202: FetchedSerializer},
        examples=[
            a_request("Confirmed", {"confirm_calls": {"reference_data": 13}}),
            an_answer("Requested", {"requested": 13}, 202),
        ],
    )
    def post(self, request: Request) -> Response:
        """A job fetches all lists in all languages, and makes the calls that you confirm.

        From then on, a job fetches the lists that D&B offers again every month, within the budget of Reference Data
        calls, without another confirmation. A budget of 0 calls ends that. While a request is in work, another one
        has no effect.
        """
        asked = ReferenceDataFetchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        contract = asked.validated_data.get("contract") or Contract.objects.order_by("name").first()
        if contract is None:
            raise serializers.ValidationError("There is no contract yet.")
        with conflicts_of_calls():
            confirmed = asked.validated_data["confirm_calls"]
            requested = request_reference_data(contract, confirmed=confirmed, requested_by=who(request))
        return Response({"requested": requested}, status=202)
