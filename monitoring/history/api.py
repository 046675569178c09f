"""A company's profile in the API, now and as of a time."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.parameters import END_OF_DAY, MomentField, Parameters
from core.api.visibility import scope_for, seen_by
from core.json_text import dump_json
from monitoring.feed.serializers import (
    PROFILE_EXAMPLE,
    ProfileSerializer,
    an_example,
)
from monitoring.history.checkpoints import known_at
from monitoring.history.coverage import what_is_missing
from monitoring.models import Change
from monitoring.retention.retention import note_for_company
from portfolio.companies.parameters import DUNS_IN_PATH, company_once_held


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
    by_unit = ("GET",)

    @extend_schema(
        operation_id="company_profile",
        tags=["companies"],
        summary="Get the full profile of a company, now or as of a date",
        parameters=[DUNS_IN_PATH, ProfileParameters],
        responses=ProfileSerializer,
        examples=an_example("A profile", PROFILE_EXAMPLE),
    )
    def get(self, request: Request, duns: str) -> Response:
        """D&B's document with all known changes up to that time applied.

        Of a company that is in none of your registrations any more: up to its last day there.
        """
        asked = ProfileParameters.of(request)
        company, last_day = company_once_held(request, duns)
        as_of = _as_of(asked.get("as_of"), last_day)
        (known,) = known_at(company.pk, as_of)
        note = note_for_company(company.pk, as_of) or what_is_missing(company.pk, as_of, known)
        profile = known.state
        status = profile.status
        return Response(
            ProfileSerializer(
                {
                    "duns": company.pk,
                    "as_of": as_of or timezone.now(),
                    "status": status.kind if status else None,
                    "status_since": status.moment if status else None,
                    "organization": dump_json(profile.document),
                    "mismatches": _seen_mismatches(request, profile.mismatches),
                    "complete": not note,
                    "note": note,
                }
            ).data
        )


def _as_of(asked: datetime | None, last_day: date | None) -> datetime | None:
    """Not after the last day, where there is one."""
    if last_day is None:
        return asked
    end = datetime.combine(last_day, END_OF_DAY, UTC)
    return min(asked, end) if asked else end


def _seen_mismatches(request: Request, keys: Collection[uuid.UUID]) -> list[uuid.UUID]:
    if not keys or scope_for(request).sees_all:
        return sorted(keys)
    return sorted(seen_by(request, Change.objects.filter(pk__in=list(keys))).values_list("pk", flat=True))
