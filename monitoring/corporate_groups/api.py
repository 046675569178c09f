"""Corporate groups in the API: what the page of a group shows."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer
from core.api.visibility import scope_for
from direct_plus.duns import InvalidDuns, normalise_duns
from monitoring.corporate_groups.view_data import GroupPage, Row, group_page, head_of
from monitoring.portfolio_page.api import may_see_money
from portfolio.companies.parameters import DUNS_IN_PATH
from portfolio.companies.serializers import COMPANY_EXAMPLE, CompanySerializer
from portfolio.exposure.money import exact_text
from portfolio.exposure.rates import exposure_settings

UNKNOWN_GROUP = "No company of this group is known."
EXPOSURE = "In units of the reporting currency. Null without the scope `read:exposure`, and where none is known."


class MemberSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    name = serializers.CharField(help_text="Name, or the D-U-N-S number if no name is known.")
    depth = serializers.IntegerField(help_text="Levels below the head of the group, which has 0.")
    monitored = serializers.BooleanField(help_text="Whether it is in your portfolio.")
    company = CompanySerializer(allow_null=True, help_text="Null for an owner that was never in your portfolio.")
    exposure = serializers.CharField(allow_null=True, help_text=EXPOSURE)


class GroupSerializer(serializers.Serializer[Any]):
    duns = serializers.CharField(help_text="D-U-N-S number of the global ultimate.")
    name = serializers.CharField(help_text="Name, or the D-U-N-S number if no name is known.")
    monitored = serializers.IntegerField(help_text="Number of its companies in your portfolio.")
    countries = serializers.IntegerField(help_text="Number of countries of those.")
    high_failure_risk = serializers.IntegerField(help_text="Those with failure score class 4 or 5.")
    currency = serializers.CharField(allow_null=True, help_text="The reporting currency. Null without exposure.")
    exposure = serializers.CharField(allow_null=True, help_text=EXPOSURE)
    unconverted = serializers.IntegerField(
        allow_null=True, help_text="Companies with amounts without an exchange rate, which are not included."
    )
    complete = serializers.BooleanField(
        help_text="False if the group has more than 1,000 companies here. `companies` has the first 1,000 of them; the"
        " numbers count all."
    )
    companies = MemberSerializer(many=True, help_text="As a tree: below each company those that it owns.")


EXAMPLE = {
    "duns": "804735132",
    "name": "Gorman Manufacturing Company, Inc.",
    "monitored": 1,
    "countries": 1,
    "high_failure_risk": 0,
    "currency": "EUR",
    "exposure": "250000.00",
    "unconverted": 0,
    "complete": True,
    "companies": [
        {
            "duns": "804735132",
            "name": "Gorman Manufacturing Company, Inc.",
            "depth": 0,
            "monitored": True,
            "company": COMPANY_EXAMPLE,
            "exposure": "250000.00",
        }
    ],
}


class GroupDetail(APIView):
    permissions = {"GET": "portfolio.view_company"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="group",
        tags=["companies"],
        summary="Get a corporate group",
        parameters=[DUNS_IN_PATH],
        responses=GroupSerializer,
        examples=[an_answer("A group", EXAMPLE)],
    )
    def get(self, request: Request, duns: str) -> Response:
        """The group of a company: its companies here as a tree, with their figures and your exposure."""
        try:
            number = normalise_duns(duns)
        except InvalidDuns as error:
            raise Http404(UNKNOWN_GROUP) from error
        scope = scope_for(request)
        group = group_page(head_of(number, scope), scope)
        if group is None:
            raise Http404(UNKNOWN_GROUP)
        return Response(_as_json(group, with_money=may_see_money(request)))


def _as_json(group: GroupPage, *, with_money: bool) -> dict[str, Any]:
    return {
        "duns": group.top,
        "name": group.name,
        "monitored": len(group.monitored),
        "countries": group.countries,
        "high_failure_risk": group.high_failure_risk,
        "currency": exposure_settings().reporting_currency if with_money else None,
        "exposure": _amount(group.exposure, with_money),
        "unconverted": group.unconverted if with_money else None,
        "complete": not group.has_more,
        "companies": [_member(row, with_money) for row in group.rows],
    }


def _member(row: Row, with_money: bool) -> dict[str, Any]:
    company = row.company
    return {
        "duns": row.node.duns,
        "name": row.name,
        "depth": row.node.depth,
        "monitored": row.is_monitored,
        "company": CompanySerializer(company).data if company else None,
        "exposure": _amount(company.exposure if company else None, with_money),
    }


def _amount(cents: int | None, with_money: bool) -> str | None:
    return exact_text(cents) if with_money and cents is not None else None
