"""What the API does with alerts beside that: snooze and assign them, and any action on many of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import Body
from core.api.examples import a_request, an_answer, who
from core.api.fields import Entries, OneOf
from core.api.parameters import MomentField
from core.api.scopes import ALERTS
from monitoring.alerts.actions import LONGEST, acknowledge, assign, reopen
from monitoring.alerts.api.alerts import (
    ALERT_EXAMPLE,
    KEY_IN_PATH,
    AlertSerializer,
    CloseSerializer,
    alerts_of,
    close_or_comment,
    done,
    read,
)
from monitoring.alerts.workflow.assignees import RIGHTS, assignable, why_not
from monitoring.alerts.workflow.snooze import CannotSnooze, end_of_snooze, snooze, wake
from monitoring.jobs import have_it_sent

MOST_AT_ONCE = 1_000


class SnoozeSerializer(Body):
    until = MomentField(required=False, help_text="When it returns: within the next 12 months.")
    wakes_if_worse = serializers.BooleanField(
        default=True,
        help_text="Whether the alert returns earlier if the situation gets worse. Required without `until`.",
    )
    comment = serializers.CharField(
        required=False, max_length=LONGEST, help_text="Why it is snoozed. Is added to the alert's comments."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            end_of_snooze(attrs.get("until"), wakes_if_worse=attrs["wakes_if_worse"])
        except CannotSnooze as error:
            raise serializers.ValidationError({"until": [str(error)]}) from error
        return attrs


class AssignSerializer(Body):
    assignee = serializers.CharField(
        allow_null=True, max_length=150, help_text="Username. Null to assign it to no one."
    )

    def validate_assignee(self, value: str | None) -> Any:
        person = assignable(self.context["actor"]).filter(username=value).first() if value else None
        if value and (person is None or not person.has_perms(RIGHTS)):
            raise serializers.ValidationError("No active user with this username may work on alerts.")
        return person


def _snooze(alerts: Sequence[uuid.UUID], *, by: str, wakes_if_worse: bool, until: Any = None, comment: str = "") -> int:
    return len(snooze(alerts, by=by, until=until, wakes_if_worse=wakes_if_worse, text=comment))


def _wake(alerts: Sequence[uuid.UUID], *, by: str) -> int:
    return len(wake(alerts, by=by))


def _assign(alerts: Sequence[uuid.UUID], *, by: str, assignee: Any) -> int:
    if assignee and (objection := why_not(assignee, alerts)):
        raise serializers.ValidationError({"assignee": [objection]})
    count = assign(alerts, to=assignee, by=by)
    have_it_sent()
    return count


# What each action reads, and what it does; it returns how many alerts it changed.
ACTIONS: Mapping[str, tuple[type[Body], Callable[..., int]]] = {
    "acknowledge": (Body, acknowledge),
    "assign": (AssignSerializer, _assign),
    "snooze": (SnoozeSerializer, _snooze),
    "wake": (Body, _wake),
    "close": (CloseSerializer, close_or_comment),
    "reopen": (Body, reopen),
}


class AlertSnooze(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="snooze_alert",
        tags=["alerts"],
        summary="Snooze an alert",
        parameters=[KEY_IN_PATH],
        request=SnoozeSerializer,
        responses=AlertSerializer,
        examples=[
            a_request(
                "Until a day, or until the situation gets worse", {"until": "2026-02-02", "comment": "Paid on Monday."}
            ),
            an_answer("Snoozed", {**ALERT_EXAMPLE, "snoozed_until": "2026-02-02T00:00:00Z", "wakes_if_worse": True}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Leaves an open alert out of the inbox for a while. Its state stays the same. Without `until`, it returns when
        the situation gets worse, after 12 months at the latest. Has no effect on a closed alert."""
        return done(request, id, _snooze, SnoozeSerializer)


class AlertWake(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="wake_alert",
        tags=["alerts"],
        summary="End the snooze for an alert",
        parameters=[KEY_IN_PATH],
        request=None,
        responses=AlertSerializer,
        examples=[an_answer("Back in the inbox", ALERT_EXAMPLE)],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Returns a snoozed alert to the inbox. Has no effect on other alerts."""
        return done(request, id, _wake)


class AlertAssign(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="assign_alert",
        tags=["alerts"],
        summary="Assign an alert",
        parameters=[KEY_IN_PATH],
        request=AssignSerializer,
        responses=AlertSerializer,
        examples=[
            a_request("To a user", {"assignee": "ann"}),
            an_answer("Assigned", {**ALERT_EXAMPLE, "assignee": "ann"}),
        ],
    )
    def post(self, request: Request, id: uuid.UUID) -> Response:
        """Assigns an alert to a user, who is notified, or to no one."""
        return done(request, id, _assign, AssignSerializer)


class BulkSerializer(Body):
    action = OneOf(
        [(name, name) for name in ACTIONS],
        help_text="What to do. The other fields are those of that action: for `close`, `reason` and `comment`.",
    )
    alerts = Entries(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_AT_ONCE, help_text="IDs of up to 1,000 alerts."
    )
    reason = serializers.CharField(required=False, help_text="For `close`.")
    comment = serializers.CharField(required=False, help_text="For `close` and `snooze`.")
    until = serializers.CharField(required=False, help_text="For `snooze`.")
    wakes_if_worse = serializers.BooleanField(required=False, help_text="For `snooze`.")
    assignee = serializers.CharField(required=False, allow_null=True, help_text="For `assign`.")


# The others are those of the action.
BULK = {"action", "alerts"}


class BulkDoneSerializer(serializers.Serializer[Any]):
    changed = serializers.IntegerField(help_text="Number of alerts that were changed.")
    unchanged = serializers.IntegerField(
        help_text="Number of alerts without an effect: they already had this state, or do not exist."
    )


class AlertBulk(APIView):
    scopes = {"POST": ALERTS}
    permissions = {"POST": "monitoring.acknowledge_alert"}
    by_unit = ("POST",)

    @extend_schema(
        operation_id="change_alerts",
        tags=["alerts"],
        summary="Change many alerts",
        request=BulkSerializer,
        responses=BulkDoneSerializer,
        examples=[
            a_request(
                "Not relevant",
                {"action": "close", "alerts": [ALERT_EXAMPLE["id"]], "reason": "noise", "comment": "A branch."},
            ),
            an_answer("Closed", {"changed": 1, "unchanged": 0}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Does the same to all of these alerts as the action does to one, and to no others."""
        given: Any = request.data
        asked = read(BulkSerializer, given)
        (form, act), keys = ACTIONS[asked["action"]], set(asked["alerts"])
        parameters = read(form, {name: given[name] for name in given.keys() - BULK}, request)
        known = list(alerts_of(request).filter(pk__in=keys).order_by("id").values_list("pk", flat=True))
        changed = act(known, by=who(request), **parameters)
        return Response({"changed": changed, "unchanged": len(keys) - changed})
