"""Adopting D&B's list of a registration in the API, which takes a person."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.scopes import READ
from portfolio.models import Registration, Subject, SubjectState
from portfolio.registrations.adopt import NothingKnown, adopt_as_requested
from portfolio.registrations.api import REFERENCE_IN_PATH, ContractParameter, registration_or_404

ADOPTION_EXAMPLE = {"reference": "ACME_LOD_01", "adopted": False, "is_list_complete": True, "companies": 1250}


class AdoptionSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="D&B's name of the registration.")
    adopted = serializers.BooleanField(help_text="Whether D&B's list was adopted.")
    is_list_complete = serializers.BooleanField(
        help_text="Whether a complete list of D&B was received. If not, D&B may monitor and bill more companies."
    )
    companies = serializers.IntegerField(
        help_text="Companies that D&B is known to monitor and that are not requested: adopting requests them."
    )


class AdoptSerializer(Body):
    companies = serializers.IntegerField(
        min_value=0, max_value=10**9, help_text="The number that GET returns. With another number, nothing is adopted."
    )
    incomplete = serializers.BooleanField(
        default=False, help_text="True to adopt the known companies although the list is not complete."
    )


class RegistrationAdoption(APIView):
    # No scope opens adopting: that the list is what is wanted takes a person.
    scopes = {"GET": READ, "POST": ""}
    permissions = {"GET": "portfolio.view_registration", "POST": "portfolio.change_subject"}

    @extend_schema(
        operation_id="registration_adoption",
        tags=["registrations"],
        summary="Get what adopting D&B's list does",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        responses=AdoptionSerializer,
        examples=[an_answer("Before adopting", ADOPTION_EXAMPLE)],
    )
    def get(self, request: Request, reference: str) -> Response:
        """The companies that would become requested. Nothing is sent to D&B, and nothing new is billed."""
        asked = ContractParameter.of(request)
        return Response(_adoption(registration_or_404(request, reference, asked.get("contract"))))

    @extend_schema(
        operation_id="adopt_registration",
        tags=["registrations"],
        summary="Adopt D&B's list of a registration, as a user",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        request=AdoptSerializer,
        responses=AdoptionSerializer,
        examples=[
            a_request("All of them", {"companies": 1250}),
            an_answer("Adopted", {**ADOPTION_EXAMPLE, "adopted": True, "companies": 0}),
        ],
    )
    def post(self, request: Request, reference: str) -> Response:
        """The companies that D&B monitors become requested. API keys cannot adopt; a user signs in.

        Upload D&B's list as a file and confirm it first, so that it is complete.
        """
        contract = ContractParameter.of(request).get("contract")
        row = registration_or_404(request, reference, contract)
        asked = AdoptSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        _demand_same(_adoption(row), asked.validated_data)
        try:
            adopt_as_requested(row, by=who(request))
        except NothingKnown as error:
            raise Conflict(str(error)) from error
        return Response(_adoption(registration_or_404(request, reference, contract)))


def _adoption(row: Registration) -> dict[str, Any]:
    waiting = Subject.objects.filter(registration=row, requested=False, state=SubjectState.MONITORED)
    return {
        "reference": row.reference,
        "adopted": row.adopted,
        "is_list_complete": row.is_list_complete,
        "companies": waiting.count(),
    }


def _demand_same(found: dict[str, Any], asked: dict[str, Any]) -> None:
    """A person adopts what they have seen."""
    if asked["companies"] != found["companies"]:
        raise Conflict(f"Adopting requests {found['companies']} companies now. Check the number and send it.")
    if not found["is_list_complete"] and not asked["incomplete"]:
        raise Conflict(
            "D&B's complete list has not been received, so D&B may monitor more companies. Upload the list and confirm "
            'it, or send "incomplete": true.'
        )
