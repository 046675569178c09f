"""Many D-U-N-S numbers per call: which of them are known, and where they are monitored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer
from core.api.fields import Entries
from core.api.scopes import READ
from core.api.visibility import scope_for, seen_by
from core.db import clean_text, in_batches
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.companies.external_references import references_by_company
from portfolio.companies.serializers import COMPANY_EXAMPLE, CompanySerializer, ReferenceSerializer
from portfolio.models import Company, ExternalReference, Registration, Subject, SubjectState

MOST_AT_ONCE = 1000
LOOKED_UP_EXAMPLE = {
    "input": "80-473-5132",
    "duns": "804735132",
    "reason": "",
    "company": COMPANY_EXAMPLE,
    "references": [{"system": "crm", "id": "0015g00000AbCdE"}],
    "subjects": [{"registration": "ACME_LOD_01", "requested": True, "state": "monitored"}],
}


class NumbersSerializer(Body):
    duns = Entries(
        child=serializers.CharField(max_length=40),
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text="Up to 1,000 D-U-N-S numbers, with or without dashes.",
    )


class WhereSerializer(serializers.Serializer[Any]):
    registration = serializers.CharField(help_text="Reference of the registration.")
    requested = serializers.BooleanField(help_text="True if a user or an API key requested to monitor the company.")
    state = serializers.ChoiceField(SubjectState.choices, help_text="State at D&B, as far as known.")


class LookedUpSerializer(serializers.Serializer[Any]):
    input = serializers.CharField(help_text="The number as you sent it.")
    duns = serializers.CharField(
        allow_null=True, help_text="The D-U-N-S number in nine digits. Null if the input is invalid."
    )
    reason = serializers.CharField(help_text="Why the number is invalid. Otherwise empty.")
    company = CompanySerializer(allow_null=True, help_text="Null if the company is not known.")
    references = ReferenceSerializer(many=True, help_text="The IDs of the company in your other systems.")
    subjects = WhereSerializer(many=True, help_text="The registrations that contain or contained it.")


class LookupSerializer(serializers.Serializer[Any]):
    results = LookedUpSerializer(many=True, help_text="One entry for each number, in the same order.")


class CompanyLookup(APIView):
    # It changes nothing: the numbers are too many for an address.
    scopes = {"POST": READ}
    permissions = {"POST": "portfolio.view_company"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="lookup",
        tags=["companies"],
        summary="Look up companies, up to 1,000 D-U-N-S numbers per call",
        request=NumbersSerializer,
        responses=LookupSerializer,
        examples=[
            a_request("One number", {"duns": ["80-473-5132"]}),
            an_answer("Known and monitored", {"results": [LOOKED_UP_EXAMPLE]}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Returns an entry for each number, including unknown and invalid ones."""
        asked = NumbersSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return Response(LookupSerializer({"results": looked_up(asked.validated_data["duns"], request)}).data)


def looked_up(asked: Sequence[str], request: Request) -> list[dict[str, Any]]:
    numbers = {text: _number(text) for text in asked}
    duns = sorted({number for number, _ in numbers.values() if number})
    companies = seen_by(request, Company.objects.all()).in_bulk(duns) if duns else {}
    known = duns if scope_for(request).sees_all else sorted(companies)
    named, where = references_by_company(known), subjects_by_company(known, request)
    return [_entry(text, *numbers[text], companies, named, where) for text in asked]


def _number(text: str) -> tuple[str | None, str]:
    """With the reason where it is none."""
    try:
        return normalise_duns(text), ""
    except InvalidDuns as flaw:
        return None, clean_text(flaw.reason, 200)


def subjects_by_company(duns: Sequence[str], request: Request) -> dict[str, list[dict[str, Any]]]:
    references = dict(Registration.objects.values_list("pk", "reference"))
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for batch in in_batches(duns):
        columns = ("company_id", "registration_id", "requested", "state")
        rows = seen_by(request, Subject.objects.filter(company__in=batch)).values_list(*columns)
        for company, registration, requested, state in rows:
            found[company].append({"registration": references[registration], "requested": requested, "state": state})
    return found


def _entry(
    asked: str,
    duns: str | None,
    reason: str,
    companies: Mapping[str, Company],
    named: Mapping[str, list[ExternalReference]],
    where: Mapping[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    key = duns or ""
    subjects = sorted(where.get(key, []), key=lambda one: str(one["registration"]))
    company, references = companies.get(key), named.get(key, [])
    found = {"company": company, "references": references, "subjects": subjects}
    return {"input": asked, "duns": duns, "reason": reason, **found}
