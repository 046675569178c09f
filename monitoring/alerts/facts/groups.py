"""What becomes one alert: a rule's facts of a company and day, and beyond a hundred in an hour all the others."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Count

from core.db import in_batches
from monitoring.alerts.facts.matches import Match, Reading, Rules
from monitoring.alerts.facts.reports import is_old_news
from monitoring.alerts.rules import Rule
from monitoring.models import Alert, AlertKind, AlertRule, Grouping, content_key

MOST_AN_HOUR = 100


@dataclass(slots=True)
class Group:
    """What one publication brings to one alert."""

    key: uuid.UUID
    matches: list[Match]
    kind: str = AlertKind.CHANGE
    # Rules about groups that take the same changes: the event has this alert, which is sent to their readers, too.
    beside: list[Rule] = field(default_factory=list)

    @property
    def rule(self) -> Rule:
        return self.matches[0].rule


Grouped = list[tuple[Reading, list[Group]]]


def grouped_by_alert(readings: Iterable[Reading], rules: Rules) -> Grouped:
    """Of each publication that brings something, in order."""
    found = [reading for reading in readings if reading.matches]
    before = Before.of(found)
    return [(reading, list(_groups_of(reading, rules, before))) for reading in found]


@dataclass(slots=True)
class Before:
    """What publications before each one have raised, in rows and in the same batch."""

    # The publication that raised each alert.
    sequences: dict[uuid.UUID, int] = field(default_factory=dict)
    # How many alerts of one company or change a rule has raised in an hour.
    counts: Counter[tuple[uuid.UUID, datetime]] = field(default_factory=Counter)

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> Before:
        before = cls()
        keys = {group_key(reading, match) for reading in readings for match in reading.matches}
        for batch in in_batches(sorted(keys)):
            before.sequences.update(Alert.objects.filter(pk__in=batch).values_list("pk", "sequence"))
        if readings:
            before.counts.update(_raised_before(readings))
        return before

    def has(self, alert: uuid.UUID, reading: Reading) -> bool:
        return self.sequences.get(alert, reading.sequence) < reading.sequence

    def note(self, rule: Rule, reading: Reading, keys: Sequence[uuid.UUID]) -> None:
        for key in keys:
            self.sequences.setdefault(key, reading.sequence)
        self.counts[rule.key, reading.rate_window] += len(keys)


def _raised_before(readings: Sequence[Reading]) -> dict[tuple[uuid.UUID, datetime], int]:
    """Alerts of the same rules and hours from publications before the first."""
    rules = {match.rule.key for reading in readings for match in reading.matches}
    windows = {reading.rate_window for reading in readings}
    raised = Alert.objects.filter(
        rule__in=rules, rate_window__in=windows, sequence__lt=readings[0].sequence, kind=AlertKind.CHANGE
    )
    rows = raised.order_by().values_list("rule", "rate_window").annotate(count=Count("id"))
    return {(rule, window): count for rule, window, count in rows if rule}


def _groups_of(reading: Reading, rules: Rules, before: Before) -> Iterator[Group]:
    by_rule: dict[uuid.UUID, list[Match]] = {}
    for match in reading.matches:
        by_rule.setdefault(match.rule.key, []).append(match)
    own: dict[uuid.UUID, list[Group]] = {}
    for rule in sorted(rules.all, key=lambda one: one.row.group_only):
        left = [match for match in by_rule.get(rule.key, ()) if not _is_told_by(own, rule, match)]
        groups = _groups_of_rule(reading, rule, left, before) if left else []
        for group in groups if not rule.row.group_only else ():
            for match in group.matches if group.kind == AlertKind.CHANGE else ():
                own.setdefault(match.change.pk, []).append(group)
        yield from groups


def stands_for(own: AlertRule, row: AlertRule) -> bool:
    """Whether a company's own alert stands for that of a rule about groups, where both take a change: it has the same
    severity at least and the same readers. One event is one alert."""
    is_for_all = own.severity >= row.severity and own.unit_id in (None, "", row.unit_id)
    return row.group_only and not own.group_only and is_for_all


def _is_told_by(own: Mapping[uuid.UUID, list[Group]], rule: Rule, match: Match) -> bool:
    for group in own.get(match.change.pk, ()):
        if stands_for(group.rule.row, rule.row):
            group.beside += [rule] if rule not in group.beside else []
            return True
    return False


def _groups_of_rule(reading: Reading, rule: Rule, matches: Iterable[Match], before: Before) -> list[Group]:
    """One rule's matches as alerts; beyond a hundred in an hour all the others are one."""
    by_key: dict[uuid.UUID, list[Match]] = {}
    for match in matches:
        by_key.setdefault(group_key(reading, match), []).append(match)
    flood = content_key("flood", rule.key, reading.rate_window.isoformat())
    known = {key for key in by_key if before.has(key, reading) or key == flood}
    room = max(MOST_AN_HOUR - before.counts[rule.key, reading.rate_window], 0)
    fresh = [key for key in by_key if key not in known]
    kept, flooded = fresh[:room], fresh[room:]
    before.note(rule, reading, kept)
    groups = [Group(key, by_key[key]) for key in by_key if key in known or key in set(kept)]
    if flooded:
        rest = [match for key in flooded for match in by_key[key]]
        groups.append(Group(flood, rest, AlertKind.FLOOD))
    return groups


def group_key(reading: Reading, match: Match) -> uuid.UUID:
    change = match.change
    if match.fact in reading.alerts:
        return reading.alerts[match.fact]
    if match.rule.row.grouping == Grouping.EACH:
        return content_key("alert", match.rule.key, change.pk)
    day = reading.publication.published_at.astimezone(UTC).date()
    return content_key("alert", match.rule.key, change.company_id, day, is_old_news(change, reading.publication))
