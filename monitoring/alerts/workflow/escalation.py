"""Overdue alerts go to a second person: the one that their rule names, else the default of their severity, once.

The person is notified as of any other assignment, from the alert's row, and the comment and the audit entry are written
from it too: what a process that is killed leaves out, the next run writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core.actors import person_text
from core.audit import entry_of, record_once
from core.db import insert_new
from core.ids import time_first_key
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.alerts.workflow.assignees import may_receive
from monitoring.alerts.workflow.inbox import overdue
from monitoring.models import Alert, AlertComment, AlertRule, ResponseTime

AT_ONCE = 200
NOTED_FOR = timedelta(hours=1)
# Of a rule or a severity: the second person.
Seconds = Mapping[Any, uuid.UUID]


def escalate_overdue() -> int:
    """Returns how many alerts were."""
    rules, severities = _seconds(AlertRule.objects.all(), "pk"), _seconds(ResponseTime.objects.all(), "severity")
    if not rules and not severities:
        return 0
    has_second = Q(rule__in=list(rules)) | Q(severity__in=list(severities))
    rows = Alert.objects.filter(overdue(), has_second, escalated_at=None).order_by("due_at", "id")
    alerts, now = list(rows[:AT_ONCE]), timezone.now()
    # Before those of this run, so that what was not noted is not noted as of another one.
    noted = list(Alert.objects.filter(overdue(), has_second, escalated_at__gte=now - NOTED_FOR).order_by("id"))
    people = get_user_model().objects.in_bulk({*rules.values(), *severities.values()}) if alerts or noted else {}
    for alert in noted:
        _note(alert, _usable(alert, rules, severities, people))
    return sum(_escalate(alert, _usable(alert, rules, severities, people), now) for alert in alerts)


def _seconds(rows: Any, column: str) -> Seconds:
    return dict(rows.exclude(escalate_to=None).values_list(column, "escalate_to"))


def _usable(alert: Alert, rules: Seconds, severities: Seconds, people: Mapping[uuid.UUID, Any]) -> Any:
    """Somebody who is still there and may see and work on the alert; None where nobody is."""
    named = (rules.get(alert.rule_id), severities.get(alert.severity))
    found: Iterable[Any] = (people.get(key) for key in named if key)
    return next((one for one in found if one and may_receive(one, [alert.pk])), None)


def _escalate(alert: Alert, second: Any, now: datetime) -> bool:
    """Also where nobody is left to receive it, or has it already: it is noted once, and not tried again."""
    before = alert.assignee_id
    is_given = second is not None and second.pk != before
    given = {"assignee": second, "assigned_by": PROGRAM, "assigned_at": now} if is_given else {}
    rows = Alert.objects.filter(overdue(now), pk=alert.pk, escalated_at=None, assignee=before)
    if not rows.update(escalated_at=now, **given):
        return False
    for name, value in {"escalated_at": now, **given}.items():
        setattr(alert, name, value)
    _note(alert, second)
    count_own_alerts({key for key in (before, second.pk if is_given else None) if key})
    return True


def _note(alert: Alert, second: Any) -> None:
    """However often."""
    moment = alert.escalated_at or timezone.now()
    had_it = second is not None and second.pk == alert.assignee_id and alert.assigned_at != moment
    key, text = time_first_key(moment, "escalated", alert.pk), _text(second, not had_it)
    summary = gettext("Alert escalated: %(title)s") % {"title": alert.title}
    entry = entry_of(actor=PROGRAM, action="alert.escalate", thing=alert, summary=summary, after={"comment": text})
    record_once(key, entry)
    insert_new(AlertComment, [AlertComment(id=key, alert_id=alert.pk, by=PROGRAM, at=moment, text=text)])


def _text(second: Any, is_given: bool) -> str:
    if second is None:
        return gettext("Overdue. Not escalated, because no user named for escalation may work on alerts.")
    words = gettext("Overdue. The alert is already assigned to %(person)s.")
    if is_given:
        words = gettext("Overdue. Escalated to %(person)s.")
    return words % {"person": person_text(second)}
