"""A company's profile in the API, now and as of a time."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parameters import END_OF_DAY, MomentField, Parameters
from core.json_text import dump_json
from monitoring.feed.serializers import (
    PROFILE_EXAMPLE,
    ProfileSerializer,
    an_example,
)
from monitoring.history import state
from monitoring.history.coverage import what_is_missing
from monitoring.retention.retention import note_for_company
from portfolio.companies.parameters import DUNS_IN_PATH, company_or_404


class ProfileParameters(Parameters):
    as_of = MomentField(
        upper=True,
        required=False,
        help_text="A date and time with time zone, or a date for the end of that day (UTC), today at the latest. "
        "Default: now.",
    )

    def validate_as_of(self, moment: datetime) -> datetime:
        """Today is a date whose end has not come yet."""
        now = timezone.now()
        if moment > datetime.combine(now.astimezone(UTC), END_OF_DAY, UTC):
            raise serializers.ValidationError(
                f"This is in the future. Enter today's date in UTC ({now.astimezone(UTC):%Y-%m-%d}) or an earlier one,"
                " or leave as_of out for the present profile."
            )
        return min(moment, now)


class CompanyProfile(APIView):
    permissions = {"GET": "portfolio.view_company"}

    @extend_schema(
        operation_id="company_profile",
        tags=["companies"],
        summary="Get the full profile of a company, now or as of a date",
        parameters=[DUNS_IN_PATH, ProfileParameters],
        responses=ProfileSerializer,
        examples=an_example("A profile", PROFILE_EXAMPLE),
    )
    def get(self, request: Request, duns: str) -> Response:
        """D&B's document with all known changes up to that time applied."""
        asked = ProfileParameters.of(request)
        company = company_or_404(duns)
        profile = state.profile(company.pk, as_of=asked.get("as_of"))
        as_of = asked.get("as_of")
        note = note_for_company(company.pk, as_of) or what_is_missing(company.pk, as_of, profile)
        status = profile.status
        return Response(
            ProfileSerializer(
                {
                    "duns": company.pk,
                    "as_of": asked.get("as_of") or timezone.now(),
                    "status": status.kind if status else None,
                    "status_since": status.moment if status else None,
                    "organization": dump_json(profile.document),
                    "mismatches": sorted(profile.mismatches),
                    "complete": not note,
                    "note": note,
                }
            ).data
        )
