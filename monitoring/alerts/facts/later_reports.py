"""Alerts of changes that a registration reports after another: told to those who see them only since.

They are told with what the first report brought, so that nobody who was told then is told again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from core.db import in_batches
from core.models import unrestricted
from monitoring.alerts.events import Later, Raised, events_of
from monitoring.alerts.facts.matches import Rules
from monitoring.alerts.facts.reports import OLD_NEWS, Brought
from monitoring.alerts.rules import Scope
from monitoring.models import Alert, AlertItem, AlertKind, AlertState, Publication

# An alert, and the publication that brought facts to it.
AlertAt = tuple[uuid.UUID, int]
Facts = Mapping[AlertAt, Sequence[AlertItem]]


@dataclass(frozen=True, slots=True)
class Told:
    """Facts that were there, the alerts that have them, and who reports them now."""

    facts: Facts
    alerts: Mapping[uuid.UUID, Alert]
    reporters: Mapping[uuid.UUID, Collection[uuid.UUID]]

    @property
    def companies(self) -> set[str]:
        return {item.company for items in self.facts.values() for item in items}


def told_later(run: Sequence[Brought], rules: Rules) -> list[Raised]:
    """Nothing where there are no business units: everybody sees what the first report brings."""
    reporters = _new_reporters(run)
    if not reporters or unrestricted():
        return []
    found = _facts_of(run, reporters)
    alerts = _open_alerts(key for key, _ in found)
    facts = {at: items for at, items in found.items() if at[0] in alerts}
    published_at = min(its.publication.published_at for its in run)
    return list(_raised(Told(facts, alerts, reporters), rules, published_at)) if facts else []


def _new_reporters(run: Iterable[Brought]) -> dict[uuid.UUID, set[uuid.UUID]]:
    found: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for its in run:
        for change, registrations in its.new_reporters.items():
            found[change] |= registrations
    return found


def _facts_of(run: Sequence[Brought], changes: Iterable[uuid.UUID]) -> Facts:
    """What this run brings itself is told with all that report it."""
    companies = {company for its in run for company in its.reported_again.values()}
    own = {its.publication.sequence for its in run}
    found: dict[AlertAt, list[AlertItem]] = defaultdict(list)
    for batch in in_batches(sorted(changes)):
        for item in AlertItem.objects.filter(company__in=companies, change__in=batch).order_by("id"):
            if item.sequence not in own:
                found[item.alert_id, item.sequence].append(item)
    return found


def _open_alerts(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Alert]:
    found: dict[uuid.UUID, Alert] = {}
    for batch in in_batches(sorted(set(keys))):
        rows = Alert.objects.filter(pk__in=batch).exclude(kind=AlertKind.BASELINE).exclude(state=AlertState.CLOSED)
        found.update((row.pk, row) for row in rows)
    return found


def _raised(told: Told, rules: Rules, published_at: datetime) -> Iterator[Raised]:
    rows = {rule.key: rule.row for rule in rules.all}
    sequences = {sequence for _, sequence in told.facts}
    events, first = events_at(sequences, told.companies), _first_registrations(sequences)
    scope = Scope.of(told.companies, in_groups=told.companies)
    for (key, sequence), items in told.facts.items():
        alert, changes = copy(told.alerts[key]), frozenset(item.change for item in items)
        if alert.rule_id not in rows:
            continue
        alert.is_late |= published_at - max(item.changed_at for item in items) > OLD_NEWS
        row = rows[alert.rule_id]
        owners = scope.owners_for(row, alert.company_id or "")
        later = Later(frozenset().union(*(told.reporters[change] for change in changes)), first[sequence])
        yield Raised(alert, sequence, [row], owners, changes, events.get((key, sequence)), later)


def events_at(sequences: Collection[int], companies: Collection[str]) -> dict[AlertAt, uuid.UUID]:
    """As they were when each publication was read: messages are known by them."""
    changes: dict[int, dict[uuid.UUID, set[uuid.UUID]]] = defaultdict(lambda: defaultdict(set))
    for batch in in_batches(sorted(companies)):
        rows = AlertItem.objects.filter(company__in=batch, sequence__in=sequences, alert__kind=AlertKind.CHANGE)
        for sequence, alert, change in rows.values_list("sequence", "alert_id", "change"):
            changes[sequence][alert].add(change)
    return {(alert, sequence): event for sequence, its in changes.items() for alert, event in events_of(its).items()}


def _first_registrations(sequences: Collection[int]) -> dict[int, uuid.UUID]:
    rows = Publication.objects.filter(pk__in=sequences).values_list("sequence", "delivery__registration_id")
    return dict(rows)
