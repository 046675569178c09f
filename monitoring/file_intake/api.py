"""Delivered files in the API: list them, upload one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer, page_by_key
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import WRITE_FILES
from core.text import is_clean
from monitoring.file_intake.arrivals import LONGEST_NAME, NotPermitted, upload_file
from monitoring.file_intake.intake import have_files_imported
from monitoring.models import DeliveredFile, DeliveredKind, FileSource, FileState

CHANGES_LISTS = "portfolio.change_subject"
FILE_EXAMPLE = {
    "id": "019b9cfa-2b58-8a31-9d0a-2a4f4b0c9a11",
    "name": "ACME_LOD_01_20260108110647_NOTIFICATION_1.zip",
    "kind": "notification",
    "registration": "ACME_LOD_01",
    "state": "imported",
    "source": "api",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size": 4096,
    "records": 120,
    "new": 118,
    "unreadable": 0,
    "repeats": 0,
    "reason": "",
    "remark": "",
    "result": "",
    "arrived_at": "2026-01-08T11:10:00Z",
    "ended_at": "2026-01-08T11:10:02Z",
}
UPLOADED_EXAMPLE = {**FILE_EXAMPLE, "state": "waiting", "records": 0, "new": 0, "ended_at": None}


class FileSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="ID of the file. It stays the same if the file arrives again.")
    name = serializers.CharField(help_text="Name that D&B gave the file.")
    kind = serializers.ChoiceField(DeliveredKind.choices, help_text="What the file contains, by its name.")
    registration = serializers.CharField(source="reference", help_text="Reference in the name. Empty if it has none.")
    state = serializers.ChoiceField(FileState.choices, help_text="How far it is. A file waits for its header.")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of this name, not the serializer's own
        FileSource.choices, help_text="How the file arrived."
    )
    sha256 = serializers.CharField(help_text="SHA-256 of the file, in hexadecimal digits.")
    size = serializers.IntegerField(help_text="Size in bytes.")
    records = serializers.IntegerField(help_text="Records of seeds or notifications read so far.")
    new = serializers.IntegerField(source="new_count", help_text="Notifications received for the first time.")
    unreadable = serializers.IntegerField(source="unreadable_count", help_text="Records that could not be parsed.")
    repeats = serializers.IntegerField(help_text="Number of times the same file arrived again. Repeats change nothing.")
    reason = serializers.CharField(help_text="Why the file was refused.")
    remark = serializers.CharField(
        help_text="What could not be checked, such as a set without header, or what to confirm."
    )
    result = serializers.CharField(help_text="Changes made by an Exceptions or DunsExport file of D&B.")
    arrived_at = serializers.DateTimeField(help_text="When the file arrived.")
    ended_at = serializers.DateTimeField(allow_null=True, help_text="When it was imported or refused.")


class FilesSerializer(PageSerializer):
    results = FileSerializer(many=True)


class FilesParameters(PageParameters):
    state = Several(child=OneOf(FileState.choices), help_text="Return only files in these states.")


class NameField(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        if not is_clean(name) or "/" in name or "\\" in name:
            raise serializers.ValidationError("Enter a file name without a path.")
        return name


class UploadParameters(Parameters):
    name = NameField(max_length=LONGEST_NAME, help_text="Name that D&B gave the file. The type is read from it.")


class FileParser(BaseParser):
    """The file itself, whatever type it is declared to have."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.IMPORT_LIMIT_MB * 1_000_000
        content: bytes = stream.read(limit + 1)
        if len(content) > limit:
            text = f"The file is larger than {settings.IMPORT_LIMIT_MB} MB. Put it into the folder for delivered files."
            raise serializers.ValidationError({"body": [text]})
        return content


class FileList(APIView):
    parser_classes = [FileParser]
    scopes = {"POST": WRITE_FILES}
    permissions = {"GET": "monitoring.view_deliveredfile", "POST": "monitoring.add_deliveredfile"}

    @extend_schema(
        operation_id="files",
        tags=["files"],
        summary="List delivered files, latest first",
        parameters=[FilesParameters],
        responses=FilesSerializer,
        examples=[an_answer("A page", {"results": [FILE_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Files that D&B delivered, by the time in their names, with what became of them."""
        asked = FilesParameters.of(request)
        rows = DeliveredFile.objects.all()
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        found, token = page_by_key(rows, asked, newest_first=True)
        return Response({"results": FileSerializer(found, many=True).data, "next": token})

    @extend_schema(
        operation_id="upload_file",
        tags=["files"],
        summary="Upload a file that D&B delivered",
        parameters=[UploadParameters],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=FileSerializer,
        examples=[
            an_answer("Uploaded", {**FILE_EXAMPLE, "state": "waiting", "records": 0, "new": 0, "ended_at": None})
        ],
    )
    def post(self, request: Request) -> Response:
        """The body is the file. It is imported soon: a file of seeds or notifications once its header is there too.

        Uploading the same file again changes nothing. Larger files belong into the folder for delivered files.
        """
        asked = UploadParameters.of(request)
        body: Any = request.data
        may_change_lists = bool(request.auth) or request.user.has_perm(CHANGES_LISTS)
        try:
            row = upload_file(
                name=asked["name"],
                content=body if isinstance(body, bytes) else b"",
                source=FileSource.API,
                requested_by=who(request),
                may_change_lists=may_change_lists,
            )
        except NotPermitted as error:
            raise PermissionDenied(str(error)) from error
        have_files_imported()
        return Response(FileSerializer(row).data)
