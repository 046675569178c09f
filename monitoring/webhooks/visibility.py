"""Which events a webhook of a business unit is sent: decided when they are queued, and again when they are sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.visibility import Scope, visible_to
from monitoring.models import WEBHOOK_TEST, Alert, Change, OutboxMessage, WebhookEndpoint
from monitoring.webhooks.event_types import CHANGE_PUBLISHED
from portfolio.models import Registration
from portfolio.visibility import scope_of_unit

ALERT_RAISED = "alert.raised"
Said = tuple[str, Mapping[str, Any]]


def scope_of_endpoint(endpoint: WebhookEndpoint) -> Scope:
    return scope_of_unit(endpoint.unit_id)


def may_be_sent(endpoint: WebhookEndpoint, message: OutboxMessage) -> bool:
    scope = scope_of_endpoint(endpoint)
    if scope.sees_all or message.event_type == WEBHOOK_TEST:
        return True
    return visible_among(scope, [(message.event_type, json.loads(message.payload)["data"])]) == [True]


def visible_among(scope: Scope, said: Sequence[Said]) -> list[bool]:
    """Of each event, by its type and data. Whatever is not known to be visible is not."""
    alerts = _visible_keys(scope, Alert, (data["id"] for name, data in said if name == ALERT_RAISED))
    changes = _visible_keys(scope, Change, (data["id"] for name, data in said if name == CHANGE_PUBLISHED))
    references = set(visible_to(scope, Registration.objects.all()).values_list("reference", flat=True))
    return [_is_visible(name, data, alerts, changes, references) for name, data in said]


def _is_visible(name: str, data: Mapping[str, Any], alerts: set[str], changes: set[str], references: set[str]) -> bool:
    if name == ALERT_RAISED:
        return str(data["id"]) in alerts
    is_reported = data.get("registration") in references
    return is_reported and (name != CHANGE_PUBLISHED or str(data["id"]) in changes)


def _visible_keys(scope: Scope, model: Any, keys: Iterable[Any]) -> set[str]:
    asked = [uuid.UUID(str(key)) for key in keys]
    rows = visible_to(scope, model.objects.filter(pk__in=asked)).values_list("pk", flat=True) if asked else ()
    return set(map(str, rows))
