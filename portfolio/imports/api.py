"""Imports in the API: list, read and confirm them."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.actors import Actor
from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several
from core.api.visibility import seen_by
from core.blobs import load_bytes
from core.lists.pagination import beyond, cut, read_key, write_token
from core.urls import link
from portfolio.imports.confirm import confirm_import, current_plan
from portfolio.imports.states import NotAllowed, Refused, WrongNumber, counts_of, file_key, sheets_of
from portfolio.imports.upload import create_import, read_import
from portfolio.jobs import WORKING_TIME, start_import_work
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport
from portfolio.registrations.adopt import uncertain_contracts

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The import's ID.")
IMPORT_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "url": "/api/v1/imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/",
    "page": "https://monitoring.example.com/portfolio/subjectimport/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/change/",
    "registration": "ACME_LOD_01",
    "mode": "add",
    "state": "read",
    "created_by": "ERP (dnbmon_1a2b3c4d_…)",
    "created_at": "2026-01-07T09:00:00Z",
    "confirmed_by": "",
    "approved_by": "",
    "total": 1,
    "counts": {"new": 1},
    "new_billable": 1,
    "new_billable_is_maximum": False,
    "removals": 0,
    "sheets": [],
    "error": "",
}


IS_MAXIMUM = (
    "True if `new_billable` is a maximum: D&B may already monitor some of these companies. The number is exact once "
    "D&B's complete list is adopted for every registration of the contract."
)


class SheetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Name of the sheet.")
    rows = serializers.IntegerField(help_text="Number of rows below the header.")
    hidden = serializers.BooleanField(help_text="True if the sheet is hidden in the workbook.")
    has_numbers = serializers.BooleanField(help_text="True if the sheet contains D-U-N-S numbers.")
    is_read = serializers.BooleanField(help_text="True for the sheet that is imported. The others are not.")


class ImportSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The import's ID.")
    url = serializers.SerializerMethodField(help_text="Path of the import. A user confirms it at …/confirm/.")
    page = serializers.SerializerMethodField(
        help_text="Link to the import's page. Send it to the user who is to confirm or approve it."
    )
    registration = serializers.CharField(source="registration.reference", help_text="Reference of the registration.")
    mode = serializers.ChoiceField(ImportMode.choices, help_text="Whether it adds, removes or replaces companies.")
    state = serializers.ChoiceField(ImportState.choices, help_text="How far the import is.")
    created_by = serializers.CharField(help_text="User or API key.")
    created_at = serializers.DateTimeField(help_text="When it was uploaded.")
    confirmed_by = serializers.CharField(help_text="Empty until a user confirms it.")
    approved_by = serializers.CharField(help_text="The second approver, if one is required.")
    total = serializers.IntegerField(allow_null=True, help_text="Number of rows. Null until it is known.")
    counts = serializers.SerializerMethodField(
        help_text="Number of rows by the import's own validation, which is finer: `new` and `reformatted` are"
        " companies that it adds. Invalid entries of a request are not among its rows."
    )
    new_billable = serializers.IntegerField(
        allow_null=True,
        help_text="Number of new billable companies. A user confirms this number. Null until it is known.",
    )
    new_billable_is_maximum = serializers.SerializerMethodField(help_text=IS_MAXIMUM)
    removals = serializers.IntegerField(allow_null=True, help_text="Number of companies that it removes.")
    sheets = serializers.SerializerMethodField(help_text="The sheets of a workbook.")
    error = serializers.CharField(help_text="Why the import failed. Empty if it did not.")

    def get_url(self, row: SubjectImport) -> str:
        return f"/api/v1/imports/{row.pk}/"

    def get_page(self, row: SubjectImport) -> str:
        return link("admin:portfolio_subjectimport_change", row.pk)

    @extend_schema_field(SheetSerializer(many=True))
    def get_sheets(self, row: SubjectImport) -> Any:
        return SheetSerializer(sheets_of(row), many=True).data

    def get_counts(self, row: SubjectImport) -> dict[str, int]:
        return counts_of(row)

    def get_new_billable_is_maximum(self, row: SubjectImport) -> bool:
        return bool(row.new_billable) and row.registration.contract_id in self._uncertain

    @cached_property
    def _uncertain(self) -> set[str]:
        """Once for a whole list."""
        return uncertain_contracts()


class ImportsSerializer(PageSerializer):
    results = ImportSerializer(many=True)


class ImportParameters(PageParameters):
    state = Several(child=OneOf(ImportState.choices), help_text="Return only imports in these states.")


class ConfirmationSerializer(Body):
    number = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        help_text="Number of new billable companies it adds. In mode `remove`: number of companies it removes.",
    )
    removals = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=0,
        max_value=2**31 - 1,
        help_text="In mode `equal`: number of companies it removes.",
    )


def import_or_404(request: Request, key: uuid.UUID) -> SubjectImport:
    row = seen_by(request, SubjectImport.objects.select_related("registration__contract")).filter(pk=key).first()
    if row is None:
        raise Http404("This import does not exist.")
    return row


def handed_in(registration: Registration, content: bytes, mode: ImportMode, requested_by: Actor) -> SubjectImport:
    """An import of what a program may not do by itself, read as far as time allows. The same again is the same one."""
    import_ = _waiting_already(registration, content, mode, requested_by) or create_import(
        registration=registration,
        content=content,
        file_name="",
        mode=mode,
        source="api",
        requested_by=requested_by,
    )
    read_import(import_, until=timezone.now() + WORKING_TIME / 2)
    if import_.state in (ImportState.UPLOADED, ImportState.READING):
        start_import_work(import_.pk)
    return import_


def _waiting_already(
    registration: Registration, content: bytes, mode: ImportMode, requested_by: str
) -> SubjectImport | None:
    rows = SubjectImport.objects.filter(
        registration=registration,
        mode=mode,
        created_by=requested_by,
        source="api",
        file_size=len(content),
        state__in=[ImportState.UPLOADED, ImportState.READING, ImportState.READ, ImportState.AWAITING_APPROVAL],
    )
    found = rows.select_related("registration__contract").order_by("-id")[:5]
    return next((row for row in found if load_bytes(file_key(row)) == content), None)


class ImportList(APIView):
    permissions = {"GET": "portfolio.view_subjectimport"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="imports",
        tags=["imports"],
        summary="List imports, latest first",
        parameters=[ImportParameters],
        responses=ImportsSerializer,
        examples=[an_answer("A page", {"results": [IMPORT_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Imports by users and API keys. Those with `state=read` await confirmation by a user."""
        asked = ImportParameters.of(request)
        rows = seen_by(request, SubjectImport.objects.select_related("registration").order_by("-id"))
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        if "after" in asked:
            rows = beyond(rows, ("id",), [read_key(asked["after"])], newest_first=True)
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].pk.hex]) if has_more else None
        return Response({"results": ImportSerializer(found, many=True).data, "next": token})


class ImportDetail(APIView):
    permissions = {"GET": "portfolio.view_subjectimport"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="import",
        tags=["imports"],
        summary="Get an import",
        parameters=[KEY_IN_PATH],
        responses=ImportSerializer,
        examples=[an_answer("An import", IMPORT_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of an import. While it awaits confirmation, its numbers are those of this moment, for up to
        5,000 rows; larger imports are counted again at confirmation."""
        row = import_or_404(request, id)
        current_plan(row)
        return Response(ImportSerializer(row).data)


def _to_send(row: SubjectImport, right: WrongNumber) -> str:
    if row.mode == ImportMode.REMOVE:
        return f'"number": {right.removals}'
    return f'"number": {right.number}' + (f', "removals": {right.removals}' if row.mode == ImportMode.EQUAL else "")


class ImportConfirm(APIView):
    # No scope opens it: what costs money beyond a key's budget takes a person.
    scopes = {"POST": ""}
    page_for_users = "admin:portfolio_subjectimport_change"
    permissions = {"POST": "portfolio.confirm_import"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="confirm_import",
        tags=["imports"],
        summary="Confirm an import, as a user",
        parameters=[KEY_IN_PATH],
        request=ConfirmationSerializer,
        responses=ImportSerializer,
        examples=[
            a_request("One new company", {"number": 1}),
            an_answer("Confirmed", {**IMPORT_EXAMPLE, "state": "confirmed", "confirmed_by": "ann"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Send the exact number of companies that it adds or removes. API keys cannot confirm; a user signs in.

        Any other number confirms nothing, and the response (409) states the right one. An import above the contract's
        limits then awaits a second approval.
        """
        asked = ConfirmationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = import_or_404(request, id)
        try:
            confirm_import(import_=row, confirmed_by=who(request), may_confirm=True, **asked.validated_data)
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except WrongNumber as error:
            raise Conflict(f"{error} Nothing was confirmed. Send {_to_send(row, error)}.") from error
        except Refused as error:
            raise Conflict(str(error)) from error
        start_import_work(row.pk)
        return Response(ImportSerializer(row).data)
