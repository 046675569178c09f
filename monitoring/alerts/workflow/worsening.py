"""Alerts that somebody has acknowledged or snoozed are open again when they get worse, and say why.

An alert is worse by what a publication brings: a fact of its own that is more severe than those it had; or a change of
a value that one of its facts is about, later in the story, that is worse than all that was known of this value since
that fact. So the same value reported once more, by another registration, in another document or by a replay, is no
reason, and neither is a value that is worse than the last one but not than what people have seen.

Where there are business units, only what one of the alert's registrations reported counts, so that no unit reads what
another's were told; of a rule that is limited to registrations, what one of those reported.

Each alert keeps the publication that reopened it, so that one that is read again reopens nothing. The comment and the
audit entry are written from the alert's row, under keys made of it: whoever is killed before leaves them to whoever
reads the publication again.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core.audit import entry_of, record_once
from core.bulk import MOST_PARAMETERS, among
from core.db import clean_text, in_batches, insert_new
from core.ids import time_first_key
from core.models import unrestricted
from monitoring.alerts.actions import UNHANDLED
from monitoring.alerts.auto_resolve import PROGRAM
from monitoring.alerts.facts.leaves import changed_leaves, overlap
from monitoring.alerts.facts.reports import About, Brought, can_raise
from monitoring.alerts.own_alerts import count_own_alerts
from monitoring.alerts.rules import split
from monitoring.alerts.workflow.due_times import due_again
from monitoring.alerts.workflow.inbox import is_snoozed, snoozed
from monitoring.audiences import Registrations, members_of
from monitoring.elements.compare import course, is_worse, number_of
from monitoring.elements.formatting import label_of_path, short
from monitoring.elements.paths import Facet
from monitoring.history.state import touching
from monitoring.models import (
    AWAKE,
    Alert,
    AlertComment,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Kind,
    Observation,
    Publication,
    Severity,
    Verb,
)
from monitoring.story_order import story_key
from portfolio.visibility import chosen_registrations

COMPANIES_IN_A_QUERY = 50


@dataclass(frozen=True, slots=True)
class Worse:
    """The change by which an alert is worse, and why, in a sentence."""

    change: uuid.UUID
    text: str


@dataclass(frozen=True, slots=True)
class Worsened:
    """An alert that is open again, and the publication because of which it is."""

    alert: Alert
    publication: Publication


@dataclass(slots=True)
class Known:
    """What is known about alerts: their facts, and all changes since of the elements that these are about."""

    facts: dict[uuid.UUID, list[AlertItem]] = field(default_factory=lambda: defaultdict(list))
    # Of each company in the order of the story.
    stories: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    # Of each change, the publications that brought it, by who reported it.
    reports: dict[uuid.UUID, dict[uuid.UUID, int]] = field(default_factory=lambda: defaultdict(dict))
    # Of each alert, the registrations that reported it; of none while there are no business units.
    reporters: dict[uuid.UUID, Registrations] = field(default_factory=dict)
    # Of each rule, the registrations that it is limited to; None where it is not.
    limits: dict[uuid.UUID, Registrations | None] = field(default_factory=dict)

    def story_of(self, alert: Alert) -> Iterator[tuple[Change, int]]:
        """What counts for it, with the publication that brought each first."""
        limit = self.limits.get(alert.rule_id) if alert.rule_id else None
        own = self.reporters.get(alert.pk) if limit is None else limit
        for change in self.stories.get(alert.company_id or "", ()):
            reports = self.reports[change.pk].items()
            if told := [sequence for registration, sequence in reports if own is None or registration in own]:
                yield change, min(told)


def reopen_worsened(brought: Sequence[Brought]) -> list[Worsened]:
    """Returns the alerts that these publications have reopened; the same publications again reopen none, and return
    the same."""
    subjects = {about for its in brought for about in its.subjects}
    publications = {its.publication.sequence: its.publication for its in brought}
    found = list(_handled({about.company for about in subjects}, publications))
    before = [Worsened(alert, publications[alert.worse_at]) for alert in found if alert.worse_at in publications]
    for one in before:
        _note(one.alert, one.publication)
    alerts = [alert for alert in found if _is_handled(alert)]
    known = _known(alerts, subjects) if alerts else Known()
    reopened = [
        Worsened(alert, publication)
        for publication in publications.values()
        for row in alerts
        if (why := _worse_by(known, row, publication.sequence)) and (alert := _reopen(row, why, publication))
    ]
    count_own_alerts({one.alert.assignee_id for one in reopened if one.alert.assignee_id})
    return [*before, *reopened]


def _handled(companies: Iterable[str], sequences: Collection[int]) -> Iterator[Alert]:
    """Acknowledged, or snoozed unless it gets worse; and those that these publications reopened before."""
    handled = Q(state=AlertState.ACKNOWLEDGED) | snoozed() & Q(wakes_if_worse=True) | Q(worse_at__in=list(sequences))
    for batch in in_batches(sorted(companies), MOST_PARAMETERS // 2):
        yield from Alert.objects.filter(handled, among("company", batch), kind=AlertKind.CHANGE).order_by("id")


def _is_handled(alert: Alert) -> bool:
    return alert.state == AlertState.ACKNOWLEDGED or (is_snoozed(alert) and alert.wakes_if_worse)


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
    for row in sorted(rows, key=story_key):
        known.stories[row.company_id].append(row)
    if rows:
        _note_reports(known, rows)
        known.reporters = {} if unrestricted() else _reporters(alerts)
        known.limits = _limits({alert.rule_id for alert in alerts if alert.rule_id})
    return known


def _note_reports(known: Known, rows: Sequence[Change]) -> None:
    """By its own publication, and where others reported it too, by theirs; also of what it replaced."""
    reports = [(row.pk, row.registration_id, row.delivery_id) for row in rows]
    reports += [(row.replaced_by, row.registration_id, row.delivery_id) for row in rows if row.replaced_by]
    shared = [row.pk for row in rows if row.audience]
    others = Observation.objects.filter(change__in=shared, verb=Verb.OBSERVED)
    reports += others.values_list("change_id", "registration_id", "delivery_id") if shared else ()
    published = Publication.objects.filter(delivery__in={delivery for _, _, delivery in reports})
    sequences = dict(published.values_list("delivery_id", "sequence"))
    for change, registration, delivery in reports:
        if sequence := sequences.get(delivery):
            known_one = known.reports[change].get(registration, sequence)
            known.reports[change][registration] = min(sequence, known_one)


def _reporters(alerts: Sequence[Alert]) -> dict[uuid.UUID, Registrations]:
    members = members_of(alert.audience for alert in alerts)
    found: dict[uuid.UUID, Registrations] = {}
    for alert in alerts:
        own = frozenset([alert.registration_id] if alert.registration_id else [])
        found[alert.pk] = own | (members[alert.audience] if alert.audience else frozenset())
    return found


def _limits(rules: Collection[uuid.UUID]) -> dict[uuid.UUID, Registrations | None]:
    rows = AlertRule.objects.filter(pk__in=list(rules)).values_list("pk", "registrations", "unit_id")
    return {key: chosen_registrations(split(registrations), unit) for key, registrations, unit in rows}


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
    return _worse_value(facts, list(known.story_of(alert)), sequence) or _more_severe_fact(facts, sequence)


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


def _reopen(alert: Alert, why: Worse, publication: Publication) -> Alert | None:
    """Unless a person has done something about it since. Snoozed whatever happens, it is new when it returns."""
    as_read = ("state", "acknowledged_at", "snoozed_until", "worse_at")
    rows = Alert.objects.filter(pk=alert.pk, **{name: getattr(alert, name) for name in as_read})
    stays_snoozed = is_snoozed(alert) and not alert.wakes_if_worse
    opened = {name: value for name, value in UNHANDLED.items() if not (stays_snoozed and name in AWAKE)}
    before = {name: getattr(alert, name) for name in opened}
    text = clean_text(why.text)
    opened |= {"reopened_because": text, "worse_at": publication.sequence, "worse_by": why.change}
    if not rows.update(**opened, **({} if stays_snoozed else due_again())):
        return None
    # The row stays as it was read: what follows in the same batch does not reopen it once more.
    reopened = copy(alert)
    for name, value in opened.items():
        setattr(reopened, name, value)
    _note(reopened, publication, before)
    return reopened


def _note(alert: Alert, publication: Publication, before: Mapping[str, object] | None = None) -> None:
    """However often; what it was before is known only to whoever has just reopened it."""
    key = time_first_key(publication.published_at, "worse", alert.pk, publication.sequence)
    summary = gettext("Alert reopened: the situation got worse. %(title)s") % {"title": alert.title}
    record_once(key, entry_of(actor=PROGRAM, action="alert.worse", thing=alert, summary=summary, before=before))
    text = alert.reopened_because or gettext("Reopened: the situation got worse.")
    row = AlertComment(id=key, alert_id=alert.pk, by=PROGRAM, at=timezone.now(), text=text, change=alert.worse_by)
    insert_new(AlertComment, [row])
