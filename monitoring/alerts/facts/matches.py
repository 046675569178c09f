"""What rules take of several publications: in order, without what was known already or lies outside of a scope."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from core.db import in_batches
from monitoring.alerts.facts.repeats import known_already
from monitoring.alerts.facts.reports import Brought, Head, Report
from monitoring.alerts.rules import Rule, Scope, compile_rule
from monitoring.elements.paths import Mistake
from monitoring.elements.score_dates import DATES, moves_date
from monitoring.models import AlertItem, AlertRule, Change, Publication, content_key

logger = logging.getLogger(__name__)


class Rules:
    """The rules that are enabled, found by what a change is about: most changes are nothing that any rule takes."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.all = list(rules)
        self._found: dict[tuple[str, str, bool], list[tuple[Rule, frozenset[str]]]] = {}
        # To others, a new date of a score is nothing.
        self._name_dates = {rule.key for rule in self.all if any(path[-1] in DATES for path in rule.paths)}

    @classmethod
    def active(cls) -> Rules:
        return cls(compiled(AlertRule.objects.filter(active=True).order_by("id")))

    def may_take(self, change: Head) -> bool:
        return any(True for _ in self.about(change))

    def about(self, change: Head | Change) -> Iterator[Rule]:
        """Those that may take it."""
        found = self._about(change.kind, change.element, False)
        if found and moves_date(change.element, change.previous, change.current):
            found = self._about(change.kind, change.element, True)
        text = f"{change.previous}{change.current}" if found else ""
        for rule, letters in found:
            # D&B may write any letter as its number.
            if any(one in text for one in letters) or "\\u" in text:
                yield rule

    def _about(self, kind: str, element: str, moves_date: bool) -> list[tuple[Rule, frozenset[str]]]:
        key = kind, element, moves_date
        if key not in self._found:
            rules = (rule for rule in self.all if not moves_date or rule.key in self._name_dates)
            found = ((rule, rule.may_take(kind, element)) for rule in rules)
            self._found[key] = [(rule, letters) for rule, letters in found if letters]
        return self._found[key]


def compiled(rows: Iterable[AlertRule]) -> Iterator[Rule]:
    for row in rows:
        try:
            yield compile_rule(row)
        except Mistake as mistake:
            logger.error("alert rule %s cannot be applied: %s", row.pk, mistake)


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    change: Change
    reason: str
    # Who reported it.
    registration: uuid.UUID

    def with_group(self, scope: Scope) -> Match:
        """The reason says how many companies of the group are monitored, where the rule is about groups."""
        text = scope.group_text(self.rule, self.change.company_id)
        return replace(self, reason=f"{self.reason}. {text}") if text else self

    @property
    def fact(self) -> uuid.UUID:
        """One for a rule and a change, however often it comes."""
        return content_key("fact", self.rule.key, self.change.pk)


@dataclass(slots=True)
class Reading:
    """One publication, as it is turned into alerts."""

    publication: Publication
    matches: list[Match]
    # Alerts to which this publication, read before, has brought facts.
    alerts: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        return self.publication.sequence

    @property
    def rate_window(self) -> datetime:
        return self.publication.published_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def find_matches(brought: Iterable[Brought], rules: Rules) -> tuple[list[Reading], Scope]:
    """Of each publication what the rules take, and what is known of the companies."""
    readings = [Reading(its.publication, list(_matches(its.reports, rules))) for its in brought]
    found = [(match, reading.sequence) for reading in readings for match in reading.matches]
    known = known_already((match.change, sequence) for match, sequence in found)
    in_groups = {match.change.company_id for match, _ in found if match.rule.row.group_only}
    scope = Scope.of((match.change.company_id for match, _ in found), in_groups=in_groups)
    there = _facts_there({match.fact for match, _ in found})
    for reading in readings:
        reading.matches = list(_taken(reading, known, scope, there))
    return readings, scope


def _matches(reports: Iterable[Report], rules: Rules) -> Iterator[Match]:
    """What another registration has reported before is news only to rules that are limited to registrations."""
    for report in reports:
        for rule in rules.about(report.change):
            may_take = report.is_new or rule.registrations is not None
            if may_take and (reason := rule.reason(report.change)):
                yield Match(rule, report.change, reason, report.registration)


# Of each fact: the publication that brought it to an alert, and the alert where that is a row.
There = dict[uuid.UUID, tuple[int, uuid.UUID | None]]


def _facts_there(facts: Iterable[uuid.UUID]) -> There:
    there: There = {}
    for batch in in_batches(sorted(facts)):
        rows = AlertItem.objects.filter(pk__in=batch).values_list("pk", "sequence", "alert_id")
        there.update((key, (sequence, alert)) for key, sequence, alert in rows)
    return there


def _taken(reading: Reading, known: set[tuple[uuid.UUID, int]], scope: Scope, there: There) -> Iterator[Match]:
    """Facts that an earlier publication has brought to an alert stay out; those that this one has stay with theirs."""
    for match in reading.matches:
        if (match.change.pk, reading.sequence) in known or _is_out(match, scope):
            continue
        sequence, alert = there.setdefault(match.fact, (reading.sequence, None))
        if sequence == reading.sequence and alert:
            reading.alerts[match.fact] = alert
        if sequence >= reading.sequence:
            yield match.with_group(scope)


def _is_out(match: Match, scope: Scope) -> bool:
    return not scope.has(match.rule, match.change.company_id, match.registration)


def changes_in(readings: Sequence[Reading]) -> list[Change]:
    return [match.change for reading in readings for match in reading.matches]
