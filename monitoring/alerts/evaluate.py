"""Published changes → alerts: a stage of its own, a consumer with its own offset.

Each step over a publication may be repeated: alerts, facts and messages have keys made of their content, counts are
taken from the rows, and the offset moves last. Who dies in between loses none and doubles none.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.db import in_batches, insert_new
from monitoring.alerts.auto_resolve import review_reversals
from monitoring.alerts.events import Raised, events_of
from monitoring.alerts.facts.repeats import known_already
from monitoring.alerts.facts.replacements import move_facts
from monitoring.alerts.facts.reports import Report, brought_by, is_old_news
from monitoring.alerts.new_company_summary import note_baselines
from monitoring.alerts.routing import notify
from monitoring.alerts.rules import Rule, Scope, compile_rule
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.elements.paths import Mistake
from monitoring.models import (
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Grouping,
    Publication,
    Severity,
    content_key,
)
from monitoring.publications.consumers import PublicationConsumer, after
from monitoring.webhooks.endpoints import Event, emit_events
from portfolio.models import Company

logger = logging.getLogger(__name__)
CONSUMER = PublicationConsumer("alerts")
MOST_AN_HOUR = 100


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    change: Change
    reason: str
    # Who reported it.
    registration: uuid.UUID

    @property
    def fact(self) -> uuid.UUID:
        """One for a rule and a change, however often it comes."""
        return content_key("fact", self.rule.key, self.change.pk)


@dataclass(slots=True)
class Reading:
    """One publication, as it is turned into alerts."""

    publication: Publication
    rules: Sequence[Rule]
    reports: list[Report]
    scope: Scope = field(default_factory=Scope)
    words: dict[uuid.UUID, str] = field(default_factory=dict)
    # Alerts to which this publication, read before, has brought facts.
    alerts: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)

    @property
    def sequence(self) -> int:
        return self.publication.sequence

    @property
    def rate_window(self) -> datetime:
        return self.publication.published_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class Group:
    """What becomes one alert."""

    key: uuid.UUID
    matches: list[Match]
    kind: str = AlertKind.CHANGE


def raise_alerts(until: datetime) -> int:
    """Read the publications after the offset; returns how many were read."""
    position = CONSUMER.position()
    if not after(position).exists():
        return 0
    rules = active_rules()
    done = 0
    while timezone.now() < until and (publication := after(position).first()):
        raise_from(publication, rules)
        if not _move(position, publication.sequence):
            break
        position = publication.sequence
        done += 1
    if done:
        update_counts("alerts")
    return done


def _move(position: int, sequence: int) -> bool:
    """False when somebody else has moved it: they read on from there."""
    return CONSUMER.move(position, sequence)


def active_rules() -> list[Rule]:
    rules = []
    for row in AlertRule.objects.filter(active=True).order_by("id"):
        try:
            rules.append(compile_rule(row))
        except Mistake as mistake:
            logger.error("alert rule %s cannot be applied: %s", row.pk, mistake)
    return rules


def raise_from(publication: Publication, rules: Sequence[Rule]) -> list[Alert]:
    """All that one publication raises; the same again changes nothing."""
    brought = brought_by(publication)
    move_facts(brought.replaced)
    reading = Reading(publication, rules, brought.reports)
    matches = find_matches(reading)
    groups = write_alerts(reading, matches)
    _follow_replacements(matches)
    review_reversals(brought.companies)
    raised = [*_raised(reading, groups), *note_baselines(publication, rules)]
    notify(raised, publication)
    emit_events(_events(raised, publication.sequence))
    return [one.alert for one in raised]


def _events(raised: Iterable[Raised], sequence: int) -> Iterator[Event]:
    """For other systems: each alert once, when it is raised."""
    for alert in (one.alert for one in raised):
        if alert.sequence == sequence or alert.kind == AlertKind.BASELINE:
            data = {
                "id": str(alert.pk),
                "company": alert.company_id,
                "title": alert.title,
                "severity": Severity(alert.severity).name.lower(),
                "rule": alert.rule_name,
                "reason": alert.reason,
                "happened_at": alert.happened_at,
            }
            yield Event("alert.raised", data, str(alert.pk), alert.company_id or "", alert.raised_at)


def _raised(reading: Reading, groups: Sequence[Group]) -> Iterator[Raised]:
    """What is still to be told: not what the same publication has taken back."""
    alerts = Alert.objects.in_bulk([group.key for group in groups]) if groups else {}
    changes = {group.key: frozenset(match.change.pk for match in group.matches) for group in groups}
    # Of closed alerts too: what goes out together does not depend on when that is asked.
    events = events_of({key: found for key, found in changes.items() if alerts[key].kind == AlertKind.CHANGE})
    for group in groups:
        alert, row = alerts[group.key], group.matches[0].rule.row
        if alert.state != AlertState.CLOSED:
            owners = reading.scope.owners.get(alert.company_id or "", set())
            yield Raised(alert, [row], owners, changes[alert.pk], events.get(alert.pk))


def _follow_replacements(matches: Iterable[Match]) -> None:
    """Others may have read on meanwhile, and moved facts that were written here once more."""
    keys = {match.change.pk for match in matches}
    for batch in in_batches(sorted(keys)):
        move_facts(Change.objects.filter(pk__in=batch, superseded=True).exclude(replaced_by=None))


def find_matches(reading: Reading) -> list[Match]:
    """What the rules take, in order; without what was known already, and what lies outside of a rule's scope."""
    found = list(_matches(reading))
    known = known_already([match.change for match in found], reading.sequence)
    taken = facts_taken(found, reading)
    found = [match for match in found if match.change.pk not in known and match.fact not in taken]
    reading.scope = Scope.of(match.change.company_id for match in found)
    in_scope: dict[uuid.UUID, Match] = {}
    for match in found:
        if reading.scope.has(match.rule, match.change.company_id, match.registration):
            in_scope.setdefault(match.fact, match)
    return list(in_scope.values())


def _matches(reading: Reading) -> Iterator[Match]:
    """What another registration has reported before is news only to rules that are limited to registrations."""
    for report in reading.reports:
        for rule in reading.rules:
            may_take = report.is_new or rule.registrations is not None
            if may_take and (reason := rule.reason(report.change)):
                yield Match(rule, report.change, reason, report.registration)


def facts_taken(matches: Iterable[Match], reading: Reading) -> set[uuid.UUID]:
    """Facts that an earlier publication has brought to an alert; those that this one has stay with theirs."""
    taken: set[uuid.UUID] = set()
    for batch in in_batches(list({match.fact for match in matches})):
        rows = AlertItem.objects.filter(pk__in=batch, sequence__lte=reading.sequence)
        for key, alert, sequence in rows.values_list("pk", "alert_id", "sequence"):
            if sequence < reading.sequence:
                taken.add(key)
            else:
                reading.alerts[key] = alert
    return taken


# From matches to alerts


def write_alerts(reading: Reading, matches: Sequence[Match]) -> list[Group]:
    """Insert the alerts and their facts, and bring what there was up to date."""
    groups = [group for rule in reading.rules for group in groups_of(reading, rule, matches)]
    if not groups:
        return []
    words = sentences_of(reading, [match.change for match in matches])
    insert_new(Alert, [_alert(reading, group, words) for group in groups])
    pairs = [(group.key, match) for group in groups for match in group.matches]
    insert_new(AlertItem, [fact_of(key, match, words[match.change.pk], reading.sequence) for key, match in pairs])
    _bring_up_to_date(reading, groups)
    return groups


def sentences_of(reading: Reading, changes: Iterable[Change]) -> dict[uuid.UUID, str]:
    """Each change as a sentence; what was said before is kept."""
    missing_words = {change.pk: change for change in changes if change.pk not in reading.words}
    missing = {change.company_id for change in missing_words.values()} - reading.scope.companies.keys()
    if missing:
        reading.scope.companies.update(Company.objects.in_bulk(list(missing)))
    for change in missing_words.values():
        change.company = reading.scope.companies[change.company_id]
    for line in lines_of(list(missing_words.values())):
        reading.words[line.change.pk] = sentence(line)
    return reading.words


def groups_of(reading: Reading, rule: Rule, matches: Iterable[Match]) -> list[Group]:
    """One rule's matches as alerts; beyond a hundred in an hour all the others are one."""
    by_key: dict[uuid.UUID, list[Match]] = {}
    for match in matches:
        if match.rule is rule:
            by_key.setdefault(group_key(reading, match), []).append(match)
    if not by_key:
        return []
    known = set(Alert.objects.filter(pk__in=by_key, sequence__lt=reading.sequence).values_list("pk", flat=True))
    room = MOST_AN_HOUR - _raised_before(reading, rule)
    fresh = [key for key in by_key if key not in known]
    kept, flooded = fresh[: max(room, 0)], fresh[max(room, 0) :]
    groups = [Group(key, by_key[key]) for key in by_key if key in known or key in set(kept)]
    if flooded:
        rest = [match for key in flooded for match in by_key[key]]
        groups.append(Group(content_key("flood", rule.key, reading.rate_window.isoformat()), rest, AlertKind.FLOOD))
    return groups


def _raised_before(reading: Reading, rule: Rule) -> int:
    """This rule's alerts of the hour from earlier publications."""
    raised = Alert.objects.filter(
        rule=rule.key, rate_window=reading.rate_window, sequence__lt=reading.sequence, kind=AlertKind.CHANGE
    )
    return raised[:MOST_AN_HOUR].count()


def group_key(reading: Reading, match: Match) -> uuid.UUID:
    change = match.change
    if match.fact in reading.alerts:
        return reading.alerts[match.fact]
    if match.rule.row.grouping == Grouping.EACH:
        return content_key("alert", match.rule.key, change.pk)
    day = reading.publication.published_at.astimezone(UTC).date()
    return content_key("alert", match.rule.key, change.company_id, day, is_old_news(change, reading.publication))


def _alert(reading: Reading, group: Group, words: Mapping[uuid.UUID, str]) -> Alert:
    match, row = group.matches[0], group.matches[0].rule.row
    is_flood = group.kind == AlertKind.FLOOD
    return Alert(
        id=group.key,
        kind=group.kind,
        rule_id=row.pk,
        rule_name=row.name,
        company_id=None if is_flood else match.change.company_id,
        registration_id=None if is_flood else match.registration,
        severity=row.severity,
        title=gettext("%(name)s: more than %(MOST_AN_HOUR)s alerts in an hour")
        % {"name": row.name, "MOST_AN_HOUR": MOST_AN_HOUR}
        if is_flood
        else words[match.change.pk],
        reason=match.reason,
        is_late=not is_flood and is_old_news(match.change, reading.publication),
        happened_at=match.change.changed_at,
        raised_at=timezone.now(),
        rate_window=reading.rate_window,
        sequence=reading.sequence,
    )


def fact_of(alert: uuid.UUID, match: Match, text: str, sequence: int) -> AlertItem:
    change = match.change
    return AlertItem(
        id=match.fact,
        alert_id=alert,
        rule_name=match.rule.row.name,
        change=change.pk,
        company=change.company_id,
        kind=change.kind,
        element=change.element,
        text=text,
        severity=change.severity,
        changed_at=change.changed_at,
        place=change.place,
        sequence=sequence,
    )


def _bring_up_to_date(reading: Reading, groups: Iterable[Group]) -> None:
    """Counts from the rows; and an alert that grows after somebody closed it is open again."""
    for group in groups:
        count = AlertItem.objects.filter(alert=group.key).count()
        Alert.objects.filter(pk=group.key).exclude(fact_count=count).update(fact_count=count)
        closed_before = Alert.objects.filter(
            pk=group.key,
            state=AlertState.CLOSED,
            sequence__lt=reading.sequence,
            closed_at__lt=reading.publication.published_at,
        )
        opened = {"state": AlertState.NEW, "closed_at": None, "closed_by": ""}
        closed_before.update(**opened, reversal="", reversed_at=None, reversed_by=None)
