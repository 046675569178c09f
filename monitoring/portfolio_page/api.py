"""The portfolio's risk in the API: the numbers of its page."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer
from core.api.fields import OneOf
from core.api.parameters import CountryField, Parameters, Several
from core.api.scopes import READ_EXPOSURE
from core.api.visibility import seen_by
from core.dates import validate_day
from core.text import is_clean
from portfolio.companies.parameters import UNKNOWN_REGISTRATION
from portfolio.models import Registration

MAY_SEE_MONEY = "portfolio.view_exposure"
EXPOSURE = "In units of the reporting currency. Null without the scope `read:exposure`."
CLASS = "1 to 5, or `unknown`."
COUNT_EXAMPLE = {"companies": 12, "exposure": "250000.00"}
HIGH_EXAMPLE = {"companies": 3, "exposure": "40000.00"}


class RiskParameters(Parameters):
    day = serializers.DateField(
        required=False,
        validators=[validate_day],
        help_text="A day in UTC: figures as of its end. Leave it out for the figures of today.",
    )
    since = serializers.DateField(
        required=False,
        validators=[validate_day],
        help_text="Return the movement since this earlier day. Without it, `movement` is null.",
    )
    score = OneOf(
        ["failure", "delinquency"], required=False, help_text="The score that movement is about. Default: failure."
    )
    registration = Several(
        child=serializers.CharField(), help_text="Count only companies in these registrations, by reference."
    )
    country = Several(child=CountryField(), help_text="Count only companies in these countries (ISO 3166-1).")
    industry_code = Several(child=serializers.CharField(), help_text="Count only companies with these industry codes.")
    tag = serializers.CharField(required=False, help_text="Count only companies with this tag today.")
    owner = serializers.CharField(required=False, help_text="Count only companies with this owner today.")

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        today = timezone.now().astimezone(UTC).date()
        day, since = values.get("day") or today, values.get("since")
        if day > today:
            raise serializers.ValidationError({"day": gettext("%(day)s is in the future.") % {"day": day}})
        if since and since >= day:
            raise serializers.ValidationError({"since": gettext("Must be earlier than %(day)s.") % {"day": day}})
        return values


class CountSerializer(serializers.Serializer[Any]):
    companies = serializers.IntegerField()
    exposure = serializers.CharField(allow_null=True, help_text=EXPOSURE)


class ValueSerializer(CountSerializer):
    value = serializers.CharField(help_text="As in the list's filters; `unknown` where D&B reports nothing.")
    label = serializers.CharField()  # type: ignore[assignment]  # the class's own is for forms


class MatrixSerializer(CountSerializer):
    failure_class = serializers.CharField(help_text=CLASS)
    delinquency_class = serializers.CharField(help_text=CLASS)


class MoveSerializer(CountSerializer):
    was = serializers.CharField(help_text=f"{CLASS} `none`: not in the portfolio on the first day.")
    now = serializers.CharField(help_text=f"{CLASS} `none`: not in the portfolio on the last day.")
    direction = serializers.ChoiceField(["worse", "better", "same", "unrated", "new", "gone"])


class PlaceSerializer(ValueSerializer):
    high_failure_risk = CountSerializer(
        allow_null=True, help_text="Those with failure score class 4 or 5. Null by rating and status."
    )


class LargestSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField()
    name = serializers.CharField(help_text="The D-U-N-S number where the name is unknown.")
    failure_class = serializers.CharField(help_text=CLASS)
    exposure = serializers.CharField(help_text="In units of the reporting currency.")
    share = serializers.FloatField(help_text="Of the exposure of all companies: 0 to 1.")


class ConcentrationSerializer(serializers.Serializer[Any]):
    by = serializers.CharField(help_text="The figure by which companies are grouped.")
    first = PlaceSerializer(many=True, help_text="The first ten, the largest first.")
    others = serializers.IntegerField(help_text="How many groups there are beyond the first ten.")
    rest = CountSerializer(help_text="The companies in those.")
    unknown = CountSerializer(help_text="The companies for which the figure is unknown.")
    share = serializers.FloatField(help_text="Of the first ten, in all: 0 to 1. By exposure, if any is shown.")


class LossSerializer(serializers.Serializer[Any]):
    amount = serializers.CharField(
        help_text="Default rate (D&B's incidence of default) times exposure, where both are known."
    )
    rated = CountSerializer(help_text="Companies with an exposure and a default rate.")
    unrated = CountSerializer(help_text="Companies with an exposure, but no default rate available.")
    without_exposure = serializers.IntegerField()


class UnconvertedSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    companies = serializers.IntegerField()
    amount = serializers.CharField()


class RiskSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    since = serializers.DateField(allow_null=True)
    score = serializers.CharField()
    currency = serializers.CharField(allow_null=True, help_text="The reporting currency. Null without exposure.")
    all = CountSerializer(help_text="Each company counted once.")
    high_failure_risk = CountSerializer(help_text="Failure score class 4 or 5.")
    without_data = CountSerializer(help_text="D&B has sent no baseline about them yet.")
    matrix = MatrixSerializer(many=True)
    failure_class = ValueSerializer(many=True)
    delinquency_class = ValueSerializer(many=True)
    flags = ValueSerializer(many=True, help_text="Risk flags of D&B. A company with several is in each.")
    movement = MoveSerializer(
        many=True, allow_null=True, help_text="Companies of both days, by their class on each. Null without `since`."
    )
    concentration = ConcentrationSerializer(many=True)
    largest = LargestSerializer(
        many=True,
        allow_null=True,
        help_text="The ten companies with the largest exposure. Null without the scope `read:exposure`.",
    )
    expected_loss = LossSerializer(allow_null=True, help_text="Null without the scope `read:exposure`.")
    unconverted = UnconvertedSerializer(many=True, help_text="Exposure without an exchange rate, not included above.")


EXAMPLE = {
    "day": "2026-03-31",
    "since": "2026-03-01",
    "score": "failure",
    "currency": "EUR",
    "all": {"companies": 1200, "exposure": "48000000.00"},
    "high_failure_risk": COUNT_EXAMPLE,
    "without_data": {"companies": 3, "exposure": "0.00"},
    "matrix": [{"failure_class": "5", "delinquency_class": "4", **COUNT_EXAMPLE}],
    "failure_class": [{"value": "5", "label": "Class 5, high risk", **COUNT_EXAMPLE}],
    "delinquency_class": [{"value": "unknown", "label": "Unknown", **COUNT_EXAMPLE}],
    "flags": [{"value": "bankruptcy", "label": "Bankruptcy", **COUNT_EXAMPLE}],
    "movement": [{"was": "3", "now": "5", "direction": "worse", **COUNT_EXAMPLE}],
    "concentration": [
        {
            "by": "country",
            "first": [{"value": "DE", "label": "Germany", **COUNT_EXAMPLE, "high_failure_risk": HIGH_EXAMPLE}],
            "others": 0,
            "rest": {"companies": 0, "exposure": "0.00"},
            "unknown": {"companies": 0, "exposure": "0.00"},
            "share": 1.0,
        }
    ],
    "largest": [
        {
            "duns": "804735132",
            "name": "Gorman Manufacturing Company, Inc.",
            "failure_class": "2",
            "exposure": "9600000.00",
            "share": 0.2,
        }
    ],
    "expected_loss": {
        "amount": "315000.00",
        "rated": COUNT_EXAMPLE,
        "unrated": COUNT_EXAMPLE,
        "without_exposure": 400,
    },
    "unconverted": [{"currency": "SEK", "companies": 2, "amount": "90000.00"}],
}


class PortfolioRisk(APIView):
    permissions = {"GET": "portfolio.view_company"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="portfolio_risk",
        tags=["companies"],
        summary="Get the portfolio's risk",
        parameters=[RiskParameters],
        responses=RiskSerializer,
        examples=[an_answer("A portfolio", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Companies and exposure on a day by score class, risk flag, country, industry, group, size, rating and
        status; with `since`, also their movement since that day."""
        from monitoring.portfolio_page.api_data import as_json
        from monitoring.portfolio_page.asked import asked_for
        from monitoring.portfolio_page.overview import overview_of

        found = RiskParameters.of(request)
        filters = _filters(found, request)
        asked = asked_for(found.get("day"), found.get("since"), found.get("score", ""), filters)
        overview = overview_of(asked, with_money=may_see_money(request))
        return Response(as_json(overview, with_movement="since" in found))


def may_see_money(request: Request) -> bool:
    key: Any = request.auth
    return key.allows(READ_EXPOSURE) if key else request.user.has_perm(MAY_SEE_MONEY)


def _filters(found: dict[str, Any], request: Request) -> Any:
    from monitoring.portfolio_page.filters import Filters
    from monitoring.portfolio_page.numbers import with_numbers

    values: dict[str, tuple[str, ...]] = {
        name: tuple(found[name]) for name in ("country", "industry_code") if name in found
    }
    values |= {name: (found[name],) for name in ("tag", "owner") if name in found}
    if "registration" in found:
        values["registration"] = tuple(_keys_of(found["registration"], request))
    return with_numbers(Filters(values), request.user)


def _keys_of(references: list[str], request: Request) -> list[str]:
    rows = Registration.objects.filter(reference__in=[text for text in references if is_clean(text)])
    known = dict(seen_by(request, rows).values_list("reference", "pk"))
    unknown = [reference for reference in references if reference not in known]
    if unknown:
        raise serializers.ValidationError({"registration": [UNKNOWN_REGISTRATION]})
    return [str(key) for key in known.values()]
