"""The open alerts assigned to a person, counted on the person's row: every page shows how many, and asks nothing.

They are no kind of `core.cached_counts`, whose rows are one for all people and cost each page a query more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model

from core.cached_counts import COUNTED, Numbers
from core.db import in_batches
from core.visibility import EVERYTHING, visible_to
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.workflow.inbox import OPEN, in_inbox
from monitoring.models import Alert

NEWEST = 3
SHOWN = (
    "title",
    "raised_at",
    "exposure",
    "company_id",
    "audience",
    "rule_name",
    "reversed_by",
    "kind",
    "registration",
    "reopened_because",
    "worse_by",
)


def own_alerts(person: Any) -> Numbers:
    """As counted last: how many are `open`, and some of them as `items_of` has it."""
    text = getattr(person, "own_alerts", "")
    return json.loads(text) if text else {"open": 0, "newest": []}


def count_own_alerts(people: Iterable[uuid.UUID]) -> None:
    """Count them anew for these people."""
    for person in get_user_model().objects.filter(pk__in=list(people)).order_by("pk"):
        text = json.dumps(_count(person), sort_keys=True)
        get_user_model().objects.filter(pk=person.pk).exclude(own_alerts=text).update(own_alerts=text)


def count_own_alerts_of(alerts: Sequence[uuid.UUID]) -> None:
    """For those whom these alerts are assigned to."""
    count_own_alerts(assignees_of(alerts))


def assignees_of(alerts: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    found: set[uuid.UUID] = set()
    for batch in in_batches(alerts):
        rows = Alert.objects.filter(pk__in=batch, assignee__isnull=False).order_by()
        found.update(rows.values_list("assignee_id", flat=True).distinct())
    return found


def count_all_own_alerts() -> int:
    """For everybody who has some, or had: rules open alerts again and close what was taken back, and a snooze ends."""
    with_some = Alert.objects.filter(state__in=OPEN, assignee__isnull=False).order_by()
    people = set(with_some.values_list("assignee_id", flat=True).distinct())
    people.update(get_user_model().objects.exclude(own_alerts="").values_list("pk", flat=True))
    count_own_alerts(people)
    return len(people)


def _count(person: Any) -> Numbers:
    """Of those that the person sees."""
    rows = visible_to(person, Alert.objects.filter(in_inbox(), assignee=person.pk)).only(*SHOWN, "assigned_at")
    latest = rows.order_by("-raised_at")[:COUNTED]
    found = sorted(latest, key=lambda alert: alert.assigned_at or alert.raised_at, reverse=True)
    return {"open": len(found), **items_of(found, person)}


def items_of(alerts: Sequence[Alert], reader: Any = EVERYTHING) -> Numbers:
    """The `newest`, which come first, the `largest` by the money at stake, one for each company, and all money at stake
    with their companies, in cents: as the Overview shows them to those who may see it, with the titles that the reader
    sees."""
    newest = _one_a_company(alerts)
    largest = sorted(newest, key=lambda alert: -(alert.exposure or 0))[:NEWEST]
    newest = newest[:NEWEST]
    as_seen_by(reader, [*newest, *largest])
    of_companies = {alert.company_id: alert.exposure for alert in alerts if alert.company_id}
    return {
        "newest": [_as_item(alert) for alert in newest],
        "largest": [_as_item(alert) for alert in largest],
        "at_stake": sum(of_companies.values()),
    }


def _one_a_company(alerts: Sequence[Alert]) -> list[Alert]:
    """The first about each company, and all that are about none."""
    return list({alert.company_id or alert.pk: alert for alert in reversed(alerts)}.values())[::-1]


def _as_item(alert: Alert) -> Numbers:
    moment = alert.raised_at.isoformat()
    return {"key": str(alert.pk), "title": alert.title, "raised_at": moment, "exposure": alert.exposure}
