"""Overdue alerts go to a second person: the one that their rule names, else the default of their severity, once.

The person is notified as of any other assignment, from the alert's row, so that a process that is killed in between
notifies later.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import person_text
from core.audit import record
from monitoring.alerts.actions import comment
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.alerts.workflow.inbox import overdue
from monitoring.models import Alert, AlertRule, ResponseTime

AT_ONCE = 200
# Of a rule or a severity: the second person.
Seconds = Mapping[Any, uuid.UUID]


def escalate_overdue() -> int:
    """Returns how many alerts were."""
    rules, severities = _seconds(AlertRule.objects.all(), "pk"), _seconds(ResponseTime.objects.all(), "severity")
    if not rules and not severities:
        return 0
    has_second = Q(rule__in=list(rules)) | Q(severity__in=list(severities))
    rows = Alert.objects.filter(overdue(), has_second, escalated_at=None).order_by("due_at", "id")
    alerts = list(rows[:AT_ONCE])
    people = get_user_model().objects.in_bulk({*rules.values(), *severities.values()}) if alerts else {}
    return sum(_escalate(alert, _usable(alert, rules, severities, people)) for alert in alerts)


def _seconds(rows: Any, column: str) -> Seconds:
    return dict(rows.exclude(escalate_to=None).values_list(column, "escalate_to"))


def _usable(alert: Alert, rules: Seconds, severities: Seconds, people: Mapping[uuid.UUID, Any]) -> Any:
    """Somebody who is still there and may see alerts; None where nobody is."""
    named = (rules.get(alert.rule_id), severities.get(alert.severity))
    found: Iterable[Any] = (people.get(key) for key in named if key)
    return next((one for one in found if one and one.is_active and one.has_perm("monitoring.view_alert")), None)


def _escalate(alert: Alert, second: Any) -> bool:
    """Also where nobody is left to receive it, or has it already: it is noted once, and not tried again."""
    before, now = alert.assignee_id, timezone.now()
    is_given = second is not None and second.pk != before
    given = {"assignee": second, "assigned_by": PROGRAM, "assigned_at": now} if is_given else {}
    rows = Alert.objects.filter(overdue(now), pk=alert.pk, escalated_at=None, assignee=before)
    if not rows.update(escalated_at=now, **given):
        return False
    text = _text(second, is_given)
    comment(alert.pk, by=PROGRAM, text=text)
    summary = gettext("Alert escalated: %(title)s") % {"title": alert.title}
    record(actor=PROGRAM, action="alert.escalate", thing=alert, summary=summary, after={"comment": text})
    count_own_alerts({key for key in (before, second.pk if is_given else None) if key})
    return True


def _text(second: Any, is_given: bool) -> str:
    if second is None:
        return gettext("Overdue. Not escalated, because no user who is named for it may view alerts.")
    words = gettext("Overdue. Escalated to %(person)s.") if is_given else gettext("Overdue. %(person)s has it already.")
    return words % {"person": person_text(second)}
