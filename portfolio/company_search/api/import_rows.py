"""Candidates for the rows of an import in the API: searched for, stopped, and those chosen added to the import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.scopes import READ, SEARCH_COMPANIES
from portfolio.call_budgets.api import conflicts_of_calls
from portfolio.call_budgets.calls import calls_left
from portfolio.company_search.api.serializers import ROWS_EXAMPLE, CandidateCallsSerializer, RowsSerializer
from portfolio.company_search.bulk import (
    calls_planned,
    may_search_rows,
    rows_to_search,
    start_searches,
    states_of,
    stop_searches,
)
from portfolio.company_search.decide import add_chosen
from portfolio.imports.api import IMPORT_EXAMPLE, KEY_IN_PATH, ImportSerializer, import_or_404
from portfolio.imports.states import Refused
from portfolio.jobs import start_import_work, start_search_work
from portfolio.models import CallKind, SubjectImport


class ImportCandidates(APIView):
    scopes = {"GET": READ, "POST": SEARCH_COMPANIES}
    permissions = {"GET": "portfolio.view_companysearch", "POST": "portfolio.search_company"}
    by_unit = ("GET", "POST")

    @extend_schema(
        operation_id="import_candidates",
        tags=["company searches"],
        summary="Get the number of an import's rows to search for",
        parameters=[KEY_IN_PATH],
        responses=RowsSerializer,
        examples=[an_answer("Before the search", ROWS_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Rows that have a name and a country but no D-U-N-S number, and the calls that a search would make."""
        return Response(numbers_of(searched_import(request, id)))

    @extend_schema(
        operation_id="find_import_candidates",
        tags=["company searches"],
        summary="Search for an import's rows at D&B",
        parameters=[KEY_IN_PATH],
        request=CandidateCallsSerializer,
        responses=RowsSerializer,
        examples=[
            a_request("30 rows", {"confirm_calls": {"match": 30}}),
            an_answer("Started", {**ROWS_EXAMPLE, "to_search": 0, "calls": {"match": 0}, "states": {"waiting": 30}}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Makes one call per row, each of which may be billed. The worker makes them: read the searches later."""
        row = searched_import(request, id)
        asked = CandidateCallsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        with refused_as_conflict(), conflicts_of_calls():
            start_searches(import_=row, confirmed=asked.validated_data["confirm_calls"], requested_by=who(request))
        start_search_work(row.pk)
        return Response(numbers_of(row))


class ImportCandidatesStop(APIView):
    scopes = {"POST": SEARCH_COMPANIES}
    permissions = {"POST": "portfolio.search_company"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="stop_import_candidates",
        tags=["company searches"],
        summary="Stop the search for an import's rows",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=RowsSerializer,
        examples=[an_answer("Stopped", {**ROWS_EXAMPLE, "states": {"stopped": 30}})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """No further call is made. The candidates found so far are kept. Has no effect if nothing is searched for."""
        row = searched_import(request, id)
        stop_searches(import_=row, stopped_by=who(request))
        return Response(numbers_of(row))


class ImportCandidatesAdd(APIView):
    # No scope opens it: which candidate is the company takes a person, and this carries it out.
    scopes = {"POST": ""}
    page_for_users = "admin:portfolio_subjectimport_change"
    permissions = {"POST": "portfolio.add_subjectimport"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="add_import_candidates",
        tags=["company searches"],
        summary="Add chosen candidates to an import, as a user",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=ImportSerializer,
        examples=[an_answer("Added", {**IMPORT_EXAMPLE, "state": "uploaded"})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Returns the import that contains them: the same one, which is checked again, or a further one if it was
        confirmed or cancelled before. API keys cannot add them; a user signs in. A user then confirms the import.
        """
        row = searched_import(request, id)
        with refused_as_conflict():
            import_ = add_chosen(import_=row, added_by=who(request))
        start_import_work(import_.pk)
        return Response(ImportSerializer(import_or_404(request, import_.pk)).data)


@contextmanager
def refused_as_conflict() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise Conflict(str(error)) from error


def searched_import(request: Request, key: uuid.UUID) -> SubjectImport:
    """One whose rows the caller may have searched, as on its page."""
    row = import_or_404(request, key)
    if not may_search_rows(request.auth or request.user):
        raise PermissionDenied("Calls to D&B belong to the whole contract. Ask a user who sees all registrations.")
    return row


def numbers_of(row: SubjectImport) -> dict[str, Any]:
    states = states_of(row)
    return {
        "to_search": rows_to_search(row, states),
        "calls": {CallKind.MATCH.value: calls_planned(row, states)},
        "calls_left": calls_left(row.registration.contract, CallKind.MATCH),
        "states": states,
    }
