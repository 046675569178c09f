"""Family trees in the API: request them with the calls confirmed, and read what is kept."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.http import Http404
from django.utils import timezone
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
from monitoring.family_tree.api.serializers import (
    MEMBER_EXAMPLE,
    TREE_EXAMPLE,
    CompanyTreeSerializer,
    RequestedTreesSerializer,
    TreeMembersSerializer,
    TreeParameters,
    TreeRequestSerializer,
    TreeSerializer,
    TreesSerializer,
    company_tree_json,
    members_json,
)
from monitoring.family_tree.plan import CannotFetchTree, plan_trees
from monitoring.family_tree.request import (
    discard_tree,
    known_trees,
    may_resume,
    request_trees,
    resume_tree,
    stop_tree,
)
from monitoring.family_tree.snapshots import changed_since, latest_tree, none_at_dnb
from monitoring.family_tree.view_data import monitored_in
from monitoring.history.api import ProfileParameters
from monitoring.models import FamilyTree, FamilyTreeMember, TreeKind
from portfolio.call_budgets.api import ConfirmCallsSerializer, conflicts_of_calls, resume_confirmed
from portfolio.companies.parameters import DUNS_IN_PATH, UNKNOWN_COMPANY, company_or_404
from portfolio.models import Subject

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The family tree's ID.")
RIGHT = "monitoring.request_familytree"
VIEW = "monitoring.view_familytree"
BY_POST = "POST /api/v1/family-trees/, which needs the scope `fetch`"
NONE_FETCHED = f"No family tree of this company has been fetched. Fetch one with {BY_POST}."
NONE_BY_THEN = "No family tree of this company had been fetched by then. Leave out as_of for the latest one."


def tree_or_404(key: uuid.UUID) -> FamilyTree:
    row = FamilyTree.objects.select_related("contract").filter(pk=key).first()
    if row is None:
        raise Http404("This family tree does not exist.")
    return row


class FamilyTreeList(APIView):
    scopes = {"POST": FETCH}
    permissions = {"GET": VIEW, "POST": RIGHT}

    @extend_schema(
        operation_id="family_trees",
        tags=["family trees"],
        summary="List family trees, latest first",
        parameters=[TreeParameters],
        responses=TreesSerializer,
        examples=[an_answer("A page", {"results": [TREE_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Family trees and upward chains that users and API keys have requested."""
        asked = TreeParameters.of(request)
        rows = FamilyTree.objects.all()
        if "kind" in asked:
            rows = rows.filter(kind=asked["kind"])
        found, token = page_by_time(rows, asked, "requested_at")
        return Response({"results": TreeSerializer(found, many=True).data, "next": token})

    @extend_schema(
        operation_id="request_family_trees",
        tags=["family trees"],
        summary="Fetch a family tree or upward chains from D&B",
        request=TreeRequestSerializer,
        responses={201: RequestedTreesSerializer},
        examples=[
            a_request("One tree", {"kind": "full", "companies": ["804735132"], "confirm_calls": {"family_tree": 2}}),
            an_answer("Requested", {"results": [{**TREE_EXAMPLE, "state": "running", "complete": False}]}, 201),
        ],
    )
    def post(self, request: Request) -> Response:
        """The calls are made in the background, one for each upward chain, and one for each page of a full tree. A
        tree that has more pages than were confirmed stops, and can be resumed.

        Send an Idempotency-Key, so that a repeated request makes no further calls.
        """
        asked = TreeRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        key = repeat_key(request)
        trees = known_trees(key, given["companies"])
        if not trees:
            with conflicts_of_calls(), _conflicts_of_trees():
                plan = plan_trees(TreeKind(given["kind"]), given["companies"])
                trees = request_trees(plan, given["confirm_calls"], by=who(request), key=key)
        return Response({"results": TreeSerializer(trees, many=True).data}, status=201)


@contextmanager
def _conflicts_of_trees() -> Iterator[None]:
    try:
        yield
    except CannotFetchTree as error:
        raise Conflict(str(error)) from error


class FamilyTreeDetail(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="family_tree",
        tags=["family trees"],
        summary="Get a family tree",
        parameters=[KEY_IN_PATH],
        responses=TreeSerializer,
        examples=[an_answer("A family tree", TREE_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of a family tree or upward chain."""
        return Response(TreeSerializer(tree_or_404(id)).data)


class FamilyTreeMembers(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="family_tree_members",
        tags=["family trees"],
        summary="List the members of a family tree",
        parameters=[KEY_IN_PATH, PageParameters],
        responses=TreeMembersSerializer,
        examples=[an_answer("A page", {"results": [MEMBER_EXAMPLE], "next": None})],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """Each with its parent, and the registrations that monitor it. A member below several parents is listed with
        each."""
        asked = PageParameters.of(request)
        rows = FamilyTreeMember.objects.filter(tree=tree_or_404(id))
        found, token = page_by_key(rows, asked)
        monitored = monitored_in([row.duns for row in found], Subject.objects.all())
        return Response({"results": members_json(found, monitored), "next": token})


class FamilyTreeStop(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="stop_family_tree",
        tags=["family trees"],
        summary="Stop fetching a family tree",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=TreeSerializer,
        examples=[
            an_answer("Stopped", {**TREE_EXAMPLE, "state": "stopped", "complete": False, "reason": "Stopped by CRM."})
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """No further call is made. Has no effect on a tree that is not being fetched."""
        stop_tree(tree_or_404(id), by=who(request))
        return Response(TreeSerializer(tree_or_404(id)).data)


class FamilyTreeDiscard(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="discard_family_tree",
        tags=["family trees"],
        summary="Discard a family tree that has stopped",
        parameters=[KEY_IN_PATH],
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Removes it with the pages that were read. 409 if it is being fetched, or complete."""
        if not discard_tree(tree_or_404(id), by=who(request)):
            raise Conflict("Only a family tree that has stopped can be discarded. Stop it first.")
        return Response(status=204)


class FamilyTreeResume(APIView):
    scopes = {"POST": FETCH}
    permissions = {"POST": RIGHT}

    @extend_schema(
        operation_id="resume_family_tree",
        tags=["family trees"],
        summary="Resume fetching a family tree",
        parameters=[KEY_IN_PATH],
        request=ConfirmCallsSerializer,
        responses=TreeSerializer,
        examples=[
            a_request("One call", {"confirm_calls": {"family_tree": 1}}),
            an_answer("Resumed", {**TREE_EXAMPLE, "state": "running", "complete": False}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Fetches the pages that are left. A call without a response is made again, so D&B may bill it twice.

        Returns 409 if another request has the same family, so that it is paid once.
        """
        with _conflicts_of_trees():
            resume_confirmed(request, tree_or_404(id), may_resume, resume_tree)
        return Response(TreeSerializer(tree_or_404(id)).data)


class CompanyFamilyTree(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="company_family_tree",
        tags=["family trees"],
        summary="Get the family tree of a company, now or as of a date",
        parameters=[DUNS_IN_PATH, ProfileParameters],
        responses=CompanyTreeSerializer,
        examples=[an_answer("A family tree", {**TREE_EXAMPLE, "outdated": False})],
    )
    def get(self, request: Request, duns: str) -> Response:
        """The latest one fetched by then. Its members are at `/family-trees/{id}/members/`."""
        return _of_company(request, duns, TreeKind.FULL)


class CompanyUpwardChain(APIView):
    permissions = {"GET": VIEW}

    @extend_schema(
        operation_id="company_upward_chain",
        tags=["family trees"],
        summary="Get the upward chain of a company, now or as of a date",
        parameters=[DUNS_IN_PATH, ProfileParameters],
        responses=CompanyTreeSerializer,
        examples=[an_answer("An upward chain", {**TREE_EXAMPLE, "kind": "upward", "outdated": False})],
    )
    def get(self, request: Request, duns: str) -> Response:
        """The latest one that was fetched by then. Its members are at `/family-trees/{id}/members/`."""
        return _of_company(request, duns, TreeKind.UPWARD)


def _of_company(request: Request, duns: str, kind: TreeKind) -> Response:
    until = ProfileParameters.of(request).get("as_of")
    try:
        number = normalise_duns(duns)
    except InvalidDuns:
        raise Http404(UNKNOWN_COMPANY) from None
    tree = latest_tree(number, kind, until)
    if tree is None:
        company_or_404(request, number)
        raise Http404(_why_none(number, kind, until))
    return Response(company_tree_json(tree, is_outdated=bool(changed_since(tree, [number], until))))


def _why_none(duns: str, kind: TreeKind, until: datetime | None) -> str:
    """Who does not learn that D&B has none fetches it again, and pays for each answer."""
    if asked := none_at_dnb(duns, kind, until):
        thing = "upward chain" if kind == TreeKind.UPWARD else "family tree"
        day = timezone.localtime(asked).date()
        return f"D&B has no {thing} for this company (asked on {day}). To ask again, at the cost of a call: {BY_POST}."
    return NONE_BY_THEN if until else NONE_FETCHED
