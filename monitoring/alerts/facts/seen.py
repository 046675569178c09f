"""Alerts as a business unit sees them: with those of their facts that its registrations reported.

An alert may combine facts that several registrations reported. Nothing of what is shown instead is saved.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from core.visibility import Scope, scope_of, visible_to
from monitoring.models import Alert, AlertComment, AlertItem, AlertKind, Change


def as_seen_by(actor: Any, alerts: Sequence[Alert]) -> None:
    """Title, reason and number of facts, where not all of them are for this reader, nor what has reversed them."""
    scope = scope_of(actor)
    if scope.sees_all:
        return
    _show_reasons(scope, alerts)
    _hide_reversals(scope, alerts)
    shared = [alert for alert in alerts if alert.audience]
    if not shared:
        return
    rows = AlertItem.objects.filter(alert__in=[alert.pk for alert in shared])
    by_alert: dict[uuid.UUID, list[AlertItem]] = defaultdict(list)
    for item in visible_to(scope, rows).order_by("sequence", "id"):
        by_alert[item.alert_id].append(item)
    for alert in shared:
        _show(alert, by_alert[alert.pk])
        if alert.kind == AlertKind.BASELINE and alert.registration_id not in scope.registrations:
            # Which companies were added to what is for those who see the registration.
            alert.title, alert.total = alert.rule_name, len({item.company for item in by_alert[alert.pk]})


def comments_seen_by(actor: Any, alerts: Sequence[Alert]) -> list[AlertComment]:
    """Without those that say what another unit's registration reported; in the order of their making."""
    scope = scope_of(actor)
    rows = AlertComment.objects.filter(alert__in=[alert.pk for alert in alerts]).order_by("id")
    found = list(rows) if alerts else []
    if scope.sees_all:
        return found
    seen = _seen(scope, {comment.change for comment in found if comment.change})
    return [comment for comment in found if comment.change is None or comment.change in seen]


def _show_reasons(scope: Scope, alerts: Sequence[Alert]) -> None:
    """Why they are open again, where that is for this reader."""
    seen = _seen(scope, {alert.worse_by for alert in alerts if alert.reopened_because and alert.worse_by})
    for alert in alerts:
        if alert.worse_by not in seen:
            alert.reopened_because = ""


def _seen(scope: Scope, changes: set[uuid.UUID]) -> set[uuid.UUID]:
    rows = visible_to(scope, Change.objects.filter(pk__in=sorted(changes)))
    return set(rows.values_list("pk", flat=True)) if changes else set()


def _hide_reversals(scope: Scope, alerts: Sequence[Alert]) -> None:
    """By a change that only others were notified of."""
    seen = _seen(scope, {alert.reversed_by for alert in alerts if alert.reversed_by})
    for alert in alerts:
        if alert.reversed_by and alert.reversed_by not in seen:
            alert.reversal, alert.reversed_at = "", None


def _show(alert: Alert, items: Sequence[AlertItem]) -> None:
    if alert.company_id and items and alert.title not in {item.text for item in items}:
        alert.title, alert.reason = items[0].text, items[0].rule_name
        alert.happened_at, alert.reversal = items[0].changed_at, ""
    elif not items:
        alert.title, alert.reason, alert.reversal = alert.rule_name, "", ""
    alert.fact_count = len(items)
