"""What takes an alert back: restored after deleted, a value that is again what it was.

A fact is undone while a later change that holds takes it back and no still later one sets it again, or while the change
itself no longer holds, because another document came in between the two that were compared. A change that another one
replaces is not taken back: the fact lives on in that one. An alert is taken back
while all its facts are undone. That is worked out anew from what holds now, so a reversal that holds no longer opens
the alert again. What a person has acknowledged gets the note and stays open.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from core.bulk import MOST_PARAMETERS, among
from core.db import in_batches
from core.text import moment_text
from core.visibility import visible_to
from monitoring.alerts.actions import follow_exposure_of
from monitoring.alerts.facts.leaves import changed_leaves, overlap
from monitoring.alerts.facts.replacements import replacing
from monitoring.alerts.facts.reports import About
from monitoring.alerts.workflow.due_times import due_again
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.elements.json_paths import same_value
from monitoring.elements.paths import Facet
from monitoring.history.state import touching
from monitoring.models import AWAKE, REOPENED, Alert, AlertItem, AlertKind, AlertState, Change, Kind
from monitoring.story_order import story_key
from portfolio.models import Company
from portfolio.visibility import scope_of_unit

TAKEN_BACK_BY: Mapping[str, str] = {
    Kind.DELETED: Kind.RESTORED,
    Kind.TRANSFERRED: Kind.RESTORED,
    Kind.UNDER_REVIEW: Kind.REVIEWED,
    Kind.LEFT: Kind.ENTERED,
}
PROGRAM = "the program"
AT_ONCE = 200
# Companies in one query of what happened to each since its own earliest fact.
COMPANIES_IN_A_QUERY = 50
ELEMENTS_IN_A_QUERY = 100


@dataclass(slots=True)
class Stories:
    """The facts of some companies' alerts, and the changes that may undo them."""

    facts: dict[uuid.UUID, list[AlertItem]]
    changes: dict[uuid.UUID, Change]
    by_company: dict[str, list[Change]]
    leaves: dict[uuid.UUID, dict[str, Facet]] = field(default_factory=dict)


def review_reversals(changed: Iterable[About]) -> int:
    """Close what is taken back, and open again what no longer is, among the alerts about what has changed.

    Returns how many alerts changed; the same again changes nothing.
    """
    by_company: dict[str, set[About]] = defaultdict(set)
    for about in changed:
        by_company[about.company].add(about)
    companies = in_batches(sorted(by_company), MOST_PARAMETERS)
    alerts = {alert for batch in companies for alert in _alerts_about(batch, by_company)}
    return sum(_review(batch) for batch in in_batches(sorted(alerts), AT_ONCE))


def review_all_reversals() -> int:
    """The same for every company that has ever had an alert."""
    companies = sorted(set(AlertItem.objects.order_by().values_list("company", flat=True).distinct()))
    return sum(_review(_facts_of(batch).values_list("alert_id", flat=True)) for batch in in_batches(companies, AT_ONCE))


def _facts_of(companies: Sequence[str]) -> QuerySet[AlertItem]:
    return AlertItem.objects.filter(among("company", companies)).order_by()


def _alerts_about(companies: Sequence[str], changed: Mapping[str, Iterable[About]]) -> Iterator[uuid.UUID]:
    """Alerts with a fact that one of these changes may undo, or set again."""
    for alert, *about in _facts_of(companies).values_list("alert_id", "company", "kind", "element"):
        fact = About(*about)
        if any(_may_concern(fact, one) for one in changed[fact.company]):
            yield alert


def _may_concern(fact: About, change: About) -> bool:
    if fact.kind != Kind.ELEMENT or change.kind != Kind.ELEMENT:
        return fact.kind != Kind.ELEMENT and change.kind != Kind.ELEMENT
    return overlap(fact.element, change.element)


def _review(alerts: Iterable[uuid.UUID]) -> int:
    found = _to_review(set(alerts))
    if not found:
        return 0
    stories = _stories([alert.pk for alert in found])
    seen = {unit: _seen_by(unit, stories) for unit in {alert.unit for alert in found}}
    return sum(_apply(alert, _undone_by(seen[alert.unit], stories.facts.get(alert.pk, []))) for alert in found)


def _seen_by(unit: str, stories: Stories) -> Stories:
    """The same, with what a unit's registrations have reported of what may undo the facts."""
    if not unit:
        return stories
    keys = [change.pk for changes in stories.by_company.values() for change in changes]
    seen: set[uuid.UUID] = set()
    for batch in in_batches(sorted(keys)):
        rows = visible_to(scope_of_unit(unit), Change.objects.filter(pk__in=batch))
        seen.update(rows.values_list("pk", flat=True))
    by_company = {
        duns: [change for change in changes if change.pk in seen] for duns, changes in stories.by_company.items()
    }
    return replace(stories, by_company=by_company)


def _to_review(alerts: Collection[uuid.UUID]) -> list[Alert]:
    """Those that are open, and those that the program has closed."""
    found: list[Alert] = []
    for batch in in_batches(sorted(alerts)):
        ours = ~Q(state=AlertState.CLOSED) | Q(closed_by=PROGRAM)
        found += Alert.objects.filter(ours, pk__in=batch, kind=AlertKind.CHANGE).order_by("id")
    return found


def _stories(alerts: Sequence[uuid.UUID]) -> Stories:
    facts: dict[uuid.UUID, list[AlertItem]] = defaultdict(list)
    for batch in in_batches(alerts):
        for fact in AlertItem.objects.filter(alert__in=batch):
            facts[fact.alert_id].append(fact)
    all_facts = [fact for found in facts.values() for fact in found]
    changes: dict[uuid.UUID, Change] = {}
    for keys in in_batches([fact.change for fact in all_facts]):
        changes.update(Change.objects.in_bulk(keys))
    changes |= replacing(changes.values())
    return Stories(facts, changes, _later_changes(changes.values()))


def _later_changes(facts: Iterable[Change]) -> dict[str, list[Change]]:
    """What holds now and may undo one of the facts, in the order of the story: of each company from its earliest fact
    on, about the same elements or of the same kinds."""
    by_company: dict[str, list[Change]] = defaultdict(list)
    for fact in facts:
        by_company[fact.company_id].append(fact)
    found: dict[str, list[Change]] = defaultdict(list)
    for companies in in_batches(sorted(by_company), COMPANIES_IN_A_QUERY):
        later = reduce(or_, (_since_earliest(by_company[duns]) for duns in companies))
        may_undo = _may_undo([fact for duns in companies for fact in by_company[duns]])
        for row in sorted(Change.objects.filter(later, may_undo, superseded=False), key=story_key):
            found[row.company_id].append(row)
    return found


def _since_earliest(facts: Sequence[Change]) -> Q:
    return Q(company=facts[0].company_id, changed_at__gte=min(fact.changed_at for fact in facts))


def _may_undo(facts: Sequence[Change]) -> Q:
    kinds = {fact.kind for fact in facts} & TAKEN_BACK_BY.keys()
    elements = sorted({fact.element for fact in facts if fact.kind == Kind.ELEMENT})
    about_elements = Q(kind=Kind.ELEMENT)
    if len(elements) <= ELEMENTS_IN_A_QUERY:
        about_elements &= touching(elements)
    return about_elements | Q(kind__in=sorted(kinds | {TAKEN_BACK_BY[kind] for kind in kinds}))


def _undone_by(stories: Stories, facts: Sequence[AlertItem]) -> list[Change] | None:
    """The changes that undo the facts, or None while one of them stands. A fact whose change is gone stands."""
    undone: list[Change] = []
    for fact in facts:
        change = stories.changes.get(fact.change)
        undoing = _undoing(stories, change) if change else None
        if undoing is None:
            return None
        undone.append(undoing)
    return undone or None


def _undoing(stories: Stories, change: Change) -> Change | None:
    """What undoes a change: itself, where it was superseded."""
    if change.superseded:
        return change
    undoing: Change | None = None
    for later in stories.by_company.get(change.company_id, []):
        if story_key(later) <= story_key(change):
            continue
        if _goes_back(stories, change, later):
            undoing = later
        elif undoing and _sets_again(stories, change, later):
            undoing = None
    return undoing


def _goes_back(stories: Stories, first: Change, second: Change) -> bool:
    """Whether some value that the first changed is again what it was; a flag that was never set counts as "no"."""
    if first.kind != Kind.ELEMENT:
        return TAKEN_BACK_BY.get(first.kind) == second.kind and _is_about_the_same(first, second)
    return any(_is_back(one, two) for one, two in _pairs(stories, first, second))


def _sets_again(stories: Stories, first: Change, second: Change) -> bool:
    if first.kind != Kind.ELEMENT:
        return first.kind == second.kind and _is_about_the_same(first, second)
    return any(same_value(one.current, two.current) for one, two in _pairs(stories, first, second))


def _is_about_the_same(first: Change, second: Change) -> bool:
    """Who left and who entered is a matter of one registration."""
    return first.kind != Kind.LEFT or first.registration_id == second.registration_id


def _pairs(stories: Stories, first: Change, second: Change) -> list[tuple[Facet, Facet]]:
    """The leaves that both have changed."""
    if second.kind != Kind.ELEMENT or not overlap(first.element, second.element):
        return []
    before, after = _leaves(stories, first), _leaves(stories, second)
    return [(leaf, after[path]) for path, leaf in before.items() if path in after]


def _leaves(stories: Stories, change: Change) -> dict[str, Facet]:
    if change.pk not in stories.leaves:
        stories.leaves[change.pk] = changed_leaves(change)
    return stories.leaves[change.pk]


def _is_back(one: Facet, two: Facet) -> bool:
    if one.current is True:
        return two.current is False or two.current is None
    return same_value(one.previous, two.current) and same_value(one.current, two.previous)


def _apply(alert: Alert, undone: list[Change] | None) -> bool:
    if undone is None:
        return _open_again(alert) if alert.reversal else False
    last = max(undone, key=story_key)
    return False if alert.reversed_by == last.pk else _take_back(alert, last)


def _take_back(alert: Alert, change: Change) -> bool:
    """Note it; closed is only what nobody has taken up, or has opened again."""
    now = timezone.now()
    noted = {"reversal": _note(change), "reversed_at": now, "reversed_by": change.pk}
    rows = Alert.objects.filter(pk=alert.pk, state=alert.state, reversed_by=alert.reversed_by)
    if alert.state == AlertState.NEW and alert.acknowledged_at is None and not alert.reversal:
        noted |= {"state": AlertState.CLOSED, "closed_at": now, "closed_by": PROGRAM, **AWAKE}
    return bool(rows.update(**noted))


def _note(change: Change) -> str:
    if change.superseded:
        return gettext("Reversed: a later document from D&B shows that this change did not happen.")
    change.company = Company.objects.filter(pk=change.company_id).first() or Company(duns=change.company_id)
    words = sentence(lines_of([change])[0])
    return gettext("Reversed on %(moment)s: %(words)s") % {"moment": moment_text(change.changed_at), "words": words}


def _open_again(alert: Alert) -> bool:
    """What took it back holds no longer."""
    opened: dict[str, object] = {"reversal": "", "reversed_at": None, "reversed_by": None}
    if alert.state == AlertState.CLOSED:
        opened |= {**REOPENED, **due_again()}
    is_open = bool(Alert.objects.filter(pk=alert.pk, state=alert.state).update(**opened))
    follow_exposure_of([alert.pk])
    return is_open
