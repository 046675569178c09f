"""External references in the API: the IDs of companies in other systems."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer, who
from core.api.fields import Entries
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Parameters, Several
from core.api.scopes import READ, WRITE_REFERENCES
from core.api.visibility import seen_by
from core.lists.pagination import beyond, cut, read_key, write_token
from portfolio.companies.external_references import Named, forget_name, name_companies
from portfolio.companies.parameters import DunsField
from portfolio.models import ExternalReference

MOST_AT_ONCE = 1000
ENTRY_EXAMPLE = {"duns": "804735132", "system": "crm", "id": "0015g00000AbCdE"}


class ReferenceEntrySerializer(Body):
    duns = DunsField(source="company_id", max_length=20, help_text="D-U-N-S number.")
    system = serializers.RegexField(
        r"^[A-Za-z0-9._-]{1,64}\Z",
        help_text="Name of your system: letters, digits, dots, dashes and underscores.",
        error_messages={"invalid": "Enter 1 to 64 letters, digits, dots, dashes or underscores."},
    )
    id = serializers.CharField(source="reference", max_length=200, help_text="ID of the company in that system.")


class ReferencesSerializer(PageSerializer):
    results = ReferenceEntrySerializer(many=True)


class NamingSerializer(Body):
    references = Entries(
        child=ReferenceEntrySerializer(),
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text="Up to 1,000 references.",
    )


class NamedSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="Number of references that are new or moved from another company.")
    unchanged = serializers.IntegerField(help_text="Number of references that existed already.")


class ReferenceParameters(PageParameters):
    system = serializers.CharField(required=False, max_length=64, help_text="Return only references of this system.")
    id = serializers.CharField(required=False, max_length=200, help_text="Return only references with this ID.")
    company = Several(
        child=DunsField(), help_text="Return only references of these companies: up to 200 D-U-N-S numbers."
    )


class ReferenceKey(Parameters):
    system = serializers.CharField(max_length=64, help_text="Name of the system.")
    id = serializers.CharField(max_length=200, help_text="ID of the company in that system.")


class ReferenceList(APIView):
    scopes = {"GET": READ, "PUT": WRITE_REFERENCES, "DELETE": WRITE_REFERENCES}
    permissions = {
        "GET": "portfolio.view_externalreference",
        "PUT": "portfolio.change_externalreference",
        "DELETE": "portfolio.delete_externalreference",
    }
    # Setting one may take it from a company that the caller does not see.
    by_unit = ("GET",)

    @extend_schema(
        operation_id="references",
        tags=["references"],
        summary="List references",
        parameters=[ReferenceParameters],
        responses=ReferencesSerializer,
        examples=[an_answer("A page", {"results": [ENTRY_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """The IDs of companies in your other systems. A company can have several; each belongs to one company."""
        asked = ReferenceParameters.of(request)
        rows = seen_by(request, _chosen(asked)).order_by("id")
        if "after" in asked:
            rows = beyond(rows, ("id",), [read_key(asked["after"])])
        found, has_more = cut(rows, asked["limit"])
        results = ReferenceEntrySerializer(found, many=True).data
        return Response({"results": results, "next": write_token([found[-1].pk.hex]) if has_more else None})

    @extend_schema(
        operation_id="set_references",
        tags=["references"],
        summary="Set references, up to 1,000 per call",
        request=NamingSerializer,
        responses=NamedSerializer,
        examples=[
            a_request("One account", {"references": [ENTRY_EXAMPLE]}),
            an_answer("Set", {"changed": 1, "unchanged": 0}),
        ],
    )
    def put(self, request: Request) -> Response:
        """A reference of another company moves to this one. Repeating the call has no effect.

        An unknown D-U-N-S number is accepted: its references appear when the company becomes known. The call adds no
        company and requests no monitoring. If one entry is invalid, none is saved, and `errors` names the entry.
        """
        asked = NamingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        named = [
            Named(one["company_id"], one["system"], one["reference"]) for one in asked.validated_data["references"]
        ]
        changed, unchanged = name_companies(named, requested_by=who(request))
        return Response({"changed": len(changed), "unchanged": len(unchanged)})

    @extend_schema(
        operation_id="remove_reference",
        tags=["references"],
        summary="Remove a reference",
        parameters=[ReferenceKey],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """The company itself does not change. The response is 404 if the reference does not exist."""
        asked = ReferenceKey.of(request)
        if not forget_name(asked["system"], asked["id"], requested_by=who(request)):
            raise Http404("This reference does not exist.")
        return Response(status=204)


def _chosen(asked: dict[str, Any]) -> QuerySet[ExternalReference]:
    rows = ExternalReference.objects.all()
    if "system" in asked:
        rows = rows.filter(system=asked["system"])
    if "id" in asked:
        rows = rows.filter(reference=asked["id"])
    if "company" in asked:
        rows = rows.filter(company__in=sorted(set(asked["company"])))
    return rows
