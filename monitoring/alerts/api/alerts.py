"""Alerts in the API: list, read, acknowledge, close and reopen them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer, who
from core.api.fields import OneOf
from core.api.pages import PageSerializer
from core.api.parameters import PageParameters, Several, read_moment
from core.api.scopes import ALERTS
from core.api.visibility import scope_for, seen_by
from core.lists.pagination import BadCursor, beyond, cut_in_parts, read_token, write_token
from monitoring.alerts.actions import LONGEST, acknowledge, close, comment_on, reopen
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.workflow.inbox import overdue, snoozed
from monitoring.feed.serializers import COMPANY_SHORT_EXAMPLE, SEVERITIES, CompanyShortSerializer, companies_of
from monitoring.models import Alert, AlertState, CloseReason, Severity
from portfolio.companies.parameters import DunsField
from portfolio.models import Company

KEY_IN_PATH = OpenApiParameter("id", uuid.UUID, OpenApiParameter.PATH, description="The alert's ID.")
ALERT_EXAMPLE = {
    "id": "019b95d1-4000-8c55-9d0a-2a4f4b0c9a11",
    "company": COMPANY_SHORT_EXAMPLE,
    "title": "Out of business",
    "severity": "critical",
    "state": "new",
    "rule": "Out of business",
    "reason": "The rule “Out of business” monitors dunsControlStatus.operatingStatus.",
    "changes": 1,
    "happened_at": "2026-01-07T01:23:13Z",
    "raised_at": "2026-01-08T11:06:48.402000Z",
    "acknowledged_by": "",
    "acknowledged_at": None,
    "closed_by": "",
    "closed_at": None,
    "close_reason": "",
    "snoozed_until": None,
    "wakes_if_worse": False,
    "snoozed_by": "",
    "due_at": "2026-01-09T11:06:48.402000Z",
    "escalated_at": None,
    "assignee": "",
    "reopened_because": "",
    "reversal": "",
}


class AlertSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Stays the same, even if D&B sends the same changes again.")
    company = CompanyShortSerializer(allow_null=True, help_text="Null if the alert covers several companies.")
    title = serializers.CharField(help_text="A short description of the first change.")
    severity = serializers.ChoiceField(SEVERITIES, help_text="The highest severity of its changes.")
    state = serializers.ChoiceField(AlertState.choices, help_text="Whether it is new, acknowledged or closed.")
    rule = serializers.CharField(help_text="Name of the rule that raised it.")
    reason = serializers.CharField(help_text="Reason for raising the alert.")
    changes = serializers.IntegerField(help_text="Number of changes it covers.")
    happened_at = serializers.DateTimeField(help_text="When the change happened, according to D&B.")
    raised_at = serializers.DateTimeField(help_text="When the rule raised it.")
    acknowledged_by = serializers.CharField(help_text="User or API key. Empty if not acknowledged.")
    acknowledged_at = serializers.DateTimeField(allow_null=True, help_text="Null if not acknowledged.")
    closed_by = serializers.CharField(help_text="User or API key. Empty if not closed.")
    closed_at = serializers.DateTimeField(allow_null=True, help_text="Null if not closed.")
    close_reason = serializers.ChoiceField(
        CloseReason.choices,
        allow_blank=True,
        help_text="Why it was closed. Empty if it is not closed, or no reason was given.",
    )
    snoozed_until = serializers.DateTimeField(
        allow_null=True,
        help_text="Until then it is not in the inbox. Null if it was not snoozed, or has returned early.",
    )
    wakes_if_worse = serializers.BooleanField(
        help_text="Whether the alert returns earlier if the situation gets worse."
    )
    snoozed_by = serializers.CharField(help_text="User or API key. Empty if it was not snoozed.")
    due_at = serializers.DateTimeField(
        allow_null=True, help_text="Time by which the alert is to be closed. Null if it is never due."
    )
    escalated_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was assigned to a second user because it was overdue. Null if it was not."
    )
    assignee = serializers.CharField(help_text="Username. Empty if it is assigned to no one.")
    reopened_because = serializers.CharField(
        help_text="Why D&B Monitoring reopened it after it was acknowledged or snoozed. Empty if it did not."
    )
    reversal = serializers.CharField(help_text="How the change was reversed later. Empty if it was not.")


class CloseSerializer(Body):
    reason = OneOf(CloseReason.choices, help_text="Why it is closed.")
    comment = serializers.CharField(
        max_length=LONGEST,
        help_text="A sentence about it. Is added to the alert's comments, whether or not it was open.",
    )


class AlertsSerializer(PageSerializer):
    results = AlertSerializer(many=True)


class AlertParameters(PageParameters):
    state = Several(
        child=OneOf(AlertState.choices),
        help_text="Return only alerts in these states. Open alerts are `new,acknowledged`.",
    )
    severity = OneOf(SEVERITIES, required=False, help_text="Return only alerts of this severity or higher.")
    snoozed = serializers.BooleanField(
        required=False, help_text="Return only alerts that are snoozed at the moment, or only alerts that are not."
    )
    overdue = serializers.BooleanField(
        required=False, help_text="Return only alerts that are overdue, or only alerts that are not."
    )
    company = Several(child=DunsField(), help_text="Return only alerts of these companies: up to 200 D-U-N-S numbers.")


def serialized(alerts: Sequence[Alert], request: Request) -> Any:
    as_seen_by(scope_for(request), alerts)
    companies = companies_of(alert.company_id for alert in alerts if alert.company_id)
    people = usernames_of(alert.assignee_id for alert in alerts if alert.assignee_id)
    return AlertSerializer([_item(alert, companies, people) for alert in alerts], many=True).data


def usernames_of(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    needed = set(keys)
    return dict(get_user_model().objects.filter(pk__in=needed).values_list("pk", "username")) if needed else {}


def _item(alert: Alert, companies: dict[str, Company], people: dict[uuid.UUID, str]) -> dict[str, Any]:
    same = ("title", "state", "reason", "happened_at", "raised_at", "reversal", "due_at", "escalated_at")
    handled = ("acknowledged_by", "acknowledged_at", "closed_by", "closed_at", "close_reason", "reopened_because")
    asleep = ("snoozed_until", "snoozed_by", "wakes_if_worse")
    return {
        "id": alert.pk,
        "company": companies.get(alert.company_id) if alert.company_id else None,
        "severity": Severity(alert.severity).name.lower(),
        "rule": alert.rule_name,
        "changes": alert.fact_count,
        "assignee": people.get(alert.assignee_id, "") if alert.assignee_id else "",
        **{name: getattr(alert, name) for name in (*same, *handled, *asleep)},
    }


class AlertList(APIView):
    scopes = {"GET": ALERTS}
    permissions = {"GET": "monitoring.view_alert"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="alerts",
        tags=["alerts"],
        summary="List alerts, latest first",
        parameters=[AlertParameters],
        responses=AlertsSerializer,
        examples=[an_answer("A page", {"results": [ALERT_EXAMPLE], "next": None})],
    )
    def get(self, request: Request) -> Response:
        """Alerts that your rules raised. To be notified immediately, subscribe a webhook to `alert.raised`."""
        asked = AlertParameters.of(request)
        rows = alerts_of(request).order_by("-raised_at", "-id")
        for name in ("state", "company"):
            if name in asked:
                rows = rows.filter(**{f"{name}__in": sorted(set(asked[name]))})
        if "severity" in asked:
            rows = rows.filter(severity__gte=Severity[asked["severity"].upper()])
        for name, condition in (("snoozed", snoozed()), ("overdue", overdue())):
            if name in asked:
                rows = rows.filter(condition) if asked[name] else rows.exclude(condition)
        if "after" in asked:
            rows = beyond(rows, ("raised_at", "id"), _place(asked["after"]), newest_first=True)
        found, has_more = cut_in_parts(rows, asked["limit"])
        token = write_token([found[-1].raised_at.isoformat(), found[-1].pk.hex]) if has_more else None
        return Response({"results": serialized(found, request), "next": token})


def _place(cursor: str) -> tuple[datetime, uuid.UUID]:
    try:
        moment, key = read_token(cursor)
        return read_moment(moment), uuid.UUID(key)
    except ValueError as error:
        raise BadCursor from error


def alerts_of(request: Request) -> QuerySet[Alert]:
    """Those that the caller may see."""
    return seen_by(request, Alert.objects.all())


def alert_or_404(request: Request, key: uuid.UUID) -> Alert:
    alert = alerts_of(request).filter(pk=key).first()
    if alert is None:
        raise Http404("This alert does not exist.")
    return alert


class AlertDetail(APIView):
    scopes = {"GET": ALERTS}
    permissions = {"GET": "monitoring.view_alert"}
    by_unit = ("GET",)

    @extend_schema(
        operation_id="alert",
        tags=["alerts"],
        summary="Get an alert",
        parameters=[KEY_IN_PATH],
        responses=AlertSerializer,
        examples=[an_answer("An alert", ALERT_EXAMPLE)],
    )
    def get(self, request: Request, id: uuid.UUID) -> Response:
        """The current state of an alert."""
        return Response(serialized([alert_or_404(request, id)], request)[0])


def done(request: Request, key: uuid.UUID, act: Callable[..., object], form: type[Body] = Body) -> Response:
    """By default, an action that needs no more than the alert."""
    act([alert_or_404(request, key).pk], by=who(request), **read(form, request.data, request))
    return Response(serialized([alert_or_404(request, key)], request)[0])


def read(form: type[Body], data: Any, request: Request | None = None) -> dict[str, Any]:
    asked = form(data=data, context={"actor": scope_for(request)} if request else {})
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


class AlertAcknowledge(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="acknowledge_alert",
        tags=["alerts"],
        summary="Acknowledge an alert",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=AlertSerializer,
        examples=[an_answer("Acknowledged", {**ALERT_EXAMPLE, "state": "acknowledged", "acknowledged_by": "ann"})],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Marks a new alert as being handled. Has no effect on an alert that is acknowledged or closed."""
        return done(request, id, acknowledge)


class AlertClose(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="close_alert",
        tags=["alerts"],
        summary="Close an alert",
        parameters=[KEY_IN_PATH],
        request=CloseSerializer,
        responses=AlertSerializer,
        examples=[
            a_request("Not relevant", {"reason": "noise", "comment": "A branch, not our supplier."}),
            an_answer("Closed", {**ALERT_EXAMPLE, "state": "closed", "closed_by": "ann", "close_reason": "noise"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Marks an alert as done. A closed alert keeps its reason."""
        return done(request, id, close_or_comment, CloseSerializer)


def close_or_comment(alerts: Sequence[uuid.UUID], *, by: str, reason: str, comment: str) -> int:
    """Also on those that are closed already, it is written what was found."""
    closed = close(alerts, by=by, reason=reason, text=comment)
    comment_on([key for key in alerts if key not in set(closed)], by=by, text=comment)
    return len(closed)


class AlertReopen(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="reopen_alert",
        tags=["alerts"],
        summary="Reopen an alert",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=AlertSerializer,
        examples=[an_answer("Reopened", ALERT_EXAMPLE)],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Makes an acknowledged or closed alert new again. Has no effect on a new alert."""
        return done(request, id, reopen)
