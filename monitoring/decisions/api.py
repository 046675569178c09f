"""Decisions and tiers in the API: read what was decided on what ground, decide, set tiers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.errors import Conflict
from core.api.examples import a_request, an_answer, who
from core.api.fields import Entries, OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several, read_place
from core.api.scopes import READ_DECISIONS, READ_EXPOSURE, WRITE_DECISIONS, WRITE_TIERS, split_scopes
from core.api.visibility import scope_for, seen_by
from core.lists.pagination import beyond, cut, write_token
from monitoring.decisions.comparison import compared_with_today
from monitoring.decisions.decide import (
    LONGEST,
    DecidedSince,
    Draft,
    Flaw,
    NoneBefore,
    decide,
    in_words,
    is_expired,
)
from monitoring.decisions.known import known_to
from monitoring.decisions.tiers import NONE, set_tier, tier_of
from monitoring.feed.serializers import COMPANY_SHORT_EXAMPLE, CompanyShortSerializer, companies_of
from monitoring.models import Decision, DecisionKind, DecisionState
from portfolio.companies.columns import SEE_EXPOSURE
from portfolio.companies.parameters import UNKNOWN_COMPANY, DunsField
from portfolio.companies.serializers import flag_names
from portfolio.exposure.currencies import CODES, NO_CURRENCY
from portfolio.exposure.money import exact_text
from portfolio.imports.states import Refused
from portfolio.models import Company, Tier

MOST_AT_ONCE = 1000
NONE_BEFORE = (
    "No decision on this company has been made, so {after} is not the number of the last one. Nothing was saved. To "
    "make the first decision, send `after`: 0."
)
KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The decision's ID.")
DECISION_EXAMPLE = {
    "id": "019b95d1-4000-7c55-9d0a-2a4f4b0c9a11",
    "company": COMPANY_SHORT_EXAMPLE,
    "number": 2,
    "kind": "limit",
    "amount": "250000.00",
    "currency": "EUR",
    "valid_until": "2026-12-31",
    "is_expired": False,
    "reason": "Payment index fell to 60. Reduced from 400,000.",
    "tier": "critical",
    "state": "final",
    "decided_by": "ann",
    "decided_at": "2026-03-02T09:12:44.120000Z",
    "needs_second": "The tier of the company is “Critical”.",
    "confirmed_by": "bob",
    "confirmed_at": "2026-03-02T11:40:02.511000Z",
    "refusal": "",
    "known": {"as_of": "2026-03-02T09:12:44.120Z", "figures": {"failure_class": 4}, "alerts": []},
}
A_DECISION = {
    "duns": "804735132",
    "kind": "limit",
    "amount": "250000.00",
    "currency": "EUR",
    "valid_until": "2026-12-31",
    "reason": "Payment index fell to 60. Reduced from 400,000.",
    "after": 1,
}


class CompanyDecisionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The decision's ID.")
    company = CompanyShortSerializer(help_text="The company that was decided on.")
    number = serializers.IntegerField(help_text="Counts the decisions on this company. Send it as `after` to decide.")
    kind = serializers.ChoiceField(DecisionKind.choices, help_text="The decision.")
    amount = serializers.CharField(allow_null=True, help_text="Of a limit, in its currency, with two decimals.")
    currency = serializers.CharField(help_text="Currency of the amount (ISO 4217). Empty without an amount.")
    valid_until = serializers.DateField(allow_null=True, help_text="Last day of validity. Null if it has no end.")
    is_expired = serializers.BooleanField(help_text="Whether that day has passed.")
    reason = serializers.CharField(help_text="Reason for the decision.")
    tier = serializers.CharField(help_text="Tier of the company at that time. Empty for none.")
    state = serializers.ChoiceField(
        DecisionState.choices, help_text="`proposed` while a second person must confirm it, `final` or `refused`."
    )
    decided_by = serializers.CharField(help_text="User or API key that decided.")
    decided_at = serializers.DateTimeField(help_text="When it was decided.")
    needs_second = serializers.CharField(
        help_text="Reason why a second person must confirm the decision. Empty if none must."
    )
    confirmed_by = serializers.CharField(help_text="User who confirmed or refused the decision. Empty if no one did.")
    confirmed_at = serializers.DateTimeField(allow_null=True, help_text="When that was. Null if no one did.")
    refusal = serializers.CharField(help_text="Reason for the refusal. Empty if it was not refused.")
    known = serializers.DictField(
        help_text="What was known at that time: figures, open alerts (the 100 most severe; `alert_count` counts "
        "all) and the moment `as_of`. A key of a business unit receives only alerts that the unit sees. "
        "`exposure` is included for keys with the scope `read:exposure`. Empty for keys without the scope "
        "`read:decisions`."
    )


class ComparedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Name of the figure, such as `failure_class` or `open_alerts`.")
    label = serializers.CharField(help_text="The figure as users read it.")  # type: ignore[assignment]  # of forms
    then = serializers.CharField(help_text="When the decision was proposed. Empty if it was not known.")
    now = serializers.CharField(help_text="Today. Empty if it is not known any more.")
    changed = serializers.BooleanField(source="has_changed", help_text="Whether both differ.")


class DecisionToConfirmSerializer(CompanyDecisionSerializer):
    compared = ComparedSerializer(
        many=True,
        help_text="What was known at that time beside today's values, changed ones first. Empty unless the decision "
        "awaits confirmation. Amounts of exposure are included for keys with the scope `read:exposure`.",
    )


class CompanyDecisionsSerializer(PageSerializer):
    results = CompanyDecisionSerializer(many=True)


class DecidingSerializer(Body):
    duns = DunsField(max_length=20, help_text="D-U-N-S number of the company.")
    kind = OneOf(DecisionKind.choices, help_text="The decision.")
    amount = serializers.DecimalField(
        required=False, max_digits=15, decimal_places=2, min_value=Decimal(0), help_text="Of a limit: 0 or more."
    )
    currency = serializers.ChoiceField(
        sorted(CODES), required=False, error_messages=NO_CURRENCY, help_text="Currency of a limit (ISO 4217)."
    )
    valid_until = serializers.DateField(required=False, help_text="Last day of validity. Leave it out for no end.")
    reason = serializers.CharField(max_length=LONGEST, help_text="Reason for the decision.")
    after = serializers.IntegerField(
        min_value=0,
        max_value=10**6,
        help_text="`number` of the last decision on this company that you know, refused ones included; 0 for none. "
        "Answered with 409 if the last one has another number.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            _draft(attrs).check()
        except Flaw as flaw:
            raise serializers.ValidationError({flaw.field: [str(flaw)]}) from flaw
        return attrs


class DecisionParameters(PageParameters):
    company = Several(child=DunsField(), help_text="Return only decisions on these companies: up to 200 numbers.")
    state = Several(child=OneOf(DecisionState.choices), help_text="Return only these states.")


class TierSerializer(Body):
    duns = DunsField(max_length=20, help_text="D-U-N-S number of the company.")
    tier = OneOf([*Tier.values, NONE], help_text="Its tier. Tier rules do not change it afterwards.")


class TiersSerializer(Body):
    tiers = Entries(
        child=TierSerializer(), allow_empty=False, max_length=MOST_AT_ONCE, help_text="Up to 1,000 companies."
    )


class TiersSetSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="Number of companies that had another tier.")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="D-U-N-S numbers that are not known.")


def decisions_for(request: Request) -> QuerySet[Decision]:
    """Those that the caller may see."""
    return seen_by(request, Decision.objects.all())


def may_read(request: Request, scope: str, permission: str) -> bool:
    """A key that only decides is not shown what was known."""
    key: Any = request.auth
    return scope in split_scopes(key.scopes) if key else request.user.has_perm(permission)


def serialized(rows: Sequence[Decision], companies: Mapping[str, Company], request: Request) -> Any:
    sees_known = may_read(request, READ_DECISIONS, "monitoring.view_decision")
    sees_money = may_read(request, READ_EXPOSURE, SEE_EXPOSURE)
    known = known_to(scope_for(request), rows) if sees_known else [{} for _ in rows]
    items = [_item(row, companies, _known(one, sees_money)) for row, one in zip(rows, known, strict=True)]
    return CompanyDecisionSerializer(items, many=True).data


def _known(found: dict[str, Any], sees_money: bool) -> dict[str, Any]:
    shown = found if sees_money else {name: value for name, value in found.items() if name != "exposure"}
    figures = shown.get("figures", {})
    return {**shown, "figures": {**figures, "flags": flag_names(figures["flags"])}} if "flags" in figures else shown


def _item(row: Decision, companies: Mapping[str, Company], known: dict[str, Any]) -> dict[str, Any]:
    same = ("id", "number", "kind", "currency", "valid_until", "reason", "state", "decided_by", "decided_at")
    second = ("needs_second", "confirmed_by", "confirmed_at", "refusal")
    return {
        **{name: getattr(row, name) for name in (*same, *second)},
        "company": companies.get(row.company_id),
        "amount": None if row.amount_cents is None else exact_text(row.amount_cents),
        "is_expired": is_expired(row),
        "tier": row.tier_at,
        "known": known,
    }


class DecisionList(APIView):
    by_unit = ("GET", "POST")
    scopes = {"GET": READ_DECISIONS, "POST": WRITE_DECISIONS}
    permissions = {"GET": "monitoring.view_decision", "POST": "monitoring.decide_company"}

    @extend_schema(
        operation_id="decisions",
        tags=["decisions"],
        summary="List decisions, latest first",
        parameters=[DecisionParameters],
        responses=CompanyDecisionsSerializer,
        examples=[an_answer("A page", {"results": [DECISION_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Decisions on companies, each with what was known when it was made."""
        asked = DecisionParameters.of(request)
        rows = decisions_for(request).order_by("-decided_at", "-id")
        for name in ("state", "company"):
            if name in asked:
                rows = rows.filter(**{f"{name}__in": sorted(set(asked[name]))})
        if "after" in asked:
            rows = beyond(rows, ("decided_at", "id"), read_place(asked["after"]), newest_first=True)
        found, has_more = cut(rows, asked["limit"])
        token = write_token([found[-1].decided_at.isoformat(), found[-1].pk.hex]) if has_more else None
        companies = companies_of(row.company_id for row in found)
        return Response({"results": serialized(found, companies, request), "next": token})

    @extend_schema(
        operation_id="decide",
        tags=["decisions"],
        summary="Decide on a company",
        request=DecidingSerializer,
        responses={201: CompanyDecisionSerializer},
        examples=[a_request("A limit", A_DECISION), an_answer("Decided", DECISION_EXAMPLE, 201)],
    )
    def post(self, request: Request) -> Response:
        """The decision completes the review that is due. If a second person must confirm it, its state is `proposed`;
        users confirm it on its page. A decision on a merged company is refused and names the remaining company."""
        asked = DecidingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        if not (scope_for(request).sees_all or seen_by(request, Company.objects.filter(pk=given["duns"])).exists()):
            raise serializers.ValidationError({"duns": [UNKNOWN_COMPANY]})
        try:
            row = decide(given["duns"], _draft(given), seen=given["after"], by=who(request))
        except Company.DoesNotExist as error:
            raise serializers.ValidationError({"duns": [UNKNOWN_COMPANY]}) from error
        except DecidedSince as error:
            raise Conflict(_decided_since(error.latest, given["after"])) from error
        except NoneBefore as error:
            raise Conflict(NONE_BEFORE.format(after=given["after"])) from error
        except Refused as error:
            raise Conflict(str(error)) from error
        return Response(serialized([row], {row.company_id: row.company}, request)[0], status=201)


def _decided_since(latest: Decision, after: int) -> str:
    """A program has no page to look at: the number is what it needs."""
    made = f"The last decision is number {latest.number}, not {after}: {in_words(latest)}, by {latest.decided_by}."
    return f"{made} Nothing was saved. To decide after it, send `after`: {latest.number}."


def _draft(given: Mapping[str, Any]) -> Draft:
    amount = given.get("amount")
    return Draft(
        kind=given["kind"],
        reason=given["reason"],
        amount_cents=None if amount is None else int(amount * 100),
        currency=given.get("currency", ""),
        valid_until=given.get("valid_until"),
    )


class DecisionDetail(APIView):
    by_unit = ("GET",)
    scopes = {"GET": READ_DECISIONS}
    permissions = {"GET": "monitoring.view_decision"}

    @extend_schema(
        operation_id="decision",
        tags=["decisions"],
        summary="Get a decision",
        parameters=[KEY_IN_PATH],
        responses=DecisionToConfirmSerializer,
        examples=[an_answer("A decision", {**DECISION_EXAMPLE, "compared": []})],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """One decision, with what was known when it was made. While it awaits confirmation, also what is known now."""
        row = decisions_for(request).filter(pk=id).select_related("company").first()
        if row is None:
            raise Http404("This decision does not exist.")
        compared = compared_with_today(
            row, with_exposure=may_read(request, READ_EXPOSURE, SEE_EXPOSURE), actor=scope_for(request)
        )
        found = serialized([row], {row.company_id: row.company}, request)[0]
        return Response({**found, "compared": ComparedSerializer(compared, many=True).data})


class TierList(APIView):
    scopes = {"PUT": WRITE_TIERS}
    permissions = {"PUT": "monitoring.change_tier"}

    @extend_schema(
        operation_id="set_tiers",
        tags=["decisions"],
        summary="Set the tier of companies, up to 1,000 per call",
        request=TiersSerializer,
        responses=TiersSetSerializer,
        examples=[
            a_request("One tier", {"tiers": [{"duns": "804735132", "tier": "critical"}]}),
            an_answer("Set", {"changed": 1, "unknown": []}),
        ],
    )
    def put(self, request: Request) -> Response:
        """The tier counts as set by a user, so tier rules do not change it. Repeating the call has no effect. The tier
        and the next review of a company are part of `companies/`."""
        asked = TiersSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = {one["duns"]: one["tier"] for one in asked.validated_data["tiers"]}
        companies = Company.objects.in_bulk(list(given))
        changed = sum(
            set_tier(
                [row for duns, row in companies.items() if given[duns] == tier], tier=tier_of(tier), by=who(request)
            )
            for tier in sorted(set(given.values()))
        )
        return Response({"changed": changed, "unknown": sorted(set(given) - set(companies))})
