"""The dossier of a company in the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.examples import an_answer, who
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters
from core.dates import validate_day
from core.lists.pagination import BadCursor, read_token, write_token
from monitoring.dossier.dossier import Dossier, dossier_of, record_reading
from monitoring.dossier.lines import Line, Topic
from monitoring.dossier.reader import Part, reader_of_key, reader_of_user
from monitoring.dossier.span import USUAL_DAYS, Span
from monitoring.models import Severity
from portfolio.companies.parameters import DUNS_IN_PATH, company_or_404

SEVERITIES = [severity.name.lower() for severity in Severity]


class DossierParameters(PageParameters):
    since = serializers.DateField(
        required=False, validators=[validate_day], help_text="First day, in UTC. Default: a year before the last day."
    )
    until = serializers.DateField(
        required=False, validators=[validate_day], help_text="Last day, in UTC. Default: today."
    )

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        today = timezone.now().astimezone(UTC).date()
        last = min(values.get("until") or today, today)
        first = values.get("since") or last - timedelta(days=USUAL_DAYS)
        if first > last:
            raise serializers.ValidationError({"since": gettext("Must not be later than %(day)s.") % {"day": last}})
        return {**values, "span": Span(first, last)}


class FigureSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the class's own is for forms
    before = serializers.CharField(help_text="Before the first day. Empty if unknown.")
    after = serializers.CharField(help_text="At the end of the last day. Empty if unknown.")


class DetailSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # the class's own is for forms
    value = serializers.CharField(help_text="A text, or a time in UTC.")


class SourceSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="Such as `notification`, `delivery`, `alert`, `outboxmessage`, `decision`.")
    id = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of a response or file from D&B. Empty for other sources.")


class LineSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="When it happened. A change may have happened before `since`.")
    day_only = serializers.BooleanField(help_text="True if only the day is known.")
    topic = serializers.ChoiceField(Topic.values)
    text = serializers.CharField()
    who = serializers.CharField(help_text="User, API key or import. Empty for D&B and for automatic work.")
    severity = serializers.ChoiceField(SEVERITIES, allow_null=True, help_text="Of changes and alerts.")
    minor = serializers.BooleanField(help_text="True for minor lines, which the page collapses.")
    details = DetailSerializer(many=True)
    sources = SourceSerializer(many=True)


class DossierSerializer(PageSerializer):
    duns = serializers.CharField(help_text="D-U-N-S number.")
    since = serializers.DateField()
    until = serializers.DateField()
    figures = FigureSerializer(many=True, help_text="Figures of the company at one of the two times.")
    count = serializers.IntegerField(help_text="Number of lines on all pages.")
    left_out = serializers.ListField(
        child=serializers.ChoiceField(Part.values), help_text="Parts that the key's scopes do not include."
    )
    limits = serializers.ListField(child=serializers.CharField(), help_text="Other data that is not included.")
    lines = LineSerializer(many=True, help_text="The earliest first.")


EXAMPLE = {
    "duns": "804735132",
    "since": "2025-03-31",
    "until": "2026-03-31",
    "figures": [{"name": "failure_class", "label": "Failure score class", "before": "2", "after": "5"}],
    "count": 1,
    "left_out": ["messages"],
    "limits": [],
    "lines": [
        {
            "at": "2026-01-07T02:34:56Z",
            "day_only": False,
            "topic": "change",
            "text": "Operating status Active → Out of business",
            "who": "",
            "severity": "critical",
            "minor": False,
            "details": [{"label": "Received", "value": "2026-01-08T11:06:48Z"}],
            "sources": [{"kind": "change", "id": "019b95d1-5000-7c55-9d0a-2a4f4b0c9a11", "sha256": ""}],
        }
    ],
    "next": None,
}


class DossierDetail(APIView):
    permissions = {"GET": "portfolio.view_company"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="dossier",
        tags=["companies"],
        summary="Get a company's dossier",
        parameters=[DUNS_IN_PATH, DossierParameters],
        responses=DossierSerializer,
        examples=[an_answer("A dossier", EXAMPLE)],
    )
    def get(self, request: Request, duns: str) -> Response:
        """What happened between two days, in the order of time: changes, alerts and messages about them, notes,
        exposure, decisions. Each line names its sources. Reading it is recorded in the audit log.

        Alerts and messages need the scope `alerts`, exposure needs `read:exposure`, decisions need
        `read:decisions`, data fetches need `fetch`."""
        asked = DossierParameters.of(request)
        reader = reader_of_key(request.auth) if request.auth else reader_of_user(request.user)
        with timezone.override(UTC):
            dossier = dossier_of(company_or_404(request, duns), asked["span"], reader)
            record_reading(dossier, by=who(request), how="API")
            return Response(_as_json(dossier, *_page(dossier.lines, asked.get("after", ""), asked["limit"])))


def _page(lines: Sequence[Line], after: str, limit: int) -> tuple[Sequence[Line], str | None]:
    """Behind the line that the cursor names, however many have come before it since."""
    place = _place(after) if after else None
    rest = [line for line in lines if place is None or _order(line) > place]
    return rest[:limit], write_token(_order(rest[limit - 1])) if len(rest) > limit else None


def _order(line: Line) -> list[str]:
    """As `Line.order`, in texts of equal length but for the last."""
    moment, rank, key = line.order
    return [moment.astimezone(UTC).isoformat(timespec="microseconds"), f"{rank:02}", key]


def _place(after: str) -> list[str]:
    try:
        moment, rank, key = read_token(after)
    except ValueError as error:
        raise BadCursor from error
    return [moment, rank, key]


def _as_json(dossier: Dossier, lines: Sequence[Line], after: str | None) -> dict[str, Any]:
    return {
        "duns": dossier.company.duns,
        "since": dossier.span.first,
        "until": dossier.span.last,
        "figures": FigureSerializer(dossier.figures, many=True).data,
        "count": len(dossier.lines),
        "left_out": [part.value for part in dossier.left_out],
        "limits": dossier.limits,
        "lines": [_line(line) for line in lines],
        "next": after,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "at": line.at.astimezone(UTC),
        "day_only": line.is_day,
        "topic": line.topic.value,
        "text": line.text,
        "who": line.who,
        "severity": line.tone or None,
        "minor": line.is_minor,
        "details": [{"label": label, "value": _value(value)} for label, value in line.details],
        "sources": [{"kind": one.kind, "id": one.key, "sha256": one.sha256} for one in line.sources],
    }


def _value(value: str | datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
