"""A stricter threshold for a rule, tried on its own alerts of the past: those that were closed as not relevant, and
those that people acted on.

What is proposed keeps each alert that was acted on, avoids most of the others, and changes the number least. Where none
was acted on, nothing says how strict is too strict, and nothing is proposed. Nothing is changed by it: a person opens
the rule's form with it, tests it on history, and saves it, or does not.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.db.models import QuerySet
from django.utils import timezone

from core.db import in_batches
from monitoring.alerts.conditions import ABOVE, BELOW, DROPS, RISES, WORSE, Condition, parse_condition
from monitoring.alerts.rules import Rule, compile_rule
from monitoring.elements.compare import number_of
from monitoring.elements.paths import Facet, Mistake
from monitoring.models import Alert, AlertItem, AlertKind, AlertRule, AlertState, Change, CloseReason

DAYS = timedelta(days=365)
# In how many days the alerts of any outcome are counted, up to this number.
RAISED_DAYS, MOST_RAISED = 90, 2_000
# The latest of each reason; of fewer that were not relevant, nothing is concluded.
MOST, LEAST = 300, 5
CANDIDATES = 12
# Each alert's changes.
Tried = list[list[Change]]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another number in one condition, and what it would have meant."""

    before: Condition
    after: Condition
    # All conditions of the rule as its form writes them, with the other number.
    conditions: str
    noise: int
    noise_avoided: int
    acted: int
    acted_lost: int = 0
    # Of all in RAISED_DAYS, whatever came of them; None where they are too many to try.
    raised: int | None = None
    still_raised: int = 0


def propose_threshold(row: AlertRule) -> Proposal | None:
    """None where the rule has no number, too few alerts were closed, none was acted on, or no number is better."""
    try:
        rule = compile_rule(row)
    except Mistake:
        return None
    noise = _closed(row, CloseReason.NOISE) if any(map(_is_numeric, rule.conditions)) else []
    acted = _closed(row, CloseReason.ACTED) if len(noise) >= LEAST else []
    if not acted:
        return None
    found = [proposal for other in _others(rule, noise, acted) if (proposal := _tried(rule, *other, noise, acted))]
    best = max(found, key=_merit, default=None)
    return best and _counted(row, rule, best)


def _counted(row: AlertRule, rule: Rule, proposal: Proposal) -> Proposal:
    rows = Alert.objects.filter(rule=row.pk, raised_at__gte=timezone.now() - timedelta(days=RAISED_DAYS))
    raised = _latest(rows, MOST_RAISED + 1)
    if len(raised) > MOST_RAISED:
        return proposal
    stricter = replace(rule, conditions=tuple(map(parse_condition, proposal.conditions.splitlines())))
    return replace(proposal, raised=len(raised), still_raised=len(raised) - _avoided(stricter, raised))


def _is_numeric(condition: Condition) -> bool:
    """A score that gets worse by any number of points may be asked to change by more."""
    return condition.operator in (RISES, DROPS, ABOVE, BELOW, WORSE)


def _closed(row: AlertRule, reason: str) -> Tried:
    rows = Alert.objects.filter(rule=row.pk, close_reason=reason, raised_at__gte=timezone.now() - DAYS)
    return _latest(rows.filter(state=AlertState.CLOSED), MOST)


def _latest(rows: QuerySet[Alert], most: int) -> Tried:
    """Those whose changes are still there."""
    rows = rows.filter(kind=AlertKind.CHANGE).order_by("-raised_at")
    keys = list(rows.values_list("pk", flat=True)[:most])
    items: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    changes: dict[uuid.UUID, Change] = {}
    for batch in in_batches(keys):
        for alert, change in AlertItem.objects.filter(alert__in=batch).values_list("alert", "change"):
            items[alert].append(change)
    for batch in in_batches([change for found in items.values() for change in found]):
        changes.update(Change.objects.in_bulk(batch))
    return [found for its in items.values() if (found := [changes[key] for key in its if key in changes])]


def _others(rule: Rule, noise: Tried, acted: Tried) -> Iterator[tuple[int, Condition]]:
    """Stricter numbers by which some of the noise would not have been raised, for each condition."""
    for index, condition in enumerate(rule.conditions):
        if _is_numeric(condition) and (operator := _operator(rule, condition, [*noise, *acted])):
            numbers = {_just_beyond(condition, max(found)) for its in noise if (found := _sizes(rule, condition, its))}
            stricter = sorted(number for number in numbers if _is_stricter(condition, number))
            for number in stricter[:: max(len(stricter) // CANDIDATES, 1)]:
                yield index, _with_number(condition, operator, number)


def _operator(rule: Rule, condition: Condition, alerts: Tried) -> str:
    """Percentiles get worse when they drop, classes when they rise. Nothing for ratings, which are no numbers, and
    where a rule looks at both."""
    if condition.operator != WORSE:
        return condition.operator
    steps = [_step(facet) for changes in alerts for facet in _met(rule, condition, changes)]
    if not steps or None in steps:
        return ""
    directions = {RISES if step > 0 else DROPS for step in steps if step is not None}
    return directions.pop() if len(directions) == 1 else ""


def _step(facet: Facet) -> Decimal | None:
    before, after = number_of(facet.previous), number_of(facet.current)
    return None if before is None or after is None else after - before


def _met(rule: Rule, condition: Condition, changes: Sequence[Change]) -> Iterator[Facet]:
    return (facet for change in changes for facet in rule.values_of(change) if condition.is_met(facet))


def _sizes(rule: Rule, condition: Condition, changes: Sequence[Change]) -> list[Decimal]:
    """How strictly each value meets it, the more the larger."""
    return [_size(condition, facet) for facet in _met(rule, condition, changes)]


def _size(condition: Condition, facet: Facet) -> Decimal:
    before, after = (number_of(value) or Decimal(0) for value in (facet.previous, facet.current))
    if condition.operator in (ABOVE, BELOW):
        return after if condition.operator == ABOVE else -after
    step = abs(after - before)
    return step * 100 / abs(before) if condition.is_percent else step


def _just_beyond(condition: Condition, size: Decimal) -> Decimal:
    """The next whole number that a value of this size does not meet."""
    if condition.operator == BELOW:
        return (-size).to_integral_value(ROUND_FLOOR)
    whole = size.to_integral_value(ROUND_CEILING)
    return whole if condition.operator == ABOVE else size.to_integral_value(ROUND_FLOOR) + 1


def _is_stricter(condition: Condition, number: Decimal) -> bool:
    return number < condition.number if condition.operator == BELOW else number > condition.number


def _with_number(condition: Condition, operator: str, number: Decimal) -> Condition:
    return parse_condition(f"{operator} {number:f}{' %' if condition.is_percent else ''}")


def _tried(rule: Rule, index: int, other: Condition, noise: Tried, acted: Tried) -> Proposal | None:
    """None where an alert that was acted on would not have been raised."""
    conditions = (*rule.conditions[:index], other, *rule.conditions[index + 1 :])
    stricter = replace(rule, conditions=conditions)
    if _avoided(stricter, acted):
        return None
    avoided = _avoided(stricter, noise)
    if not avoided:
        return None
    text = "\n".join(map(str, conditions))
    return Proposal(rule.conditions[index], other, text, len(noise), avoided, len(acted))


def _avoided(rule: Rule, alerts: Tried) -> int:
    return sum(not any(rule.reason(change) for change in changes) for changes in alerts)


def _merit(proposal: Proposal) -> tuple[int, Decimal]:
    return proposal.noise_avoided, -abs(proposal.after.number - proposal.before.number)
