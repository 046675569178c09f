"""The monitored companies of a registration in the API: list, request and withdraw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
from core.db import clean_text
from core.lists.pagination import beyond, cut, read_key, write_token
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.billing.api_budget import Purse, purse_of, request_within
from portfolio.billing.approval_limits import Act, do_alone
from portfolio.companies.parameters import DunsField
from portfolio.imports.api import IMPORT_EXAMPLE, ImportSerializer, handed_in
from portfolio.models import ImportMode, Registration, Subject, SubjectImport, SubjectState
from portfolio.registrations.adopt import is_number_known
from portfolio.registrations.api import REFERENCE_IN_PATH, ContractParameter, registration_or_404
from portfolio.subjects.entry_file import FIELDS, as_file
from portfolio.subjects.requests import SubjectEntry, requested_among, withdraw_subjects

MOST_AT_ONCE = 10_000
ADDED, ALREADY, DUPLICATE, INVALID, AWAITING = "added", "already_requested", "duplicate", "invalid", "awaiting"
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


class ValidationSerializer(serializers.Serializer[Any]):
    input = serializers.CharField(help_text="The number as you sent it.")
    duns = serializers.CharField(allow_null=True, help_text="Nine digits. Null if the input is invalid.")
    validation = serializers.ChoiceField(VALIDATIONS, help_text="The result of the check.")
    reason = serializers.CharField(help_text="Why the number is invalid. Otherwise empty.")


class BudgetSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(help_text="New billable companies per contract year without approval.")
    used = serializers.IntegerField(help_text="Added in this contract year.")
    left = serializers.IntegerField(help_text="Remaining in this contract year.")


class RequestResultSerializer(serializers.Serializer[Any]):
    results = ValidationSerializer(many=True, help_text="One result for each entry, in the same order.")
    counts = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Number of entries by `validation`. Values that do not occur are left out.",
    )
    added = serializers.IntegerField(help_text="Number of newly requested companies.")
    new_billable = serializers.IntegerField(help_text="Number of new billable companies in this contract year.")
    new_billable_is_maximum = serializers.BooleanField(
        help_text="True until D&B's complete list is adopted for every registration of the contract."
    )
    budget = BudgetSerializer(help_text="Budget of this API key in this contract year, after this call.")
    waiting = ImportSerializer(allow_null=True, help_text="The import that awaits confirmation, or null.")


class WithdrawnSerializer(serializers.Serializer[Any]):
    removed = serializers.ListField(child=serializers.CharField(), help_text="D-U-N-S numbers no longer requested.")
    waiting = ImportSerializer(allow_null=True, help_text="The import that awaits confirmation, or null.")


@dataclass(slots=True)
class SubjectRow:
    """One entry of a list, and what is thought of it."""

    asked: str
    entry: SubjectEntry | None
    validation: str = ""
    reason: str = ""

    def answer(self) -> dict[str, Any]:
        duns = self.entry.duns if self.entry else None
        return {"input": self.asked, "duns": duns, "validation": self.validation, "reason": self.reason}


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
                    **{"added": 1, "new_billable": 1, "new_billable_is_maximum": False},
                    **{"budget": BUDGET_EXAMPLE, "waiting": None},
                },
            ),
            an_answer(
                "Beyond the budget",
                {
                    "results": [{**VALIDATION_EXAMPLE, "validation": AWAITING}],
                    "counts": {AWAITING: 1},
                    "added": 0,
                    **{"new_billable": 1, "new_billable_is_maximum": False},
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
        """
        where = ContractParameter.of(request)
        asked = SubjectEntriesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = registration_or_404(request, reference, where.get("contract"))
        return _request(row, validated(asked.validated_data["subjects"]), request)

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


# Wanting


def validated(given: Sequence[dict[str, str]]) -> list[SubjectRow]:
    """Each entry as a `SubjectEntry`; what is none, or was there before, has its validation already."""
    seen: set[str] = set()
    rows = []
    for one in given:
        row = _read(one)
        if row.entry and row.entry.duns in seen:
            row.validation = DUPLICATE
        if row.entry:
            seen.add(row.entry.duns)
        rows.append(row)
    return rows


def _read(one: dict[str, str]) -> SubjectRow:
    asked = one["duns"]
    try:
        duns = normalise_duns(asked)
    except InvalidDuns as flaw:
        return SubjectRow(asked, None, INVALID, clean_text(flaw.reason, 200))
    return SubjectRow(asked, SubjectEntry(duns, **{name: one.get(name, "") for name in FIELDS}))


def _request(registration: Registration, rows: list[SubjectRow], request: Request) -> Response:
    purse = purse_of(request.auth, registration.contract)
    written = {row.entry.duns: row.asked for row in rows if row.entry and not row.validation}
    entries = [row.entry for row in rows if row.entry and not row.validation]
    requested, new = request_within(purse, registration=registration, entries=entries, requested_by=who(request))
    added = set(requested.newly) if requested else set()
    known = set() if requested else requested_among(registration, [entry.duns for entry in entries])
    waiting = None if requested else handed_in(registration, as_file(entries, written), ImportMode.ADD, who(request))
    for row in rows:
        if row.entry and not row.validation:
            row.validation = _validation(row.entry.duns, added, known, is_waiting=waiting is not None)
    is_maximum = bool(new) and not is_number_known(registration.contract)
    billable = {"new_billable": len(new), "new_billable_is_maximum": is_maximum}
    return _requested(rows, len(added), billable, purse, waiting)


def _validation(duns: str, added: set[str], known: set[str], *, is_waiting: bool) -> str:
    if is_waiting:
        return ALREADY if duns in known else AWAITING
    return ADDED if duns in added else ALREADY


def _requested(
    rows: list[SubjectRow], added: int, billable: dict[str, Any], purse: Purse | None, waiting: SubjectImport | None
) -> Response:
    limit, used = (purse.budget, purse.used()) if purse else (0, 0)
    answer = {
        "results": [row.answer() for row in rows],
        "counts": dict(Counter(row.validation for row in rows)),
        "added": added,
        **billable,
        "budget": {"limit": limit, "used": used, "left": max(0, limit - used)},
        "waiting": ImportSerializer(waiting).data if waiting else None,
    }
    return Response(answer, status=202 if waiting else 200)


# Withdrawing


def _withdraw(registration: Registration, duns: list[str], request: Request) -> Response:
    requested = sorted(requested_among(registration, duns))
    if not do_alone(Act(who(request), registration, removals=len(requested))):
        entries = [SubjectEntry(number) for number in requested]
        waiting = handed_in(registration, as_file(entries), ImportMode.REMOVE, who(request))
        return Response({"removed": [], "waiting": ImportSerializer(waiting).data}, status=202)
    removed = withdraw_subjects(registration=registration, duns=requested, requested_by=who(request))
    return Response({"removed": sorted(removed), "waiting": None})
