"""Registrations in the API: list and read them, and pull one immediately."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import PULL
from core.api.visibility import seen_by
from core.audit import record
from core.jobs import ask_worker
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from core.text import is_clean
from portfolio.companies.parameters import UNKNOWN_REGISTRATION
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.status import description

PULL_NOW = "monitoring.jobs.pull_now"
REFERENCE_IN_PATH = OpenApiParameter(
    "reference", str, OpenApiParameter.PATH, description="D&B's name of the registration."
)
REGISTRATION_EXAMPLE = {
    "reference": "ACME_LOD_01",
    "contract": "default",
    "description": "Acme suppliers",
    "state": "active",
    "paused_until": None,
    "stopped_reason": "",
    "adopted": True,
    "last_pulled_at": "2026-01-08T11:06:48.292000Z",
    "next_pull_at": "2026-01-08T11:11:48.301000Z",
    "gap_from": None,
    "gap_until": None,
}


class RegistrationSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="D&B's name of the registration.")
    contract = serializers.CharField(source="contract_id", help_text="The contract (account at D&B) it belongs to.")
    description = serializers.SerializerMethodField(help_text="D&B's description.")
    state = serializers.ChoiceField(RegistrationState.choices, help_text="Whether it is pulled automatically.")
    paused_until = serializers.DateTimeField(
        allow_null=True,
        help_text="When a pause ends. Null if it lasts until a user resumes it, or if it is not paused.",
    )
    stopped_reason = serializers.CharField(help_text="Why D&B refuses it. Empty if it does not.")
    adopted = serializers.BooleanField(
        help_text="True if D&B's list was adopted. Before that, no additions or removals are sent."
    )
    last_pulled_at = serializers.DateTimeField(
        allow_null=True, help_text="Data is up to date as of this time: D&B's queue was empty."
    )
    next_pull_at = serializers.DateTimeField(allow_null=True, help_text="When the next pull is due.")
    gap_from = serializers.DateTimeField(
        allow_null=True,
        help_text="Start of a data gap: notifications from then on may be missing. Null if all arrived.",
    )
    gap_until = serializers.DateTimeField(allow_null=True, help_text="End of the data gap.")

    def get_description(self, row: Registration) -> str:
        return description(row)


class RegistrationsSerializer(PageSerializer):
    results = RegistrationSerializer(many=True)


class PullAskedSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(help_text="D&B's name of the registration.")
    last_pulled_at = serializers.DateTimeField(
        allow_null=True, help_text="When D&B's queue was last empty. It changes when the new pull is complete."
    )


class RegistrationListParameters(PageParameters):
    state = Several(child=OneOf(RegistrationState.choices), help_text="Return only registrations in these states.")
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Return only registrations of this contract."
    )


class ContractParameter(Parameters):
    contract = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Required only if two contracts have a registration with this reference.",
    )


def registration_or_404(request: Request, reference: str, contract: str | None = None) -> Registration:
    rows = seen_by(request, Registration.objects.select_related("contract"))
    found = list(rows.filter(reference=reference)) if is_clean(reference) else []
    if contract is not None:
        found = [row for row in found if row.contract_id == contract]
    if not found:
        raise Http404(UNKNOWN_REGISTRATION)
    if len(found) > 1:
        raise serializers.ValidationError(
            {"contract": ["Several contracts have a registration with this reference. Specify the contract."]}
        )
    return found[0]


class RegistrationList(APIView):
    permissions = {"GET": "portfolio.view_registration"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="registrations",
        tags=["registrations"],
        summary="List registrations",
        parameters=[RegistrationListParameters],
        responses=RegistrationsSerializer,
        examples=[an_answer("A page", {"results": [REGISTRATION_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """All registrations, sorted by reference."""
        asked = RegistrationListParameters.of(request)
        rows = seen_by(request, Registration.objects.order_by("reference", "id"))
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        if "contract" in asked:
            rows = rows.filter(contract=asked["contract"])
        if "after" in asked:
            rows = beyond(rows, ("reference", "id"), _place(asked["after"]))
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].reference, found[-1].pk.hex]) if has_more else None
        return Response({"results": RegistrationSerializer(found, many=True).data, "next": token})


def _place(cursor: str) -> tuple[str, uuid.UUID]:
    try:
        reference, key = read_token(cursor)
        return reference, uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


class RegistrationDetail(APIView):
    permissions = {"GET": "portfolio.view_registration"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="registration",
        tags=["registrations"],
        summary="Get a registration",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        responses=RegistrationSerializer,
        examples=[an_answer("A registration", REGISTRATION_EXAMPLE)],
    )
    def get(self, request: Request, reference: str) -> Response:
        """The current state of a registration."""
        asked = ContractParameter.of(request)
        return Response(RegistrationSerializer(registration_or_404(request, reference, asked.get("contract"))).data)


class PullNow(APIView):
    scopes = {"POST": PULL}
    permissions = {"POST": "portfolio.pull_registration"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="pull",
        tags=["registrations"],
        summary="Pull a registration now",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        request=None,
        responses={202: PullAskedSerializer},
        examples=[
            an_answer("Asked", {"reference": "ACME_LOD_01", "last_pulled_at": "2026-01-08T11:06:48.292000Z"}, 202)
        ],
    )
    def post(self, request: Request, reference: str) -> Response:
        """A worker pulls it within seconds, even if it is paused. New changes appear in the feed."""
        asked = ContractParameter.of(request)
        row = registration_or_404(request, reference, asked.get("contract"))
        ask_worker(PULL_NOW, str(row.pk), str(who(request)), task_name=f"Pull {row.reference} now"[:100])
        record(actor=who(request), action="pull", thing=row, summary=f"Immediate pull of {row.reference} requested")
        return Response({"reference": row.reference, "last_pulled_at": row.last_pulled_at}, status=202)
