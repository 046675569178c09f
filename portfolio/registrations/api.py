"""Registrations for other programs: what D&B watches for us, and pulling one now."""

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
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import PULL
from core.audit import record
from core.jobs import ask_worker
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from core.text import is_clean
from portfolio.models import Registration, RegistrationState
from portfolio.registrations.status import description

PULL_NOW = "monitoring.jobs.pull_now"
REFERENCE_IN_PATH = OpenApiParameter("reference", str, OpenApiParameter.PATH, description="As D&B calls it.")
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
    reference = serializers.CharField(help_text="As D&B calls it.")
    contract = serializers.CharField(source="contract_id", help_text="Which account at D&B it belongs to.")
    description = serializers.SerializerMethodField(help_text="D&B's words.")
    state = serializers.ChoiceField(RegistrationState.choices)
    paused_until = serializers.DateTimeField(allow_null=True, help_text="Null: until somebody starts it.")
    stopped_reason = serializers.CharField(help_text="Why D&B refuses it.")
    adopted = serializers.BooleanField(help_text="Whether D&B's list was taken over; before that nothing is sent.")
    last_pulled_at = serializers.DateTimeField(allow_null=True, help_text="When D&B's queue was last empty.")
    next_pull_at = serializers.DateTimeField(allow_null=True)
    gap_from = serializers.DateTimeField(allow_null=True, help_text="Notifications from then on may be missing.")
    gap_until = serializers.DateTimeField(allow_null=True)

    def get_description(self, row: Registration) -> str:
        return description(row)


class RegistrationsSerializer(serializers.Serializer[Any]):
    results = RegistrationSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `after`; null on the last page.")


class PullAskedSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField()
    last_pulled_at = serializers.DateTimeField(
        allow_null=True, help_text="As it is now: it moves when the pull has emptied D&B's queue."
    )


class RegistrationListParameters(PageParameters):
    state = Several(child=serializers.ChoiceField(RegistrationState.choices), help_text="Only in these states.")
    contract = serializers.CharField(required=False, max_length=64, help_text="Only of this account at D&B.")


class ContractParameter(Parameters):
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Needed only where two accounts have a registration of that name."
    )


def registration_or_404(reference: str, contract: str | None = None) -> Registration:
    rows = Registration.objects.select_related("contract")
    found = list(rows.filter(reference=reference)) if is_clean(reference) else []
    if contract is not None:
        found = [row for row in found if row.contract_id == contract]
    if not found:
        raise Http404("There is no registration with this reference.")
    if len(found) > 1:
        raise serializers.ValidationError({"contract": ["Several accounts have this registration: say which."]})
    return found[0]


class RegistrationList(APIView):
    permissions = {"GET": "portfolio.view_registration"}

    @extend_schema(
        operation_id="registrations",
        tags=["registrations"],
        summary="All registrations",
        parameters=[RegistrationListParameters],
        responses=RegistrationsSerializer,
        examples=[an_answer("A page", {"results": [REGISTRATION_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Sorted by reference."""
        asked = RegistrationListParameters.of(request)
        rows = Registration.objects.order_by("reference", "id")
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

    @extend_schema(
        operation_id="registration",
        tags=["registrations"],
        summary="One registration",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        responses=RegistrationSerializer,
        examples=[an_answer("A registration", REGISTRATION_EXAMPLE)],
    )
    def get(self, request: Request, reference: str) -> Response:
        """As it is now."""
        asked = ContractParameter.of(request)
        return Response(RegistrationSerializer(registration_or_404(reference, asked.get("contract"))).data)


class PullNow(APIView):
    scopes = {"POST": PULL}
    permissions = {"POST": "portfolio.pull_registration"}

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
        """A worker pulls it within seconds, even while it is paused. What it brings comes through the feed."""
        asked = ContractParameter.of(request)
        row = registration_or_404(reference, asked.get("contract"))
        ask_worker(PULL_NOW, str(row.pk), task_name=f"Pull {row.reference} now"[:100])
        record(actor=who(request), action="pull", thing=row, summary=f"{row.reference} is pulled now")
        return Response({"reference": row.reference, "last_pulled_at": row.last_pulled_at}, status=202)
