"""Imports for other programs: what waits for a person, and the person's yes."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.actors import Actor
from core.api.examples import a_request, an_answer, who
from core.api.parameters import PageParameters, Several
from core.blobs import load_bytes
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from portfolio.imports.confirm import confirm_import
from portfolio.imports.states import NotAllowed, Refused, counts_of, file_key, sheets_of
from portfolio.imports.upload import create_import, read_import
from portfolio.jobs import WORKING_TIME, start_import_work
from portfolio.models import ImportMode, ImportState, Registration, SubjectImport

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The import's key.")
IMPORT_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "url": "/api/v1/imports/019b95d1-5000-7c55-9d0a-2a4f4b0c9a11/",
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
    "removals": 0,
    "sheets": [],
    "error": "",
}


class Conflict(APIException):
    """409: it is not, or no longer, as the caller thinks."""

    status_code = 409
    default_code = "conflict"
    default_detail = "It has changed meanwhile."


class SheetSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    rows = serializers.IntegerField(help_text="Below its header.")
    hidden = serializers.BooleanField()
    has_numbers = serializers.BooleanField(help_text="Whether D-U-N-S numbers were found there.")
    is_read = serializers.BooleanField(help_text="One sheet is; the others are not imported.")


class ImportSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.SerializerMethodField(help_text="Where it is looked at; a person confirms it at …/confirm/.")
    registration = serializers.CharField(source="registration.reference")
    mode = serializers.ChoiceField(ImportMode.choices)
    state = serializers.ChoiceField(ImportState.choices)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    confirmed_by = serializers.CharField(help_text="Empty until a person has confirmed it.")
    approved_by = serializers.CharField(help_text="The second person, where one is needed.")
    total = serializers.IntegerField(allow_null=True, help_text="Rows, when known.")
    counts = serializers.SerializerMethodField(help_text="Rows by verdict.")
    new_billable = serializers.IntegerField(allow_null=True, help_text="The number that a person confirms.")
    removals = serializers.IntegerField(allow_null=True, help_text="Companies that it removes.")
    sheets = serializers.SerializerMethodField(help_text="Of a workbook.")
    error = serializers.CharField()

    def get_url(self, row: SubjectImport) -> str:
        return f"/api/v1/imports/{row.pk}/"

    @extend_schema_field(SheetSerializer(many=True))
    def get_sheets(self, row: SubjectImport) -> Any:
        return SheetSerializer(sheets_of(row), many=True).data

    def get_counts(self, row: SubjectImport) -> dict[str, int]:
        return counts_of(row)


class ImportsSerializer(serializers.Serializer[Any]):
    results = ImportSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="Give it as `after`; null on the last page.")


class ImportParameters(PageParameters):
    state = Several(child=serializers.ChoiceField(ImportState.choices), help_text="Only in these states.")


class ConfirmationSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        help_text="How many new billable companies it adds; in mode `remove` how many companies it removes.",
    )
    removals = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=2**31 - 1, help_text="In mode `equal`."
    )


def import_or_404(key: uuid.UUID) -> SubjectImport:
    row = SubjectImport.objects.select_related("registration__contract").filter(pk=key).first()
    if row is None:
        raise Http404("There is no such import.")
    return row


def handed_in(registration: Registration, content: bytes, mode: ImportMode, requested_by: Actor) -> SubjectImport:
    """An import of what a program may not do by itself, read as far as time allows. The same again is the same one."""
    import_ = _waiting_already(registration, content, mode, requested_by) or create_import(
        registration=registration,
        content=content,
        file_name="API.csv",
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

    @extend_schema(
        operation_id="imports",
        tags=["imports"],
        summary="Imports, newest first",
        parameters=[ImportParameters],
        responses=ImportsSerializer,
        examples=[an_answer("A page", {"results": [IMPORT_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """What was handed in, by people and programs. `state=read` waits for a person."""
        asked = ImportParameters.of(request)
        rows = SubjectImport.objects.select_related("registration").order_by("-id")
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        if "after" in asked:
            rows = beyond(rows, ("id",), [_key(asked["after"])], newest_first=True)
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].pk.hex]) if has_more else None
        return Response({"results": ImportSerializer(found, many=True).data, "next": token})


def _key(cursor: str) -> uuid.UUID:
    try:
        (key,) = read_token(cursor)
        return uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


class ImportDetail(APIView):
    permissions = {"GET": "portfolio.view_subjectimport"}

    @extend_schema(
        operation_id="import",
        tags=["imports"],
        summary="One import",
        parameters=[KEY_IN_PATH],
        responses=ImportSerializer,
        examples=[an_answer("An import", IMPORT_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """As it is now."""
        return Response(ImportSerializer(import_or_404(id)).data)


class ImportConfirm(APIView):
    # No scope opens it: what costs money beyond a key's budget takes a person.
    scopes = {"POST": ""}
    permissions = {"POST": "portfolio.confirm_import"}

    @extend_schema(
        operation_id="confirm_import",
        tags=["imports"],
        summary="Confirm an import, as a person",
        parameters=[KEY_IN_PATH],
        request=ConfirmationSerializer,
        responses=ImportSerializer,
        examples=[
            a_request("One new company", {"number": 1}),
            an_answer("Confirmed", {**IMPORT_EXAMPLE, "state": "confirmed", "confirmed_by": "ann"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """By the number of companies that it adds or removes, which has to be right. Keys may not: a person signs in.

        Above the contract's limits it waits for a second person.
        """
        asked = ConfirmationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = import_or_404(id)
        try:
            confirm_import(import_=row, confirmed_by=who(request), may_confirm=True, **asked.validated_data)
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except Refused as error:
            raise Conflict(str(error)) from error
        start_import_work(row.pk)
        return Response(ImportSerializer(row).data)
