"""A delivered file in the API, and D&B's list confirmed as complete, which takes a person."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.scopes import READ
from monitoring.file_intake.api import CHANGES_LISTS, FILE_EXAMPLE, FileSerializer
from monitoring.file_intake.lists import NumberChanged, confirm_complete, preview_of
from monitoring.models import DeliveredFile

NOTHING: dict[str, Any] = {"gone": None, "names": []}
KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The file's ID.")
CONFIRMATION_EXAMPLE = {"gone": 1, "companies": ["Gorman Manufacturing Company, Inc. (804735132)"]}


class ToConfirmSerializer(serializers.Serializer[Any]):
    gone = serializers.IntegerField(
        allow_null=True,
        help_text="Number of companies that are marked as no longer at D&B if you confirm the list. Null if there is "
        "nothing to confirm.",
    )
    companies = serializers.ListField(
        source="names", child=serializers.CharField(), help_text="The first 20 of them, by name and D-U-N-S number."
    )


class ListConfirmationSerializer(Body):
    gone = serializers.IntegerField(
        min_value=0,
        max_value=10**9,
        help_text="Number of companies that GET returns as `gone`. Another number confirms nothing.",
    )


def file_or_404(key: uuid.UUID) -> DeliveredFile:
    row = DeliveredFile.objects.select_related("registration").filter(pk=key).first()
    if row is None:
        raise Http404("This file does not exist.")
    return row


class FileDetail(APIView):
    permissions = {"GET": "monitoring.view_deliveredfile"}

    @extend_schema(
        operation_id="file",
        tags=["files"],
        summary="Get a delivered file",
        parameters=[KEY_IN_PATH],
        responses=FileSerializer,
        examples=[an_answer("A file", FILE_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of a file, with what became of it."""
        return Response(FileSerializer(file_or_404(id)).data)


class FileConfirm(APIView):
    # No scope opens it: that no part of a list is missing takes a person.
    scopes = {"GET": READ, "POST": ""}
    page_for_users = "admin:monitoring_deliveredfile_change"
    permissions = {"GET": "monitoring.view_deliveredfile", "POST": CHANGES_LISTS}

    @extend_schema(
        operation_id="file_confirmation",
        tags=["files"],
        summary="Get what confirming D&B's list does",
        parameters=[KEY_IN_PATH],
        responses=ToConfirmSerializer,
        examples=[an_answer("One company is not on it", CONFIRMATION_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Companies that D&B monitored before and that are not on the list, in all of its parts."""
        return Response(ToConfirmSerializer(preview_of(file_or_404(id)) or NOTHING).data)

    @extend_schema(
        operation_id="confirm_file",
        tags=["files"],
        summary="Confirm D&B's list as complete, as a user",
        parameters=[KEY_IN_PATH],
        request=ListConfirmationSerializer,
        responses=FileSerializer,
        examples=[
            a_request("One company is not on it", {"gone": 1}),
            an_answer("Confirmed", {**FILE_EXAMPLE, "kind": "export"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Companies that are not on the list are marked as no longer at D&B. API keys cannot confirm; a user signs in.

        D&B does not state how many parts a list has. Confirm only if all have arrived.
        """
        row = file_or_404(id)
        asked = ListConfirmationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            confirm_complete(row, asked.validated_data["gone"], by=who(request))
        except NumberChanged as error:
            raise Conflict(str(error)) from error
        return Response(FileSerializer(file_or_404(id)).data)
