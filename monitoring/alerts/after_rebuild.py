"""After a rebuild: alerts tell what holds.

An alert may stand on a comparison that a rebuild has put right: two documents were compared that were no neighbours.
What holds at its moment about the same element takes its place where the alert's rule takes it, so that an alert is not
closed for a wrong step while the right ones are told to nobody. No alert is raised by that and nobody is notified; what
a person has acknowledged or closed stays as that person saw it. Where another change reports the same fact, the alert
has that one from now on, whoever has seen it.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from core.db import in_batches, insert_new
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.evaluate import fact_of
from monitoring.alerts.facts.audiences import stamp_alerts
from monitoring.alerts.facts.matches import Match
from monitoring.alerts.facts.replacements import is_replaced, move_facts, tell, words_of
from monitoring.alerts.facts.reports import can_raise
from monitoring.alerts.rules import Rule, compile_rule
from monitoring.elements.paths import Mistake
from monitoring.models import Alert, AlertItem, AlertKind, AlertRule, AlertState, Change
from monitoring.story_order import OLDEST_FIRST, story_key

AT_ONCE = 200
# What one comparison is about: a registration's company, the element, and when.
About = tuple[uuid.UUID, str, str, datetime]


def correct_alerts() -> int:
    """Give the facts of all alerts to the changes that hold; returns how many open alerts tell something else now."""
    companies = AlertItem.objects.order_by().values_list("company", flat=True).distinct()
    rules = {row.pk: row for row in AlertRule.objects.all()}
    return sum(_correct(batch, rules) for batch in in_batches(sorted(set(companies)), AT_ONCE))


def _correct(companies: Sequence[str], rules: dict[uuid.UUID, AlertRule]) -> int:
    facts, changes = _facts_of(companies)
    _keep_places(facts, changes)
    moved = move_facts(change for change in changes.values() if is_replaced(change))
    gone: dict[uuid.UUID, list[AlertItem]] = defaultdict(list)
    for fact in facts:
        change = changes.get(fact.change)
        if change and change.superseded and not is_replaced(change):
            gone[fact.alert_id].append(fact)
    holding = _holding(changes[fact.change] for found in gone.values() for fact in found)
    corrected = _count_new(moved)
    for alert in _alerts(list(gone)):
        rule = _compiled(rules.get(alert.rule_id)) if alert.rule_id else None
        corrected += rule is not None and _move_facts(alert, rule, gone[alert.pk], changes, holding)
    stamp_alerts(fact.alert_id for fact in facts)
    return corrected


def _count_new(alerts: Iterable[uuid.UUID]) -> int:
    batches = in_batches(sorted(alerts))
    return sum(Alert.objects.filter(pk__in=keys, state=AlertState.NEW).count() for keys in batches)


def _facts_of(companies: Sequence[str]) -> tuple[list[AlertItem], dict[uuid.UUID, Change]]:
    facts = list(AlertItem.objects.filter(company__in=companies).order_by("sequence", "id"))
    changes: dict[uuid.UUID, Change] = {}
    for keys in in_batches([fact.change for fact in facts]):
        changes.update(Change.objects.in_bulk(keys))
    return facts, changes


def _keep_places(facts: Iterable[AlertItem], changes: dict[uuid.UUID, Change]) -> None:
    """A fact stands in the story where its change stands."""
    for fact in facts:
        change = changes.get(fact.change)
        if change and fact.place != change.place:
            AlertItem.objects.filter(pk=fact.pk).update(place=change.place)


def _about(change: Change) -> About:
    return change.registration_id, change.company_id, change.element, change.changed_at


def _holding(superseded: Iterable[Change]) -> dict[About, list[Change]]:
    """The comparisons that hold, by what they are about, in the order of the story."""
    needed = {_about(change) for change in superseded}
    found: dict[About, list[Change]] = defaultdict(list)
    for moments in in_batches(sorted({moment for *_, moment in needed})):
        rows = Change.objects.filter(changed_at__in=moments, superseded=False).exclude(derived_from="")
        for row in rows.filter(company__in={company for _, company, *_ in needed}).order_by(*OLDEST_FIRST):
            if _about(row) in needed:
                found[_about(row)].append(row)
    return found


def _alerts(keys: Sequence[uuid.UUID]) -> list[Alert]:
    """Those that no person has taken up or closed."""
    found: list[Alert] = []
    untouched = Q(state=AlertState.NEW) | Q(state=AlertState.CLOSED, closed_by=PROGRAM)
    for batch in in_batches(sorted(keys)):
        rows = Alert.objects.filter(untouched, pk__in=batch, kind=AlertKind.CHANGE, acknowledged_at=None)
        found += rows.order_by("id")
    return found


def _compiled(row: AlertRule | None) -> Rule | None:
    try:
        return compile_rule(row) if row else None
    except Mistake:
        return None


def _move_facts(
    alert: Alert,
    rule: Rule,
    gone: Sequence[AlertItem],
    changes: dict[uuid.UUID, Change],
    holding: dict[About, list[Change]],
) -> bool:
    """False where nothing takes their place here: they stay, and say why the alert is taken back."""
    about = {_about(changes[fact.change]): fact for fact in gone}
    found = [(fact, change) for key, fact in about.items() for change in holding.get(key, [])]
    matches = [
        (fact, Match(rule, change, reason, change.registration_id))
        for fact, change in found
        if can_raise(change) and (reason := rule.reason(change))
    ]
    if not matches:
        return False
    words = words_of([match.change for _, match in matches])
    facts = [fact_of(alert.pk, match, words[match.change.pk], fact.sequence) for fact, match in matches]
    insert_new(AlertItem, facts)
    own = set(AlertItem.objects.filter(pk__in=[fact.pk for fact in facts], alert=alert.pk).values_list("pk", flat=True))
    told = [match for _, match in matches if match.fact in own]
    if told:
        moved = {_about(match.change) for match in told}
        _say_what_holds(alert, [fact for fact in gone if _about(changes[fact.change]) in moved], told, words)
    return bool(told) and alert.state == AlertState.NEW


def _say_what_holds(
    alert: Alert, left: Sequence[AlertItem], told: Iterable[Match], words: dict[uuid.UUID, str]
) -> None:
    AlertItem.objects.filter(pk__in=[fact.pk for fact in left]).delete()
    first = min(told, key=lambda match: story_key(match.change))
    title, happened_at = words[first.change.pk], first.change.changed_at
    tell(alert.pk, {fact.text for fact in left}, title=title, happened_at=happened_at, reason=first.reason)
