"""One company in the API."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolio.companies.parameters import DUNS_IN_PATH, company_or_404
from portfolio.companies.serializers import NAMED_COMPANY_EXAMPLE, NamedCompanySerializer, named_companies


class CompanyDetail(APIView):
    permissions = {"GET": "portfolio.view_company"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="company",
        tags=["companies"],
        summary="Get a company",
        parameters=[DUNS_IN_PATH],
        responses=NamedCompanySerializer,
        examples=[OpenApiExample("A company", NAMED_COMPANY_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, duns: str) -> Response:
        """A summary of the company as it is now. Its *profile* has the full document from D&B."""
        return Response(named_companies([company_or_404(request, duns)])[0])
