"""Data fetches in the API: request them with the calls confirmed, see what differs, accept or discard it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.pages import page_by_key, page_by_time
from core.api.parameters import PageParameters
from core.api.repeats import repeat_key
from core.api.scopes import FETCH
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.data_fetch.api.serializers import (
    DIFFERENCE_EXAMPLE,
    FETCH_EXAMPLE,
    ITEM_EXAMPLE,
    DiscardSerializer,
    FetchDecisionSerializer,
    FetchesSerializer,
    FetchSerializer,
    ItemDetailSerializer,
    ItemParameters,
    ItemSerializer,
    ItemsSerializer,
    RequestSerializer,
    serialized,
)
from monitoring.data_fetch.blocks import NoBlocks
from monitoring.data_fetch.decide import NumberChanged, accept, discard, give_up
from monitoring.data_fetch.effect import effect_of
from monitoring.data_fetch.plan import CannotFetch, GapInWork, Plan, plan_companies, plan_gap
from monitoring.data_fetch.request import known_fetch, may_resume, request_fetch, resume_fetch, stop_fetch
from monitoring.models import DataFetch, FetchedCompany, FetchedState
from portfolio.call_budgets.api import ConfirmCallsSerializer, conflicts_of_calls, resume_confirmed
from portfolio.companies.parameters import DUNS_IN_PATH
from portfolio.registrations.api import registration_or_404

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The data fetch's ID.")
RIGHT = "monitoring.request_datafetch"
VIEW = "monitoring.view_datafetch"


def fetch_or_404(key: uuid.UUID) -> DataFetch:
    row = DataFetch.objects.select_related("contract", "registration").filter(pk=key).first()
    if row is None:
        raise Http404("This data fetch does not exist.")
    return row


def _plan(request: Request, asked: dict[str, Any]) -> Plan:
    try:
        if "registration" in asked:
            return plan_gap(registration_or_404(request, asked["registration"], asked.get("contract")))
        return plan_companies(asked["companies"])
    except (CannotFetch, NoBlocks) as error:
        raise Conflict(str(error)) from error


class DataFetchList(APIView):
    scopes = {"POST": FETCH}
    permissions = {"GET": VIEW, "POST": RIGHT}

    @extend_schema(
        operation_id="data_fetches",
        tags=["data fetches"],
        summary="List data fetches, latest first",
        parameters=[PageParameters],
        responses=FetchesSerializer,
        examples=[an_answer("A page", {"results": [FETCH_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Requests by users and API keys to fetch the data of companies, or to close a data gap."""
        asked = PageParameters.of(request)
        rows = DataFetch.objects.select_related("registration")
        found, token = page_by_time(rows, asked, "requested_at")
        return Response({"results": serialized(found), "next": token})

    @extend_schema(
        operation_id="request_data_fetch",
        tags=["data fetches"],
        summary="Fetch companies from D&B, or close a data gap",
        request=RequestSerializer,
        responses={201: FetchSerializer},
        examples=[
            a_request("One company", {"companies": ["804735132"], "confirm_calls": {"data_blocks": 1}}),
            an_answer("Requested", {**FETCH_EXAMPLE, "state": "running", "counts": {"waiting": 1}}, 201),
        ],
    )
    def post(self, request: Request) -> Response:
        """The calls are made in the background. Nothing changes before the documents are accepted.

        For a data gap, each company is checked first, and only those with changes are fetched. `confirm_calls` then
        has the checks and the most data block calls that may follow.

        Send an Idempotency-Key, so that a repeated request makes no further calls.
        """
        asked = RequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = known_fetch(repeat_key(request)) or _requested(request, asked.validated_data)
        return Response(serialized([row])[0], status=201)


def _requested(request: Request, asked: dict[str, Any]) -> DataFetch:
    plan = _plan(request, asked)
    try:
        with conflicts_of_calls():
            return request_fetch(plan, asked["confirm_calls"], by=who(request), key=repeat_key(request))
    except GapInWork as error:
        raise Conflict(str(error)) from error


class DataFetchDetail(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="data_fetch",
        tags=["data fetches"],
        summary="Get a data fetch",
        parameters=[KEY_IN_PATH],
        responses=FetchSerializer,
        examples=[an_answer("A data fetch", FETCH_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of a data fetch."""
        return Response(serialized([fetch_or_404(id)])[0])


class DataFetchCompanies(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="data_fetch_companies",
        tags=["data fetches"],
        summary="List the companies of a data fetch",
        parameters=[KEY_IN_PATH, ItemParameters],
        responses=ItemsSerializer,
        examples=[an_answer("A page", {"results": [ITEM_EXAMPLE], "next": None})],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The result for each company."""
        asked = ItemParameters.of(request)
        rows = FetchedCompany.objects.filter(fetch=fetch_or_404(id))
        if "state" in asked:
            rows = rows.filter(state__in=sorted(set(asked["state"])))
        found, token = page_by_key(rows, asked)
        return Response({"results": ItemSerializer(found, many=True).data, "next": token})


class DataFetchCompany(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="data_fetch_company",
        tags=["data fetches"],
        summary="Get what a fetched document changes",
        parameters=[KEY_IN_PATH, DUNS_IN_PATH],
        responses=ItemDetailSerializer,
        examples=[an_answer("One change", {**ITEM_EXAMPLE, "changes": [DIFFERENCE_EXAMPLE]})],
    )
    def get(self, request: Request, id: uuid.UUID, duns: str) -> Response:
        """The values that accepting the document changes or has changed, as of the time of the call."""
        row = _item_or_404(fetch_or_404(id), duns)
        delivery = row.delivery
        effect = effect_of(delivery) if delivery and row.state != FetchedState.FAILED else None
        names = ("element", "previous", "current")
        changes = [dict(zip(names, one, strict=True)) for one in effect.differences] if effect else []
        return Response({**ItemSerializer(row).data, "changes": changes})


def _item_or_404(fetch: DataFetch, duns: str) -> FetchedCompany:
    try:
        key = FetchedCompany.key(fetch.pk, normalise_duns(duns))
    except InvalidDuns:
        key = uuid.UUID(int=0)
    row = FetchedCompany.objects.filter(pk=key).first()
    if row is None:
        raise Http404("This company is not part of the data fetch.")
    return row


class DataFetchAccept(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="accept_data_fetch",
        tags=["data fetches"],
        summary="Accept fetched documents",
        parameters=[KEY_IN_PATH],
        request=FetchDecisionSerializer,
        responses=FetchSerializer,
        examples=[an_answer("Accepted", {**FETCH_EXAMPLE, "state": "done", "counts": {"accepted": 1}})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Each becomes a baseline in the company's history. Has no effect on companies that are already decided.

        Without `companies`, all are accepted if as many wait as `confirm_companies` states; otherwise none is.
        """
        return _decided(FetchDecisionSerializer(data=request.data), request, fetch_or_404(id), accept)


class DataFetchDiscard(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="discard_data_fetch",
        tags=["data fetches"],
        summary="Discard fetched documents",
        parameters=[KEY_IN_PATH],
        request=DiscardSerializer,
        responses=FetchSerializer,
        examples=[an_answer("Discarded", {**FETCH_EXAMPLE, "state": "done", "counts": {"discarded": 1}})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """They change nothing. Has no effect on companies that are already decided.

        With `state=failed`, companies without a valid response are discarded, so that a data gap can be closed.
        """
        row, asked = fetch_or_404(id), DiscardSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        act = give_up if asked.validated_data["state"] == FetchedState.FAILED else discard
        return _decided(asked, request, row, act)


def _decided(asked: FetchDecisionSerializer, request: Request, row: DataFetch, act: Callable[..., int]) -> Response:
    asked.is_valid(raise_exception=True)
    given = asked.validated_data
    try:
        act(row, given.get("companies", given.get("confirm_companies")), by=who(request))
    except NumberChanged as error:
        raise Conflict(str(error)) from error
    return Response(serialized([fetch_or_404(row.pk)])[0])


class DataFetchStop(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="stop_data_fetch",
        tags=["data fetches"],
        summary="Stop a data fetch",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=FetchSerializer,
        examples=[an_answer("Stopped", {**FETCH_EXAMPLE, "state": "stopped", "reason": "Stopped by CRM."})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """No further call is made. Has no effect on a data fetch that does not run."""
        row = fetch_or_404(id)
        stop_fetch(row, by=who(request))
        return Response(serialized([fetch_or_404(row.pk)])[0])


class DataFetchResume(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="resume_data_fetch",
        tags=["data fetches"],
        summary="Resume a data fetch",
        parameters=[KEY_IN_PATH],
        request=ConfirmCallsSerializer,
        responses=FetchSerializer,
        examples=[
            a_request("One call", {"confirm_calls": {"data_blocks": 1}}),
            an_answer("Resumed", {**FETCH_EXAMPLE, "state": "running", "counts": {"waiting": 1}}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Makes the calls that are left. Calls without a response are made again, so D&B may bill them twice."""
        row = fetch_or_404(id)
        resume_confirmed(request, row, may_resume, resume_fetch)
        return Response(serialized([row])[0])
