"""List, request and withdraw them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer, who
from core.api.fields import Entries, OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several
from core.api.scopes import READ, WRITE_PORTFOLIO
from core.lists.pagination import beyond, cut, read_key, write_token
from portfolio.billing.approval_limits import Act, do_alone
from portfolio.companies.parameters import DunsField
from portfolio.imports.api import IMPORT_EXAMPLE, IS_MAXIMUM, ImportSerializer, handed_in
from portfolio.models import ImportMode, Registration, Subject, SubjectState
from portfolio.registrations.api import REFERENCE_IN_PATH, ContractParameter, registration_or_404
from portfolio.subjects.api.requesting import ADDED, ALREADY, AWAITING, DUPLICATE, INVALID, request_companies
from portfolio.subjects.entry_file import as_file
from portfolio.subjects.requests import SubjectEntry, requested_among, withdraw_subjects

MOST_AT_ONCE = 10_000
VALIDATIONS = [
    (ADDED, "Requested now"),
    (ALREADY, "Already requested"),
    (DUPLICATE, "Duplicate of an earlier entry"),
    (INVALID, "Invalid D-U-N-S number"),
    (AWAITING, "Part of an import that awaits confirmation"),
]
SUBJECT_EXAMPLE = {
    "duns": "804735132",
    "requested": True,
    "requested_by": "ERP (dnbmon_1a2b3c4d_…)",
    "requested_at": "2026-01-07T09:00:00Z",
    "remove_on": None,
    "state": "monitored",
    "code": "21108",
    "message": "",
    "replacement": None,
    "monitored_since": "2026-01-07",
    "monitored_until": None,
    "customer_reference": "V-1001",
    "tags": "critical",
    "owner": "ann",
}
ENTRY_EXAMPLE = {"duns": "804735132", "customer_reference": "V-1001", "tags": "critical"}
VALIDATION_EXAMPLE = {"input": "80-473-5132", "duns": "804735132", "validation": ADDED, "reason": ""}
AWAITING_EXAMPLE = (
    "A user must confirm: the list adds 1 new billable company, more than the 0 left in the budget of this key."
)
YOUR_NUMBER = "Your own number for the company, such as a customer or supplier number."
OWNER = "Person responsible for the company: a username or an email address."
BUDGET_EXAMPLE = {"limit": 100, "used": 1, "left": 99}


class SubjectSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(source="company_id", help_text="D-U-N-S number, nine digits.")
    requested = serializers.BooleanField(help_text="True if a user or an API key requested to monitor the company.")
    requested_by = serializers.CharField(help_text="User or API key that requested or withdrew it last.")
    requested_at = serializers.DateTimeField(allow_null=True, help_text="When it was requested or withdrawn last.")
    remove_on = serializers.DateField(allow_null=True, help_text="Planned removal: no longer requested from this date.")
    state = serializers.ChoiceField(SubjectState.choices, help_text="State at D&B, as far as known.")
    code = serializers.CharField(help_text="D&B's last result code for it, such as 21108; empty before D&B responds.")
    message = serializers.CharField(help_text="D&B's explanation of the code. Empty if D&B sent none.")
    replacement = serializers.SerializerMethodField(help_text="The D-U-N-S number that D&B suggests instead.")
    monitored_since = serializers.DateField(allow_null=True, help_text="First day of monitoring.")
    monitored_until = serializers.DateField(allow_null=True, help_text="Last day of monitoring.")
    customer_reference = serializers.CharField(help_text=YOUR_NUMBER)
    tags = serializers.CharField(help_text="Separated by commas.")
    owner = serializers.CharField(help_text=OWNER)

    def get_replacement(self, row: Subject) -> str | None:
        return row.replacement or None


class SubjectsSerializer(PageSerializer):
    results = SubjectSerializer(many=True)


class SubjectParameters(PageParameters, ContractParameter):
    requested = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Return only requested companies, or only others."
    )
    state = Several(child=OneOf(SubjectState.choices), help_text="Return only these states.")
    duns = Several(child=DunsField(), help_text="Return only these companies: up to 200 D-U-N-S numbers.")


class RemovalParameters(ContractParameter):
    duns = Several(child=DunsField(), required=True, help_text="Up to 200 D-U-N-S numbers.")


class SubjectEntrySerializer(Body):
    duns = serializers.CharField(max_length=40, help_text="D-U-N-S number, with or without dashes.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=300, help_text="Until D&B sends it.")
    customer_reference = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text=YOUR_NUMBER)
    tags = serializers.CharField(required=False, allow_blank=True, max_length=500, help_text="Separated by commas.")
    owner = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text=OWNER)


class SubjectEntriesSerializer(Body):
    subjects = Entries(
        child=SubjectEntrySerializer(), allow_empty=False, max_length=MOST_AT_ONCE, help_text="Up to 10,000 companies."
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Set it to true to see the result and the cost without requesting anything."
    )


class ValidationSerializer(serializers.Serializer[Any]):
    input = serializers.CharField(help_text="The number as you sent it.")
    duns = serializers.CharField(allow_null=True, help_text="Nine digits. Null if the input is invalid.")
    validation = serializers.ChoiceField(VALIDATIONS, help_text="The result of the check.")
    reason = serializers.CharField(help_text="Why the entry is `invalid`, or why it is `awaiting`. Otherwise empty.")


class BudgetSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(help_text="New billable companies per contract year without approval.")
    used = serializers.IntegerField(help_text="Added in this contract year.")
    left = serializers.IntegerField(help_text="Remaining in this contract year.")


class RequestResultSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(help_text="True if nothing was requested: the result is what a request gets.")
    results = ValidationSerializer(many=True, help_text="One result for each entry, in the same order.")
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Number of entries by `validation`. Values that do not occur are left out.",
    )
    added = serializers.IntegerField(help_text="Number of newly requested companies.")
    new_billable = serializers.IntegerField(help_text="Number of new billable companies in this contract year.")
    new_billable_is_maximum = serializers.BooleanField(help_text=IS_MAXIMUM)
    budget = BudgetSerializer(help_text="Budget of this API key in this contract year, after this call.")
    waiting = ImportSerializer(allow_null=True, help_text="The import that awaits confirmation, or null.")


class WithdrawnSerializer(serializers.Serializer[Any]):
    removed = serializers.ListField(child=serializers.CharField(), help_text="D-U-N-S numbers no longer requested.")
    waiting = ImportSerializer(allow_null=True, help_text="The import that awaits confirmation, or null.")


class SubjectList(APIView):
    scopes = {"GET": READ, "POST": WRITE_PORTFOLIO, "DELETE": WRITE_PORTFOLIO}
    permissions = {
        "GET": "portfolio.view_subject",
        "POST": "portfolio.change_subject",
        "DELETE": "portfolio.change_subject",
    }
    by_unit = ("GET", "POST", "DELETE")

    @extend_schema(
        operation_id="subjects",
        tags=["subjects"],
        summary="List the monitored companies of a registration",
        parameters=[REFERENCE_IN_PATH, SubjectParameters],
        responses=SubjectsSerializer,
        examples=[an_answer("A page", {"results": [SUBJECT_EXAMPLE], "next": None})],
    )
    def get(self, request: Request, reference: str) -> Response:
        """Each company with what you requested and its state at D&B. The order is arbitrary."""
        asked = SubjectParameters.of(request)
        rows = _chosen(registration_or_404(request, reference, asked.get("contract")), asked).order_by("id")
        if "after" in asked:
            rows = beyond(rows, ("id",), [read_key(asked["after"])])
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].pk.hex]) if has_more else None
        return Response({"results": SubjectSerializer(found, many=True).data, "next": token})

    @extend_schema(
        operation_id="request_subjects",
        tags=["subjects"],
        summary="Request companies, up to 10,000 per call",
        parameters=[REFERENCE_IN_PATH, ContractParameter],
        request=SubjectEntriesSerializer,
        responses={200: RequestResultSerializer, 202: RequestResultSerializer},
        examples=[
            a_request("One company", {"subjects": [ENTRY_EXAMPLE]}),
            an_answer(
                "Within the budget",
                {
                    "results": [VALIDATION_EXAMPLE],
                    "counts": {ADDED: 1},
                    **{"dry_run": False, "added": 1, "new_billable": 1, "new_billable_is_maximum": False},
                    **{"budget": BUDGET_EXAMPLE, "waiting": None},
                },
            ),
            an_answer(
                "Beyond the budget",
                {
                    "results": [{**VALIDATION_EXAMPLE, "validation": AWAITING, "reason": AWAITING_EXAMPLE}],
                    "counts": {AWAITING: 1},
                    "added": 0,
                    **{"dry_run": False, "new_billable": 1, "new_billable_is_maximum": False},
                    "budget": {"limit": 0, "used": 0, "left": 0},
                    "waiting": IMPORT_EXAMPLE,
                },
                202,
            ),
        ],
    )
    def post(self, request: Request, reference: str) -> Response:
        """Returns a validation result for each entry. Invalid D-U-N-S numbers are refused one by one; the others are
        requested. Repeating the call has no effect.

        If a company is already requested, a `customer_reference`, `tags` or `owner` that you send replaces the stored
        value, even if another user set it. Fields that are omitted or empty keep the stored value, and a scheduled
        removal stays. `name` is used only if the company is not known yet.

        If the new billable companies exceed the key's budget, nothing is requested: the whole list becomes an import
        that awaits confirmation by a user, and the response is 202. The next sync sends the companies to D&B.

        With `dry_run`, nothing is requested, spent or kept. The response (200) has the validation of each entry, the
        number of new billable companies and the budget that is left. Entries beyond the budget are `awaiting`;
        `reason` names the budget, and the registrations for which D&B's list is not adopted.
        """
        where = ContractParameter.of(request)
        asked = SubjectEntriesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = registration_or_404(request, reference, where.get("contract"))
        body = asked.validated_data
        return request_companies(row, body["subjects"], request, dry_run=body["dry_run"])

    @extend_schema(
        operation_id="withdraw_subjects",
        tags=["subjects"],
        summary="Withdraw companies, up to 200 per call",
        parameters=[REFERENCE_IN_PATH, RemovalParameters],
        responses={200: WithdrawnSerializer, 202: WithdrawnSerializer},
        examples=[
            an_answer("Removed", {"removed": ["804735132"], "waiting": None}),
            an_answer("Above the limit", {"removed": [], "waiting": {**IMPORT_EXAMPLE, "mode": "remove"}}, 202),
        ],
    )
    def delete(self, request: Request, reference: str) -> Response:
        """Stops monitoring them. They remain billed for the contract year in which they were monitored.

        The contract limits how many companies one user may remove within 30 days, including the API keys they issued.
        Above the limit, the list becomes an import that awaits confirmation, and the response is 202.
        """
        asked = RemovalParameters.of(request)
        row = registration_or_404(request, reference, asked.get("contract"))
        return _withdraw(row, sorted(set(asked["duns"])), request)


def _chosen(registration: Registration, asked: dict[str, Any]) -> QuerySet[Subject]:
    rows = Subject.objects.filter(registration=registration)
    if asked["requested"] is not None:
        rows = rows.filter(requested=asked["requested"])
    if "state" in asked:
        rows = rows.filter(state__in=sorted(set(asked["state"])))
    if "duns" in asked:
        rows = rows.filter(pk__in=[Subject.key(registration.pk, duns) for duns in sorted(set(asked["duns"]))])
    return rows


# Withdrawing


def _withdraw(registration: Registration, duns: list[str], request: Request) -> Response:
    requested = sorted(requested_among(registration, duns))
    if not do_alone(Act(who(request), registration, removals=len(requested))):
        entries = [SubjectEntry(number) for number in requested]
        waiting = handed_in(registration, as_file(entries), ImportMode.REMOVE, who(request))
        return Response({"removed": [], "waiting": ImportSerializer(waiting).data}, status=202)
    removed = withdraw_subjects(registration=registration, duns=requested, requested_by=who(request))
    return Response({"removed": sorted(removed), "waiting": None})
