"""Alerts that got worse are sent once more, to those who were notified when they were raised, and to their assignees.

They join the message about the change by which they got worse, if another alert was raised because of it, so that one
event stays one message. Messages and entries of digests have keys made of event and publication: read again, the same
publication adds none.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from copy import copy

from core.db import in_batches
from monitoring.alerts.events import Raised
from monitoring.alerts.facts.later_reports import AlertAt, events_at
from monitoring.alerts.facts.matches import Rules
from monitoring.alerts.facts.reports import is_old_news
from monitoring.alerts.rules import Scope
from monitoring.alerts.workflow.inbox import is_snoozed
from monitoring.alerts.workflow.worsening import Worsened
from monitoring.models import AlertItem, AlertRule, AlertState, Change

# A change, and the publication that brought it.
ChangeAt = tuple[uuid.UUID, int]


def told_worse(worsened: Collection[Worsened], raised: Iterable[Raised], rules: Rules) -> Iterator[Raised]:
    """Not those that are sent with what they grew by, nor those that somebody has taken up or put off since."""
    rows: dict[uuid.UUID | None, AlertRule] = {rule.key: rule.row for rule in rules.all}
    sent = {(one.alert.pk, one.sequence) for one in raised}
    left = [one for one in worsened if one.alert.rule_id in rows and _at(one) not in sent and _is_unhandled(one)]
    if not left:
        return
    changes = Change.objects.in_bulk([one.alert.worse_by for one in left if one.alert.worse_by])
    # Of all that got worse, so that an alert that somebody has taken up since gives the others no other message.
    scope, events = _scope_of(left), _events(worsened)
    for one in left:
        row, change = rows[one.alert.rule_id], changes.get(one.alert.worse_by)
        if change is None:
            continue
        alert, owners = copy(one.alert), scope.owners_for(row, one.alert.company_id or "")
        alert.is_late = is_old_news(change, one.publication)
        event = events[change.pk, one.publication.sequence]
        yield Raised(alert, one.publication.sequence, [row], owners, frozenset(), event, worse_by=change.pk)


def _at(one: Worsened) -> AlertAt:
    return one.alert.pk, one.publication.sequence


def _is_unhandled(one: Worsened) -> bool:
    return one.alert.state == AlertState.NEW and not is_snoozed(one.alert)


def _scope_of(worsened: Iterable[Worsened]) -> Scope:
    companies = {one.alert.company_id for one in worsened if one.alert.company_id}
    return Scope.of(companies, in_groups=companies)


def _events(worsened: Collection[Worsened]) -> dict[ChangeAt, uuid.UUID]:
    """That of the alerts raised because of the same change; without any, the least of those that got worse by it."""
    found: dict[ChangeAt, list[uuid.UUID]] = defaultdict(list)
    for one in worsened:
        if one.alert.worse_by:
            found[one.alert.worse_by, one.publication.sequence].append(one.alert.pk)
    companies, sequences = {one.alert.company_id or "" for one in worsened}, {sequence for _, sequence in found}
    raised = events_at(sequences, companies)
    events = {at: min(alerts) for at, alerts in found.items()}
    for batch in in_batches(sorted({change for change, _ in found})):
        for item in AlertItem.objects.filter(company__in=companies, change__in=batch, sequence__in=sequences):
            if event := raised.get((item.alert_id, item.sequence)):
                events[item.change, item.sequence] = event
    return events
