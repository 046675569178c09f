"""The contract review in the API: the numbers of its page, and the companies behind them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.errors import BeingCounted
from core.api.examples import an_answer
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several
from core.api.scopes import ALERTS
from core.lists.pagination import BadCursor, read_token, write_token
from monitoring.benefit.review import Review, companies_of, review
from monitoring.benefit.savings import Reason, alerts_of
from monitoring.feed.serializers import COMPANY_SHORT_EXAMPLE, CompanyShortSerializer
from monitoring.models import Severity
from monitoring.portfolio_page.api import may_see_money
from portfolio.exposure.money import exact_text
from portfolio.models import Company

MAY_SEE_ALERTS = "monitoring.view_alert"
ABOUT_ALERTS = (
    *("alerts", "alerts_acknowledged", "critical_alerts", "critical_alerts_acknowledged"),
    *("median_seconds", "critical_events"),
)
WITH_ALERTS = "Null without the scope `alerts`."
EXPOSURE = "In units of the reporting currency. Null without the scope `read:exposure`, and where none is known."


class ChangesSerializer(serializers.Serializer[Any]):
    severity = serializers.CharField()
    changes = serializers.IntegerField()


class EventSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    day = serializers.DateField(help_text="Day of the change, in UTC.")
    title = serializers.CharField(help_text="A short description of the change.")
    exposure = serializers.CharField(allow_null=True, help_text=f"On that day. {EXPOSURE}")


class SavingSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(Reason.choices, help_text="Why its companies may be left out.")
    companies = serializers.IntegerField()
    saved = serializers.IntegerField(help_text="Fewer companies billed, if all of them are left out.")
    alerts = serializers.IntegerField(
        allow_null=True, help_text=f"Alerts of the period that you would not receive. {WITH_ALERTS}"
    )
    exposure = serializers.CharField(allow_null=True, help_text=EXPOSURE)


class ReviewSerializer(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField(help_text="When it was counted; it is counted every night.")
    start = serializers.DateField(help_text="First day of the contract year; without an anniversary, 365 days ago.")
    end = serializers.DateField(help_text="Last day of the period.")
    anniversary = serializers.DateField(allow_null=True, help_text="When the contract renews. Null if unknown.")
    changes = ChangesSerializer(many=True, help_text="Changes reported, by severity, without noise.")
    alerts = serializers.IntegerField(
        allow_null=True, help_text=f"Alerts raised in the period, in any state. {WITH_ALERTS}"
    )
    alerts_acknowledged = serializers.IntegerField(allow_null=True, help_text=WITH_ALERTS)
    critical_alerts = serializers.IntegerField(allow_null=True, help_text=WITH_ALERTS)
    critical_alerts_acknowledged = serializers.IntegerField(allow_null=True, help_text=WITH_ALERTS)
    median_seconds = serializers.IntegerField(
        allow_null=True,
        help_text=f"Median from the change to the acknowledgement of its alert; null if none was. {WITH_ALERTS}",
    )
    critical_events = EventSerializer(many=True, allow_null=True, help_text=f"The latest 20. {WITH_ALERTS}")
    currency = serializers.CharField(allow_null=True, help_text="The reporting currency. Null without exposure.")
    renewing = serializers.IntegerField(help_text="Companies that renew at the anniversary.")
    saved = serializers.IntegerField(help_text="Fewer companies billed, if those of all reasons are left out.")
    savings = SavingSerializer(many=True, help_text="By reason. A company can have several reasons.")


SAVING_EXAMPLE = {"reason": "unchanged", "companies": 40, "saved": 40, "alerts": 0, "exposure": "12500.00"}
EXAMPLE = {
    "as_of": "2026-03-31T02:00:00Z",
    "start": "2025-07-01",
    "end": "2026-03-31",
    "anniversary": "2026-07-01",
    "changes": [{"severity": "critical", "changes": 14}],
    "alerts": 60,
    "alerts_acknowledged": 52,
    "critical_alerts": 14,
    "critical_alerts_acknowledged": 14,
    "median_seconds": 9300,
    "critical_events": [
        {"duns": "804735132", "day": "2026-01-07", "title": "Out of business", "exposure": "250000.00"}
    ],
    "currency": "EUR",
    "renewing": 1200,
    "saved": 40,
    "savings": [SAVING_EXAMPLE],
}


class ContractReviewDetail(APIView):
    permissions = {"GET": "portfolio.view_contract"}

    @extend_schema(
        operation_id="contract_review",
        tags=["companies"],
        summary="Get the contract review",
        responses=ReviewSerializer,
        examples=[an_answer("A review", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """What monitoring reported in the contract year, and how many companies may be left out at the anniversary."""
        return Response(_as_json(_review(), request))


def _review() -> Review:
    found = review()
    if found is None:
        raise BeingCounted
    return found


def _as_json(found: Review, request: Request) -> dict[str, Any]:
    numbers, with_money, with_alerts = found.numbers, may_see_money(request), _may_see_alerts(request)
    year = numbers.year
    return {
        "as_of": found.made_at,
        "start": year.start,
        "end": year.end,
        "anniversary": year.anniversary,
        "changes": [
            {"severity": Severity(severity).name.lower(), "changes": count}
            for severity, count in sorted(numbers.gains.changes.items(), reverse=True)
        ],
        **(_alerts(found, with_money) if with_alerts else dict.fromkeys(ABOUT_ALERTS)),
        "currency": numbers.currency if with_money else None,
        "renewing": numbers.renewing,
        "saved": numbers.saved,
        "savings": [
            {
                **{name: getattr(one, name) for name in ("reason", "companies", "saved")},
                "alerts": one.alerts if with_alerts else None,
                "exposure": _amount(one.exposure, with_money),
            }
            for one in numbers.savings
        ],
    }


def _alerts(found: Review, with_money: bool) -> dict[str, Any]:
    handled = found.numbers.gains.handled
    counts = handled.raised, handled.acknowledged, handled.critical, handled.critical_acknowledged
    return dict(zip(ABOUT_ALERTS, (*counts, handled.since_change.median, _events(found, with_money)), strict=True))


def _events(found: Review, with_money: bool) -> list[dict[str, Any]]:
    return [
        {"duns": one.duns, "day": one.day, "title": one.title, "exposure": _amount(one.exposure, with_money)}
        for one in found.numbers.gains.events
    ]


def _amount(cents: int | None, with_money: bool) -> str | None:
    return exact_text(cents) if with_money and cents is not None else None


def _may_see_alerts(request: Request) -> bool:
    key: Any = request.auth
    return key.allows(ALERTS) if key else request.user.has_perm(MAY_SEE_ALERTS)


class ReviewParameters(PageParameters):
    reason = Several(child=OneOf(Reason.choices), help_text="Return only companies of these reasons.")


class ReviewCompanySerializer(serializers.Serializer[Any]):
    company = CompanyShortSerializer()
    reasons = serializers.ListField(child=serializers.ChoiceField(Reason.choices))
    alerts = serializers.IntegerField(allow_null=True, help_text=f"Alerts of the period about it. {WITH_ALERTS}")
    exposure = serializers.CharField(allow_null=True, help_text=EXPOSURE)


class ReviewCompaniesSerializer(PageSerializer):
    results = ReviewCompanySerializer(many=True)


COMPANY_ROW = {"company": COMPANY_SHORT_EXAMPLE, "reasons": ["unchanged"], "alerts": 0, "exposure": "12500.00"}


class ReviewCompanies(APIView):
    permissions = {"GET": "portfolio.view_contract"}

    @extend_schema(
        operation_id="contract_review_companies",
        tags=["companies"],
        summary="List companies that may be left out at the anniversary",
        parameters=[ReviewParameters],
        responses=ReviewCompaniesSerializer,
        examples=[an_answer("A page", {"results": [COMPANY_ROW], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Companies of the contract review with their reasons, in the order of D-U-N-S numbers. Nothing is removed."""
        asked, found = ReviewParameters.of(request), _review()
        reasons, place = companies_of(found, *map(Reason, asked.get("reason", ()))), _place(asked)
        later = [duns for duns in reasons if duns > place]
        page, has_more = later[: asked["limit"]], len(later) > asked["limit"]
        companies = Company.objects.in_bulk(page)
        alerts = alerts_of(found.numbers.year, page) if _may_see_alerts(request) else None
        results = [
            {
                "company": companies[duns],
                "reasons": reasons[duns],
                "alerts": alerts[duns] if alerts is not None else None,
                "exposure": _amount(companies[duns].exposure, may_see_money(request)),
            }
            for duns in page
            if duns in companies
        ]
        token = write_token([page[-1]]) if has_more else None
        return Response({"results": ReviewCompanySerializer(results, many=True).data, "next": token})


def _place(asked: dict[str, Any]) -> str:
    if "after" not in asked:
        return ""
    try:
        (duns,) = read_token(asked["after"])
    except ValueError as error:
        raise BadCursor from error
    return duns
