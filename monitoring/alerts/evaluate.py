"""Published changes → alerts: a stage of its own, with its own mark in the order of publication.

Each step over a publication may be repeated: alerts, facts and messages have keys made of their content, counts are
taken from the rows, and the mark moves last. Who dies in between loses none and doubles none.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import tally
from core.db import in_batches, insert_new
from monitoring.alerts.auto_resolve import review_reversals
from monitoring.alerts.new_company_summary import note_baselines
from monitoring.alerts.repeated_notices import known_already
from monitoring.alerts.routing import Raised, tell
from monitoring.alerts.rules import Rule, Scope, compile_rule
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.elements.paths import Mistake
from monitoring.models import (
    Alert,
    AlertFact,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Grouping,
    Kind,
    Publication,
    Severity,
    content_key,
)
from monitoring.publications.consumers import PublicationReader, after
from monitoring.story_order import story_key
from monitoring.webhooks.endpoints import Event, emit_events
from portfolio.models import Company

logger = logging.getLogger(__name__)
READER = PublicationReader("alerts")
OLD_NEWS = timedelta(days=7)
MOST_AN_HOUR = 100


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    change: Change
    reason: str

    @property
    def fact(self) -> uuid.UUID:
        """One for a rule and a change, however often it comes."""
        return content_key("fact", self.rule.key, self.change.pk)


@dataclass(slots=True)
class Reading:
    """One publication, as it is turned into alerts."""

    publication: Publication
    rules: Sequence[Rule]
    changes: list[Change]
    scope: Scope = field(default_factory=Scope)
    words: dict[uuid.UUID, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.publication.number

    @property
    def hour(self) -> datetime:
        return self.publication.published_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class Group:
    """What becomes one alert."""

    key: uuid.UUID
    matches: list[Match]
    kind: str = AlertKind.CHANGE


def raise_alerts(until: datetime) -> int:
    """Read the publications behind the mark; returns how many were read."""
    mark = READER.mark()
    if not after(mark).exists():
        return 0
    rules = active_rules()
    done = 0
    while timezone.now() < until and (publication := after(mark).first()):
        raise_from(publication, rules)
        if not _move(mark, publication.number):
            break
        mark = publication.number
        done += 1
    if done:
        tally("alerts")
    return done


def _move(mark: int, number: int) -> bool:
    """False when somebody else has moved it: they read on from there."""
    return READER.move(mark, number)


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
    brought = sorted(Change.objects.filter(delivery=publication.delivery_id), key=story_key)
    changes = [change for change in brought if not change.superseded and change.kind != Kind.BASELINE]
    reading = Reading(publication, rules, changes)
    groups = write_alerts(reading, find_matches(reading))
    review_reversals(change.company_id for change in brought)
    raised = [*_raised(reading, groups), *note_baselines(publication, rules)]
    tell(raised, publication)
    emit_events(_events(raised, publication.number))
    return [one.alert for one in raised]


def _events(raised: Iterable[Raised], number: int) -> Iterator[Event]:
    """For other systems: each alert once, when it is raised."""
    for alert in (one.alert for one in raised):
        if alert.number == number or alert.kind == AlertKind.BASELINE:
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
    for group in groups:
        alert, row = alerts[group.key], group.matches[0].rule.row
        if alert.state != AlertState.CLOSED:
            yield Raised(alert, [row], reading.scope.owners.get(alert.company_id or "", set()))


def find_matches(reading: Reading) -> list[Match]:
    """What the rules take, in order; without what was known already, and what lies outside of a rule's scope."""
    found = [
        Match(rule, change, reason)
        for change in reading.changes
        for rule in reading.rules
        if (reason := rule.reason(change))
    ]
    known = known_already([match.change for match in found], reading.number)
    taken = facts_taken(found, reading.number)
    found = [match for match in found if match.change.pk not in known and match.fact not in taken]
    reading.scope = Scope.of(match.change.company_id for match in found)
    return [
        match for match in found if reading.scope.has(match.rule, match.change.company_id, match.change.registration_id)
    ]


def facts_taken(matches: Iterable[Match], number: int) -> set[uuid.UUID]:
    """Facts that an earlier publication has brought to an alert."""
    taken: set[uuid.UUID] = set()
    for batch in in_batches([match.fact for match in matches]):
        taken.update(AlertFact.objects.filter(pk__in=batch, number__lt=number).values_list("pk", flat=True))
    return taken


# From matches to alerts


def write_alerts(reading: Reading, matches: Sequence[Match]) -> list[Group]:
    """Insert the alerts and their facts, and bring what there was up to date."""
    groups = [group for rule in reading.rules for group in groups_of(reading, rule, matches)]
    if not groups:
        return []
    words = in_words(reading, [match.change for match in matches])
    insert_new(Alert, [_alert(reading, group, words) for group in groups])
    pairs = [(group.key, match) for group in groups for match in group.matches]
    insert_new(AlertFact, [fact_of(key, match, words[match.change.pk], reading.number) for key, match in pairs])
    _bring_up_to_date(reading, groups)
    return groups


def in_words(reading: Reading, changes: Iterable[Change]) -> dict[uuid.UUID, str]:
    """Each change as a sentence; what was said before is kept."""
    wanted = {change.pk: change for change in changes if change.pk not in reading.words}
    missing = {change.company_id for change in wanted.values()} - reading.scope.companies.keys()
    if missing:
        reading.scope.companies.update(Company.objects.in_bulk(list(missing)))
    for change in wanted.values():
        change.company = reading.scope.companies[change.company_id]
    for line in lines_of(list(wanted.values())):
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
    known = set(Alert.objects.filter(pk__in=by_key, number__lt=reading.number).values_list("pk", flat=True))
    room = MOST_AN_HOUR - _raised_before(reading, rule)
    fresh = [key for key in by_key if key not in known]
    kept, flooded = fresh[: max(room, 0)], fresh[max(room, 0) :]
    groups = [Group(key, by_key[key]) for key in by_key if key in known or key in set(kept)]
    if flooded:
        rest = [match for key in flooded for match in by_key[key]]
        groups.append(Group(content_key("flood", rule.key, reading.hour.isoformat()), rest, AlertKind.FLOOD))
    return groups


def _raised_before(reading: Reading, rule: Rule) -> int:
    """This rule's alerts of the hour from earlier publications."""
    raised = Alert.objects.filter(rule=rule.key, hour=reading.hour, number__lt=reading.number, kind=AlertKind.CHANGE)
    return raised[:MOST_AN_HOUR].count()


def group_key(reading: Reading, match: Match) -> uuid.UUID:
    change = match.change
    if match.rule.row.grouping == Grouping.EACH:
        return content_key("alert", match.rule.key, change.pk)
    day = reading.publication.published_at.astimezone(UTC).date()
    return content_key("alert", match.rule.key, change.company_id, day, is_old_news(change))


def is_old_news(change: Change) -> bool:
    return change.recorded_at - change.changed_at > OLD_NEWS


def _alert(reading: Reading, group: Group, words: Mapping[uuid.UUID, str]) -> Alert:
    match, row = group.matches[0], group.matches[0].rule.row
    is_flood = group.kind == AlertKind.FLOOD
    return Alert(
        id=group.key,
        kind=group.kind,
        rule_id=row.pk,
        rule_name=row.name,
        company_id=None if is_flood else match.change.company_id,
        registration_id=None if is_flood else match.change.registration_id,
        severity=row.severity,
        title=gettext("%(name)s: more than %(MOST_AN_HOUR)s alerts in an hour")
        % {"name": row.name, "MOST_AN_HOUR": MOST_AN_HOUR}
        if is_flood
        else words[match.change.pk],
        reason=match.reason,
        is_late=not is_flood and is_old_news(match.change),
        happened_at=match.change.changed_at,
        raised_at=timezone.now(),
        hour=reading.hour,
        number=reading.number,
    )


def fact_of(alert: uuid.UUID, match: Match, text: str, number: int) -> AlertFact:
    change = match.change
    return AlertFact(
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
        number=number,
    )


def _bring_up_to_date(reading: Reading, groups: Iterable[Group]) -> None:
    """Counts from the rows; and an alert that grows after somebody closed it is open again."""
    for group in groups:
        count = AlertFact.objects.filter(alert=group.key).count()
        Alert.objects.filter(pk=group.key).exclude(fact_count=count).update(fact_count=count)
        closed_before = Alert.objects.filter(
            pk=group.key,
            state=AlertState.CLOSED,
            number__lt=reading.number,
            closed_at__lt=reading.publication.published_at,
        )
        opened = {"state": AlertState.NEW, "closed_at": None, "closed_by": ""}
        closed_before.update(**opened, reversal="", reversed_at=None, reversed_by=None)
