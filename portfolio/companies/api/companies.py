"""Companies for other programs: which there are, page by page, and one of them."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portfolio.companies.parameters import DUNS_IN_PATH, company_or_404
from portfolio.companies.serializers import COMPANY_EXAMPLE, CompanySerializer


class CompanyDetail(APIView):
    permissions = {"GET": "portfolio.view_company"}

    @extend_schema(
        operation_id="company",
        tags=["companies"],
        summary="One company as it is now",
        parameters=[DUNS_IN_PATH],
        responses=CompanySerializer,
        examples=[OpenApiExample("A company", COMPANY_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, duns: str) -> Response:
        """The columns that lists show. The whole document D&B sent is the company's *profile*."""
        return Response(CompanySerializer(company_or_404(duns)).data)
