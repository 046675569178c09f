"""Company searches in the API: find candidates at D&B by name, for one company or for the rows of an import."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import a_request, an_answer, who
from core.api.parameters import CountryField, PageParameters, Several, read_moment
from core.api.scopes import READ, SEARCH_COMPANIES
from core.lists.pagination import BadCursor, beyond, cut, read_token, write_token
from direct_plus.candidates import CompanyQuery
from portfolio.call_budgets.api import ConfirmCallsField, conflicts_of_calls
from portfolio.call_budgets.calls import calls_left
from portfolio.companies.parameters import DunsField
from portfolio.company_search.bulk import calls_planned, rows_to_search, start_searches, states_of
from portfolio.company_search.candidates import candidates_of, monitored_in
from portfolio.company_search.decide import choose, reject, take
from portfolio.company_search.single import search_company
from portfolio.imports.api import KEY_IN_PATH, Conflict, import_or_404
from portfolio.imports.states import Refused
from portfolio.jobs import start_import_work, start_search_work
from portfolio.models import CallKind, CompanySearch, Contract, SearchState, SubjectImport
from portfolio.registrations.api import registration_or_404

SEARCH_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The search's ID.")
CANDIDATE_EXAMPLE = {
    "duns": "804735132",
    "name": "Acme Inc",
    "country": "US",
    "address": "1 Main St, 62701, Springfield, IL",
    "confidence": 9,
    "recommended": True,
    "match": ["Same: name, city"],
    "status": "Active",
    "monitored_in": [],
}
SEARCH_EXAMPLE = {
    "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11",
    "import": None,
    "line": 0,
    "name": "acme",
    "country": "US",
    "state": "found",
    "candidates": [CANDIDATE_EXAMPLE],
    "chosen": None,
    "decided_by": "",
    "added_to": None,
    "error": "",
    "requested_by": "ERP (dnbmon_1a2b3c4d_…)",
    "requested_at": "2026-01-07T09:00:00Z",
}
ROWS_EXAMPLE = {"to_search": 30, "calls": {"match": 30}, "calls_left": 470, "states": {}}


class CandidateSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    name = serializers.CharField(help_text="Name at D&B.")
    country = serializers.CharField(help_text="Two-letter country code.")
    address = serializers.CharField(help_text="Address, if D&B returned one.")
    confidence = serializers.IntegerField(
        allow_null=True, help_text="D&B's confidence, 1 to 10. Null if the candidate is not rated."
    )
    recommended = serializers.BooleanField(
        source="is_recommended", help_text="True from a confidence of 8. Compare the address as well."
    )
    match = serializers.ListField(
        source="grade_words", child=serializers.CharField(), help_text="What is the same, similar or different."
    )
    status = serializers.CharField(help_text="Operating status, if D&B returned one.")
    monitored_in = serializers.SerializerMethodField(help_text="Registrations that request the company already.")

    def get_monitored_in(self, row: Any) -> list[str]:
        found: list[str] = self.context["monitored"].get(row.duns, [])
        return found


class SearchSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The search's ID.")
    line = serializers.IntegerField(help_text="Line of the import's file. 0 for a single search.")
    name = serializers.CharField(help_text="Name that was searched for.")
    country = serializers.CharField(help_text="Two-letter country code.")
    state = serializers.ChoiceField(SearchState.choices, help_text="How far the search is.")
    candidates = serializers.SerializerMethodField(help_text="D&B's candidates, the likeliest first.")
    chosen = serializers.SerializerMethodField(help_text="D-U-N-S number that a user chose. Null if none was chosen.")
    decided_by = serializers.CharField(help_text="User who decided. Empty before that.")
    added_to = serializers.UUIDField(allow_null=True, help_text="The import that contains the chosen company.")
    error = serializers.CharField(help_text="Why the search stopped or failed. Empty if it did not.")
    requested_by = serializers.CharField(help_text="User or API key that requested the search.")
    requested_at = serializers.DateTimeField(help_text="When it was requested.")

    def get_fields(self) -> dict[str, Any]:
        """`import` is a word of Python's."""
        of = serializers.UUIDField(
            source="subject_import_id", allow_null=True, help_text="The import with the row. Null for a single search."
        )
        return {"import": of, **super().get_fields()}

    @extend_schema_field(CandidateSerializer(many=True))
    def get_candidates(self, row: CompanySearch) -> Any:
        return CandidateSerializer(candidates_of(row), many=True, context=self.context).data

    def get_chosen(self, row: CompanySearch) -> str | None:
        return row.chosen or None


class SearchesSerializer(serializers.Serializer[Any]):
    results = SearchSerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="Pass it as `after` for the next page; null on the last page."
    )


class QuerySerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=300, help_text="Name of the company.")
    country = CountryField(help_text="Two-letter country code (ISO 3166-1).")
    street = serializers.CharField(required=False, max_length=200, help_text="Street and number.")
    city = serializers.CharField(required=False, max_length=100, help_text="City.")
    postal_code = serializers.CharField(required=False, max_length=20, help_text="Postal code.")
    registration_number = serializers.CharField(
        required=False, max_length=60, help_text="Number in a company register, or a tax number."
    )
    telephone = serializers.CharField(required=False, max_length=40, help_text="Telephone number.")
    contract = serializers.CharField(
        required=False, max_length=64, help_text="Contract whose call it is. Required only if there are several."
    )
    kind = serializers.ChoiceField(
        [CallKind.MATCH.value, CallKind.TYPEAHEAD.value],
        default=CallKind.MATCH.value,
        help_text="`typeahead` finds by the beginning of the name, if the contract with D&B includes it.",
    )
    confirm_calls = ConfirmCallsField()


class CallsSerializer(serializers.Serializer[Any]):
    confirm_calls = ConfirmCallsField()


class RowsSerializer(serializers.Serializer[Any]):
    to_search = serializers.IntegerField(help_text="Rows with a name and a country that have not been searched for.")
    calls = serializers.DictField(
        child=serializers.IntegerField(), help_text="Calls to confirm: no more than are left this month."
    )
    calls_left = serializers.IntegerField(help_text="Match calls left this month.")
    states = serializers.DictField(child=serializers.IntegerField(), help_text="Number of searches by state.")


class DecisionSerializer(serializers.Serializer[Any]):
    duns = DunsField(
        allow_null=True, max_length=20, help_text="The candidate that is the company. Null if none of them is."
    )
    registration = serializers.CharField(
        required=False, max_length=64, help_text="For a single search: reference of the registration to add it to."
    )


class SearchParameters(PageParameters):
    state = Several(
        child=serializers.ChoiceField(SearchState.choices), help_text="Return only searches in these states."
    )

    def get_fields(self) -> dict[str, Any]:
        of = serializers.UUIDField(required=False, help_text="Return only searches for rows of this import.")
        return {**super().get_fields(), "import": of}


def answers(rows: list[CompanySearch]) -> Any:
    monitored: dict[str, list[str]] = {}
    for contract in {row.contract for row in rows}:
        numbers = [one.duns for row in rows if row.contract == contract for one in candidates_of(row)]
        monitored |= monitored_in(contract, numbers)
    return SearchSerializer(rows, many=True, context={"monitored": monitored}).data


def search_or_404(key: uuid.UUID) -> CompanySearch:
    row = CompanySearch.objects.select_related("contract").filter(pk=key).first()
    if row is None:
        raise Http404("This search does not exist.")
    return row


class SearchList(APIView):
    scopes = {"GET": READ, "POST": SEARCH_COMPANIES}
    permissions = {"GET": "portfolio.view_companysearch", "POST": "portfolio.search_company"}

    @extend_schema(
        operation_id="company_searches",
        tags=["company-searches"],
        summary="List company searches, latest first",
        parameters=[SearchParameters],
        responses=SearchesSerializer,
        examples=[an_answer("A page", {"results": [SEARCH_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Searches by users and API keys. Those with `state=found` await a decision by a user."""
        asked = SearchParameters.of(request)
        rows = CompanySearch.objects.select_related("contract").order_by("-requested_at", "-id")
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        if "import" in asked:
            rows = rows.filter(subject_import=asked["import"])
        if "after" in asked:
            rows = beyond(rows, ("requested_at", "id"), read_place(asked["after"]), newest_first=True)
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].requested_at.isoformat(), found[-1].pk.hex]) if has_more else None
        return Response({"results": answers(found), "next": token})

    @extend_schema(
        operation_id="search_company",
        tags=["company-searches"],
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
            )
        return Response(answers([row])[0])


def read_place(token: str) -> list[Any]:
    try:
        moment, key = read_token(token)
        return [read_moment(moment), uuid.UUID(key)]
    except ValueError as error:
        raise BadCursor from error


def contract_named(name: str | None) -> Contract:
    rows = list(Contract.objects.order_by("name")) if name is None else list(Contract.objects.filter(pk=name))
    if not rows:
        raise NotFound("No contract with this name exists.")
    if len(rows) > 1:
        raise serializers.ValidationError({"contract": "There are several contracts. Name one of them."})
    return rows[0]


class SearchDetail(APIView):
    permissions = {"GET": "portfolio.view_companysearch"}

    @extend_schema(
        operation_id="company_search",
        tags=["company-searches"],
        summary="Get a company search",
        parameters=[SEARCH_IN_PATH],
        responses=SearchSerializer,
        examples=[an_answer("A search", SEARCH_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of a search, with its candidates."""
        return Response(answers([search_or_404(id)])[0])


class SearchDecision(APIView):
    # No scope opens it: which candidate is the company takes a person.
    scopes = {"POST": ""}
    permissions = {"POST": "portfolio.add_subjectimport"}

    @extend_schema(
        operation_id="decide_company_search",
        tags=["company-searches"],
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
        row = search_or_404(id)
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            decide(row, asked.validated_data, who(request))
        except Refused as error:
            raise Conflict(str(error)) from error
        return Response(answers([search_or_404(id)])[0])


def decide(row: CompanySearch, given: dict[str, Any], by: str) -> None:
    duns = given["duns"]
    if duns is None:
        reject(search=row, decided_by=by)
    elif row.subject_import_id is not None:
        choose(search=row, duns=duns, decided_by=by)
    else:
        if "registration" not in given:
            raise serializers.ValidationError({"registration": "Name the registration to add the company to."})
        registration = registration_or_404(given["registration"], row.contract_id)
        start_import_work(take(search=row, duns=duns, registration=registration, taken_by=by).pk)


class ImportCandidates(APIView):
    scopes = {"GET": READ, "POST": SEARCH_COMPANIES}
    permissions = {"GET": "portfolio.view_companysearch", "POST": "portfolio.search_company"}

    @extend_schema(
        operation_id="import_candidates",
        tags=["company-searches"],
        summary="Get the number of an import's rows to search for",
        parameters=[KEY_IN_PATH],
        responses=RowsSerializer,
        examples=[an_answer("Before the search", ROWS_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Rows that have a name and a country but no D-U-N-S number, and the calls that a search would make."""
        return Response(numbers_of(import_or_404(id)))

    @extend_schema(
        operation_id="find_import_candidates",
        tags=["company-searches"],
        summary="Search for an import's rows at D&B",
        parameters=[KEY_IN_PATH],
        request=CallsSerializer,
        responses=RowsSerializer,
        examples=[
            a_request("30 rows", {"confirm_calls": {"match": 30}}),
            an_answer("Started", {**ROWS_EXAMPLE, "to_search": 0, "calls": {"match": 0}, "states": {"waiting": 30}}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Makes one call per row, each of which may be billed. The worker makes them: read the searches later."""
        row = import_or_404(id)
        asked = CallsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            with conflicts_of_calls():
                start_searches(import_=row, confirmed=asked.validated_data["confirm_calls"], requested_by=who(request))
        except Refused as error:
            raise Conflict(str(error)) from error
        start_search_work(row.pk)
        return Response(numbers_of(row))


def numbers_of(row: SubjectImport) -> dict[str, Any]:
    states = states_of(row)
    return {
        "to_search": rows_to_search(row, states),
        "calls": {CallKind.MATCH.value: calls_planned(row, states)},
        "calls_left": calls_left(row.registration.contract, CallKind.MATCH),
        "states": states,
    }
