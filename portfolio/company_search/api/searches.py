"""Company searches in the API: find candidates at D&B by name, for one company or for the rows of an import."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import a_request, an_answer, who
from core.api.pages import page_by_time
from core.api.repeats import repeat_key
from core.api.scopes import READ, SEARCH_COMPANIES
from core.api.visibility import seen_by
from direct_plus.candidates import CompanyQuery
from portfolio.call_budgets.api import conflicts_of_calls, contract_named
from portfolio.company_search.api.import_rows import refused_as_conflict
from portfolio.company_search.api.serializers import (
    SEARCH_EXAMPLE,
    SEARCH_IN_PATH,
    DecisionSerializer,
    QuerySerializer,
    SearchesSerializer,
    SearchParameters,
    SearchSerializer,
    answers,
)
from portfolio.company_search.decide import choose, reject, reopen, take
from portfolio.company_search.single import search_company
from portfolio.jobs import start_import_work
from portfolio.models import CallKind, CompanySearch
from portfolio.registrations.api import registration_or_404


def search_or_404(request: Request, key: uuid.UUID) -> CompanySearch:
    row = seen_by(request, CompanySearch.objects.select_related("contract")).filter(pk=key).first()
    if row is None:
        raise Http404("This search does not exist.")
    return row


class SearchList(APIView):
    scopes = {"GET": READ, "POST": SEARCH_COMPANIES}
    permissions = {"GET": "portfolio.view_companysearch", "POST": "portfolio.search_company"}
    # A search without an import belongs to no registration, so to no unit.
    by_unit = ("GET",)

    @extend_schema(
        operation_id="company_searches",
        tags=["company searches"],
        summary="List company searches, latest first",
        parameters=[SearchParameters],
        responses=SearchesSerializer,
        examples=[an_answer("A page", {"results": [SEARCH_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Searches by users and API keys. Those with `state=found` await a decision by a user."""
        asked = SearchParameters.of(request)
        rows = seen_by(request, CompanySearch.objects.select_related("contract"))
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        if "import" in asked:
            rows = rows.filter(subject_import=asked["import"])
        found, token = page_by_time(rows, asked, "requested_at")
        return Response({"results": answers(found, request), "next": token})

    @extend_schema(
        operation_id="search_company",
        tags=["company searches"],
        summary="Search for a company at D&B",
        request=QuerySerializer,
        responses=SearchSerializer,
        examples=[
            a_request("By name", {"name": "acme", "country": "US", "confirm_calls": {"match": 1}}),
            an_answer("Found", SEARCH_EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Makes one call that may be billed, and returns the candidates. No candidate is chosen automatically.

        Send an Idempotency-Key, so that a repeated request makes no second call. `state` is `failed` or `stopped` if
        D&B did not answer; `error` states why.
        """
        asked = QuerySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        kind, confirmed = CallKind(given.pop("kind")), given.pop("confirm_calls")
        contract = contract_named(given.pop("contract", None))
        with conflicts_of_calls():
            row = search_company(
                contract=contract,
                query=CompanyQuery(**given),
                confirmed=confirmed,
                requested_by=who(request),
                kind=kind,
                key=repeat_key(request),
            )
        return Response(answers([row], request)[0])


class SearchDetail(APIView):
    permissions = {"GET": "portfolio.view_companysearch"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="company_search",
        tags=["company searches"],
        summary="Get a company search",
        parameters=[SEARCH_IN_PATH],
        responses=SearchSerializer,
        examples=[an_answer("A search", SEARCH_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of a search, with its candidates."""
        return Response(answers([search_or_404(request, id)], request)[0])


class SearchDecision(APIView):
    # No scope opens it: which candidate is the company takes a person.
    scopes = {"POST": "", "DELETE": ""}
    page_for_users = "admin:portfolio_companysearch_change"
    permissions = dict.fromkeys(scopes, "portfolio.add_subjectimport")
    by_unit = ("POST", "DELETE")

    @extend_schema(
        operation_id="decide_company_search",
        tags=["company searches"],
        summary="Choose a candidate, as a user",
        parameters=[SEARCH_IN_PATH],
        request=DecisionSerializer,
        responses=SearchSerializer,
        examples=[
            a_request("This one", {"duns": "804735132", "registration": "ACME_LOD_01"}),
            an_answer("Chosen", {**SEARCH_EXAMPLE, "state": "chosen", "chosen": "804735132", "decided_by": "ann"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """API keys cannot decide; a user signs in. The company is added by an import, which a user confirms."""
        row = search_or_404(request, id)
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with refused_as_conflict():
            decide(row, asked.validated_data, request)
        return Response(answers([search_or_404(request, id)], request)[0])

    @extend_schema(
        operation_id="reopen_company_search",
        tags=["company searches"],
        summary="Reopen the decision on a search, as a user",
        parameters=[SEARCH_IN_PATH],
        responses={200: SearchSerializer},
        examples=[an_answer("Reopened", SEARCH_EXAMPLE)],
    )
    def delete(self, request: Request, id: uuid.UUID) -> Response:
        """Possible until the company is in an import; 409 afterwards. API keys cannot reopen; a user signs in."""
        with refused_as_conflict():
            reopen(search=search_or_404(request, id), reopened_by=who(request))
        return Response(answers([search_or_404(request, id)], request)[0])


def decide(row: CompanySearch, given: dict[str, Any], request: Request) -> None:
    duns, by = given["duns"], who(request)
    if duns is None:
        reject(search=row, decided_by=by)
    elif row.subject_import_id is not None:
        choose(search=row, duns=duns, decided_by=by)
    else:
        if "registration" not in given:
            raise serializers.ValidationError({"registration": "Name the registration to add the company to."})
        registration = registration_or_404(request, given["registration"], row.contract_id)
        start_import_work(take(search=row, duns=duns, registration=registration, taken_by=by).pk)
