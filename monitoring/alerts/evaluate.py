"""Published changes → alerts: a stage of its own, a consumer with its own offset, in batches of publications.

Each step over a batch may be repeated: alerts, facts and messages have keys made of their content, counts are taken
from the rows, and the offset moves last. Who dies in between loses none and doubles none. The day of grouping, the
hourly limit and what was known before are those of each publication, so alerts do not depend on where batches end.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.db import in_batches, insert_new
from core.visibility import Scope as Seer
from monitoring.alerts.auto_resolve import review_reversals
from monitoring.alerts.events import Raised, events_of
from monitoring.alerts.facts.audiences import alerts_with, stamp_alerts
from monitoring.alerts.facts.groups import MOST_AN_HOUR, Group, Grouped, grouped_by_alert
from monitoring.alerts.facts.later_reports import told_later
from monitoring.alerts.facts.matches import Match, Reading, Rules, changes_in, find_matches
from monitoring.alerts.facts.replacements import move_facts
from monitoring.alerts.facts.reports import Brought, brought_by, is_old_news, runs_of
from monitoring.alerts.facts.seen import as_seen_by
from monitoring.alerts.new_company_summary import note_baselines
from monitoring.alerts.routing import notify
from monitoring.alerts.rules import Scope
from monitoring.alerts.workflow.due_times import due_again, due_dates
from monitoring.alerts.workflow.worse_notices import told_worse
from monitoring.alerts.workflow.worsening import reopen_worsened
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.models import (
    REOPENED,
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Publication,
    Severity,
)
from monitoring.publications.consumers import PublicationConsumer, batch_after
from monitoring.webhooks.endpoints import Event, emit_events

CONSUMER = PublicationConsumer("alerts")
# Read together: so many publications, and so many entries unless one publication alone has more.
PUBLICATIONS, ENTRIES = 50, 5000


def raise_alerts(until: datetime) -> int:
    """Read the publications after the offset; returns how many were read."""
    position = CONSUMER.position()
    batch = _next_batch(position)
    rules = Rules.active() if batch else Rules([])
    done = 0
    while batch:
        raise_from(batch, rules)
        if not _move(position, batch[-1].sequence):
            break
        position = batch[-1].sequence
        done += len(batch)
        batch = _next_batch(position) if timezone.now() < until else []
    if done:
        update_counts("alerts")
    return done


def _next_batch(position: int) -> list[Publication]:
    return batch_after(position, PUBLICATIONS, ENTRIES)


def _move(position: int, sequence: int) -> bool:
    """False when somebody else has moved it: they read on from there."""
    return CONSUMER.move(position, sequence)


def raise_from(publications: Sequence[Publication], rules: Rules) -> list[Alert]:
    """All that these publications raise; the same again changes nothing."""
    brought = brought_by(publications, rules.may_take)
    return [alert for run in runs_of(brought) for alert in _raise_from(run, rules)]


def _raise_from(run: Sequence[Brought], rules: Rules) -> list[Alert]:
    moved = move_facts(run[0].replaced)
    readings, scope = find_matches(run, rules)
    grouped = write_alerts(readings, scope, rules)
    again = {key: company for its in run for key, company in its.reported_again.items()}
    stamp_alerts({*moved, *_keys(grouped), *alerts_with(again)})
    review_reversals(one for its in run for one in its.subjects)
    worsened = reopen_worsened(run)
    raised = [*_raised(grouped, scope), *told_later(run, rules)]
    raised += note_baselines([its.publication for its in run], rules.all)
    raised.sort(key=lambda one: one.sequence)
    notify([*raised, *told_worse(worsened, raised, rules)])
    emit_events(_events(raised))
    return [one.alert for one in raised]


def _events(raised: Iterable[Raised]) -> list[Event]:
    """For other systems: each alert once, when it is raised; to a business unit, when it sees it for the first time."""
    events: dict[uuid.UUID, Event] = {}
    for one in sorted(raised, key=_was_raised_before):
        events.setdefault(one.alert.pk, _event(one))
    return list(events.values())


def _was_raised_before(one: Raised) -> bool:
    return one.alert.kind != AlertKind.BASELINE and (one.later is not None or one.alert.sequence != one.sequence)


def _event(one: Raised) -> Event:
    alert = one.alert
    return Event(
        "alert.raised",
        _said_of(alert),
        str(alert.pk),
        alert.company_id or "",
        alert.raised_at,
        seen=partial(_said_to, alert),
        is_for_units=_was_raised_before(one),
    )


def _said_of(alert: Alert) -> dict[str, Any]:
    return {
        "id": str(alert.pk),
        "company": alert.company_id,
        "title": alert.title,
        "severity": Severity(alert.severity).name.lower(),
        "rule": alert.rule_name,
        "reason": alert.reason,
        "happened_at": alert.happened_at,
    }


def _said_to(alert: Alert, scope: Seer) -> dict[str, Any]:
    seen = copy(alert)
    as_seen_by(scope, [seen])
    return _said_of(seen)


def _raised(grouped: Grouped, scope: Scope) -> Iterator[Raised]:
    """What is still to be told: not what was taken back meanwhile."""
    alerts: dict[uuid.UUID, Alert] = {}
    for keys in in_batches(sorted(_keys(grouped))):
        alerts.update(Alert.objects.in_bulk(keys))
    for reading, groups in grouped:
        yield from _raised_by(reading, groups, alerts, scope)


def _raised_by(
    reading: Reading, groups: Sequence[Group], alerts: Mapping[uuid.UUID, Alert], scope: Scope
) -> Iterator[Raised]:
    groups = [group for group in groups if group.key in alerts]
    changes = {group.key: frozenset(match.change.pk for match in group.matches) for group in groups}
    # Of closed alerts too: what goes out together does not depend on when that is asked.
    events = events_of({key: found for key, found in changes.items() if alerts[key].kind == AlertKind.CHANGE})
    for group in groups:
        alert, row = alerts[group.key], group.rule.row
        if alert.state != AlertState.CLOSED:
            rows = [row, *(rule.row for rule in group.beside)]
            owners = _owners(rows, scope, alert.company_id or "")
            yield Raised(alert, reading.sequence, rows, owners, changes[alert.pk], events.get(alert.pk))


def _owners(rows: Sequence[AlertRule], scope: Scope, company: str) -> set[str]:
    """Of all rules that notify owners: those of the group are notified by the company's own alert."""
    return set().union(*(scope.owners_for(row, company) for row in rows if row.notify_owner))


# From matches to alerts


def write_alerts(readings: Sequence[Reading], scope: Scope, rules: Rules) -> Grouped:
    """Insert the alerts and their facts, and bring what there was up to date."""
    grouped = grouped_by_alert(readings, rules)
    if not grouped:
        return []
    words = _sentences_of(changes_in(readings), scope)
    counts: Counter[uuid.UUID] = Counter()
    for _, group in _each(grouped):
        counts[group.key] += len(group.matches)
    due = due_dates()
    insert_new(Alert, [_alert(*one, words, counts, scope, due) for one in _each(grouped)])
    insert_new(AlertItem, list(_items(grouped, words)))
    _follow_replacements(readings)
    return _bring_up_to_date(grouped)


def _follow_replacements(readings: Sequence[Reading]) -> None:
    """Others may have read on meanwhile: moved facts that were written here once more, or told them as what replaces
    their changes. The key of that fact decides whose alert it is."""
    written = {match.fact for reading in readings for match in reading.matches}
    for batch in in_batches(sorted({change.pk for change in changes_in(readings)})):
        move_facts(Change.objects.filter(pk__in=batch, superseded=True).exclude(replaced_by=None), written)


def _each(grouped: Grouped) -> Iterator[tuple[Reading, Group]]:
    return ((reading, group) for reading, groups in grouped for group in groups)


def _keys(grouped: Grouped) -> set[uuid.UUID]:
    return {group.key for _, group in _each(grouped)}


def _items(grouped: Grouped, words: Mapping[uuid.UUID, str]) -> Iterator[AlertItem]:
    for reading, group in _each(grouped):
        for match in group.matches:
            yield fact_of(group.key, match, words[match.change.pk], reading.sequence)


def _sentences_of(changes: Iterable[Change], scope: Scope) -> dict[uuid.UUID, str]:
    rows = {change.pk: change for change in changes}
    for change in rows.values():
        change.company = scope.companies[change.company_id]
    return {line.change.pk: sentence(line) for line in lines_of(list(rows.values()))}


def _alert(
    reading: Reading,
    group: Group,
    words: Mapping[uuid.UUID, str],
    counts: Mapping[uuid.UUID, int],
    scope: Scope,
    due: Mapping[int, datetime],
) -> Alert:
    match, row = group.matches[0], group.rule.row
    is_flood = group.kind == AlertKind.FLOOD
    return Alert(
        id=group.key,
        kind=group.kind,
        rule_id=row.pk,
        rule_name=row.name,
        company_id=None if is_flood else match.change.company_id,
        registration_id=None if is_flood else match.registration,
        unit=row.unit_id or "",
        severity=row.severity,
        title=gettext("%(name)s: more than %(MOST_AN_HOUR)s alerts in an hour")
        % {"name": row.name, "MOST_AN_HOUR": MOST_AN_HOUR}
        if is_flood
        else words[match.change.pk],
        reason=_reason(group, scope),
        is_late=not is_flood and is_old_news(match.change, reading.publication),
        happened_at=match.change.changed_at,
        raised_at=timezone.now(),
        due_at=due.get(row.severity),
        rate_window=reading.rate_window,
        sequence=reading.sequence,
        fact_count=counts[group.key],
        exposure=0 if is_flood else scope.companies[match.change.company_id].exposure or 0,
    )


def _reason(group: Group, scope: Scope) -> str:
    """Owners of other companies of the group read why they receive it."""
    match = group.matches[0]
    texts = dict.fromkeys(scope.group_text(rule, match.change.company_id) for rule in group.beside)
    return ". ".join([match.reason, *texts])


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


def _bring_up_to_date(grouped: Grouped) -> Grouped:
    """Counts from the rows; and an alert that grows after somebody closed it is open again. Returns what is left: of
    another publication, others may have brought the same, and notified of it."""
    counts: Counter[tuple[uuid.UUID, int]] = Counter()
    closed: set[uuid.UUID] = set()
    for keys in in_batches(sorted(_keys(grouped))):
        rows = AlertItem.objects.filter(alert__in=keys).order_by().values_list("alert", "sequence")
        counts.update({(alert, sequence): count for alert, sequence, count in rows.annotate(count=Count("id"))})
        closed |= _count_facts(keys, counts)
    left = [(reading, [one for one in groups if counts[one.key, reading.sequence]]) for reading, groups in grouped]
    for reading, group in _each(left):
        if group.key in closed:
            _open_again(group.key, reading)
    return left


def _count_facts(alerts: Sequence[uuid.UUID], by_publication: Mapping[tuple[uuid.UUID, int], int]) -> set[uuid.UUID]:
    """Returns those that are closed. One without facts is none: nobody was notified."""
    counts: Counter[uuid.UUID] = Counter()
    for (alert, _), count in by_publication.items():
        counts[alert] += count
    closed = set()
    for key, count, state in Alert.objects.filter(pk__in=alerts).values_list("pk", "fact_count", "state"):
        if not counts[key]:
            Alert.objects.filter(pk=key, state=AlertState.NEW, acknowledged_at=None).delete()
        elif count != counts[key]:
            Alert.objects.filter(pk=key).update(fact_count=counts[key])
        if state == AlertState.CLOSED:
            closed.add(key)
    return closed


def _open_again(alert: uuid.UUID, reading: Reading) -> None:
    earlier = {"sequence__lt": reading.sequence, "closed_at__lt": reading.publication.published_at}
    closed = Alert.objects.filter(pk=alert, state=AlertState.CLOSED, **earlier)
    closed.update(**REOPENED, **due_again(), reversal="", reversed_at=None, reversed_by=None)
