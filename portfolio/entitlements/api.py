"""What the contracts' keys may use, in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer
from core.api.parameters import Parameters
from direct_plus.entitlements import Entitled
from portfolio.entitlements.rights import days_left, known_entitlements, rights_in
from portfolio.models import Contract, Entitlements

EXAMPLE = {
    "contract": "default",
    "contract_type": "Subscription",
    "ends_on": "2027-03-31",
    "days_left": 180,
    "fetched_at": "2026-01-07T02:00:00Z",
    "error": "",
    "data_blocks": [
        {
            "id": "companyinfo_L2_v1",
            "name": "companyinfo",
            "level": "L2",
            "version": "v1",
            "monitorable": True,
            "ends_on": None,
        }
    ],
    "products": [],
}


class EntitledSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="As D&B's calls name it.")
    name = serializers.CharField()
    level = serializers.CharField(help_text="Empty if D&B states none.")
    version = serializers.CharField(help_text="Empty if D&B states none.")
    monitorable = serializers.BooleanField(allow_null=True, help_text="Null if D&B does not state it.")
    ends_on = serializers.DateField(allow_null=True, help_text="Null if D&B states no day.")


class ContractEntitlementsSerializer(serializers.Serializer[Any]):
    contract = serializers.CharField(help_text="Name of the contract.")
    contract_type = serializers.CharField(help_text="Empty if D&B states none.")
    ends_on = serializers.DateField(allow_null=True, help_text="When D&B's contract ends. Null if unknown.")
    days_left = serializers.IntegerField(
        allow_null=True, help_text="Days until the contract ends, negative after it. Null if unknown."
    )
    fetched_at = serializers.DateTimeField(allow_null=True, help_text="When D&B was asked. Null if never.")
    error = serializers.CharField(help_text="Reason for the failure of the last attempt. Otherwise empty.")
    data_blocks = EntitledSerializer(many=True)
    products = EntitledSerializer(many=True)


class EntitlementsSerializer(serializers.Serializer[Any]):
    results = ContractEntitlementsSerializer(many=True)


class EntitlementList(APIView):
    permissions = {"GET": "portfolio.view_entitlements"}

    @extend_schema(
        operation_id="entitlements",
        tags=["calls"],
        summary="List entitlements",
        responses=EntitlementsSerializer,
        examples=[an_answer("One contract", {"results": [EXAMPLE]})],
    )
    def get(self, request: Request) -> Response:
        """What D&B permits with the key of each contract, as D&B stated last. It is updated every night."""
        Parameters.of(request)
        found = [_as_json(contract, row) for contract, row in known_entitlements()]
        return Response(EntitlementsSerializer({"results": found}).data)


def _as_json(contract: Contract, row: Entitlements) -> dict[str, Any]:
    rights = rights_in(row.answer)
    return {
        "contract": contract.name,
        "contract_type": rights.contract_type,
        "ends_on": rights.expires,
        "days_left": days_left(rights),
        "fetched_at": row.fetched_at,
        "error": row.error,
        "data_blocks": list(map(_entitled, rights.blocks)),
        "products": list(map(_entitled, rights.products)),
    }


def _entitled(item: Entitled) -> dict[str, Any]:
    return {
        **{"id": item.id, "name": item.name, "level": item.level, "version": item.version},
        **{"monitorable": item.is_monitorable, "ends_on": item.expires},
    }
