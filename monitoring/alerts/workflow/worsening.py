"""Alerts that somebody has acknowledged or snoozed are open again when they get worse, and say why.

An alert is worse by what a publication brings: a fact of its own that is more severe than those it had; or a change of
a value that one of its facts is about, later in the story, that is worse than all that was known of this value since
that fact. So the same value reported once more, by another registration, in another document or by a replay, is no
reason, and neither is a value that is worse than the last one but not than what people have seen.

Each alert keeps the publication that reopened it, so that one that is read again reopens nothing.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import record
from core.db import clean_text, in_batches, insert_new
from monitoring.alerts.actions import UNHANDLED
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.leaves import changed_leaves, overlap
from monitoring.alerts.facts.reports import About, Brought, can_raise
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.alerts.workflow.due_times import due_again
from monitoring.alerts.workflow.inbox import awake, snoozed
from monitoring.elements.compare import course, is_worse, number_of
from monitoring.elements.formatting import label_of_path, short
from monitoring.elements.paths import Facet
from monitoring.history.state import touching
from monitoring.models import (
    Alert,
    AlertComment,
    AlertItem,
    AlertKind,
    AlertState,
    Change,
    Kind,
    Publication,
    Severity,
    content_key,
)
from monitoring.story_order import story_key

COMPANIES_IN_A_QUERY = 50


@dataclass(frozen=True, slots=True)
class Worse:
    """The change by which an alert is worse, and why, in a sentence."""

    change: uuid.UUID
    text: str


@dataclass(slots=True)
class Known:
    """What is known about alerts: their facts, and all changes since of the elements that these are about."""

    facts: dict[uuid.UUID, list[AlertItem]] = field(default_factory=lambda: defaultdict(list))
    # Of each company in the order of the story, with the publication that brought each.
    stories: dict[str, list[tuple[Change, int]]] = field(default_factory=lambda: defaultdict(list))


def reopen_worsened(brought: Sequence[Brought]) -> int:
    """Returns how many alerts are open again; the same publications again reopen none."""
    subjects = {about for its in brought for about in its.subjects}
    alerts = list(_handled({about.company for about in subjects}))
    known = _known(alerts, subjects) if alerts else Known()
    reopened = [
        alert
        for its in brought
        for alert in alerts
        if (why := _worse_by(known, alert, its.publication.sequence)) and _reopen(alert, why, its.publication.sequence)
    ]
    count_own_alerts({alert.assignee_id for alert in reopened if alert.assignee_id})
    return len(reopened)


def _handled(companies: Iterable[str]) -> Iterator[Alert]:
    """Acknowledged, or snoozed unless it gets worse."""
    handled = Q(state=AlertState.ACKNOWLEDGED) & awake() | snoozed() & Q(wakes_if_worse=True)
    for batch in in_batches(sorted(companies)):
        yield from Alert.objects.filter(handled, company__in=batch, kind=AlertKind.CHANGE).order_by("id")


def _known(alerts: Sequence[Alert], subjects: set[About]) -> Known:
    known = Known()
    for batch in in_batches([alert.pk for alert in alerts]):
        for fact in AlertItem.objects.filter(alert__in=batch).order_by("changed_at", "place", "id"):
            known.facts[fact.alert_id].append(fact)
    elements: dict[str, set[str]] = defaultdict(set)
    for about in subjects:
        elements[about.company] |= {about.element} if about.kind == Kind.ELEMENT else set()
    facts = [fact for found in known.facts.values() for fact in found if fact.kind == Kind.ELEMENT]
    rows = list(_changes_since(fact for fact in facts if any(overlap(fact.element, e) for e in elements[fact.company])))
    published = Publication.objects.filter(delivery__in={row.delivery_id for row in rows}) if rows else ()
    sequences = {publication.delivery_id: publication.sequence for publication in published}
    for row in sorted(rows, key=story_key):
        if row.delivery_id in sequences:
            known.stories[row.company_id].append((row, sequences[row.delivery_id]))
    return known


def _changes_since(facts: Iterable[AlertItem]) -> Iterator[Change]:
    """What holds, or is reported by another change, of the same elements: from each company's earliest fact on."""
    by_company: dict[str, list[AlertItem]] = defaultdict(list)
    for fact in facts:
        by_company[fact.company].append(fact)
    for companies in in_batches(sorted(by_company), COMPANIES_IN_A_QUERY):
        since = reduce(or_, (_since_first(by_company[duns]) for duns in companies))
        yield from Change.objects.filter(since, Q(superseded=False) | ~Q(replaced_by=None), kind=Kind.ELEMENT)


def _since_first(facts: Sequence[AlertItem]) -> Q:
    first = min(fact.changed_at for fact in facts)
    return Q(company=facts[0].company, changed_at__gte=first) & touching(sorted({fact.element for fact in facts}))


def _worse_by(known: Known, alert: Alert, sequence: int) -> Worse | None:
    """By what the publication brought, unless it was open again because of that, or of a later one."""
    if sequence <= alert.worse_at:
        return None
    facts = known.facts.get(alert.pk, [])
    story = known.stories.get(alert.company_id or "", [])
    return _worse_value(facts, story, sequence) or _more_severe_fact(facts, sequence)


def _more_severe_fact(facts: Sequence[AlertItem], sequence: int) -> Worse | None:
    before = max((fact.severity for fact in facts if fact.sequence < sequence), default=Severity.CRITICAL)
    for fact in facts:
        if fact.sequence == sequence and fact.severity > before:
            return Worse(fact.change, gettext("A more severe change: %(change)s.") % {"change": fact.text})
    return None


def _worse_value(facts: Sequence[AlertItem], story: Sequence[tuple[Change, int]], sequence: int) -> Worse | None:
    """By the latest of the changes that are worse; of several values, by the first."""
    changes = {change.pk: change for change, published in story if published < sequence}
    for fact in facts:
        own = changes.get(fact.change)
        later = [one for one in story if own and story_key(one[0]) >= story_key(own)]
        for path in changed_leaves(own) if own and fact.sequence < sequence else ():
            if worse := _worse_at(path, later, sequence):
                return worse
    return None


def _worse_at(path: str, later: Sequence[tuple[Change, int]], sequence: int) -> Worse | None:
    told = [(row, published, leaf) for row, published in later if (leaf := changed_leaves(row).get(path))]
    before = [(row, leaf) for row, published, leaf in told if published < sequence]
    worst = reduce(lambda one, other: _worst(path, one, other), (leaf.current for _, leaf in before))
    severity = max(row.severity for row, _ in before)
    found = None
    for row, published, leaf in told:
        is_new = published == sequence and not row.superseded and can_raise(row)
        if is_new and (is_worse(step := Facet(path, worst, leaf.current)) or _is_more_severe(row, severity, step)):
            found = Worse(row.pk, _words(step))
    return found


def _worst(path: str, one: Any, other: Any) -> Any:
    return other if is_worse(Facet(path, one, other)) else one


def _is_more_severe(row: Change, before: int, step: Facet) -> bool:
    """For values that are neither better nor worse in themselves."""
    return row.severity > before and not course(step.path, step.previous, step.current)


def _words(step: Facet) -> str:
    names = {"element": label_of_path(step.path), "before": short(step.previous), "after": short(step.current)}
    before, after = number_of(step.previous), number_of(step.current)
    if before is None or after is None:
        return gettext("%(element)s got worse, from %(before)s to %(after)s.") % names
    if after < before:
        return gettext("%(element)s fell further, from %(before)s to %(after)s.") % names
    return gettext("%(element)s rose further, from %(before)s to %(after)s.") % names


def _reopen(alert: Alert, why: Worse, sequence: int) -> bool:
    """Unless a person has done something about it since."""
    as_read = ("state", "acknowledged_at", "snoozed_until", "worse_at")
    rows = Alert.objects.filter(pk=alert.pk, **{name: getattr(alert, name) for name in as_read})
    text = clean_text(why.text)
    if not rows.update(**UNHANDLED | {"reopened_because": text, "worse_at": sequence}, **due_again()):
        return False
    key = content_key("worse", alert.pk, why.change)
    insert_new(AlertComment, [AlertComment(id=key, alert_id=alert.pk, by=PROGRAM, at=timezone.now(), text=text)])
    summary = gettext("Alert reopened because it got worse: %(title)s") % {"title": alert.title}
    before = {name: getattr(alert, name) for name in UNHANDLED}
    record(actor=PROGRAM, action="alert.worse", thing=alert, summary=summary, before=before)
    return True
