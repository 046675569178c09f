"""What takes an alert back: restored after deleted, a value that is again what it was."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from monitoring.conditions import leaves
from monitoring.history import same_value
from monitoring.models import Alert, AlertFact, AlertKind, AlertState, Change, Kind
from monitoring.paths import Facet
from monitoring.wording import from_json
from portfolio.rows import in_batches
from portfolio.wording import moment_text

TAKEN_BACK_BY: Mapping[str, str] = {
    Kind.DELETED: Kind.RESTORED,
    Kind.TRANSFERRED: Kind.RESTORED,
    Kind.UNDER_REVIEW: Kind.REVIEWED,
    Kind.LEFT: Kind.ENTERED,
}
PROGRAM = "the program"
MOST_FACTS = 5_000


def note_reversals(changes: Sequence[Change], in_words: Callable[[Change], str]) -> int:
    """Note on open alerts what these changes take back; close those that nobody has taken up. Returns how many."""
    noted = 0
    for batch in in_batches(_candidates(changes)):
        known = _open_facts({change.company_id for change in batch})
        for change in batch:
            facts = [fact for fact in known if fact.company == change.company_id]
            alerts = _taken_back(change, facts)
            noted += _note(change, alerts, in_words(change)) if alerts else 0
    return noted


def _candidates(changes: Sequence[Change]) -> list[Change]:
    """Not by weight: that somebody is solvent again may weigh little."""
    return [change for change in changes if change.kind == Kind.ELEMENT or change.kind in TAKEN_BACK_BY.values()]


def _open_facts(companies: set[str]) -> list[AlertFact]:
    facts = list(AlertFact.objects.filter(company__in=companies).order_by("-changed_at")[:MOST_FACTS])
    open_alerts = Alert.objects.filter(pk__in={fact.alert_id for fact in facts}, kind=AlertKind.CHANGE)
    still = set(open_alerts.exclude(state=AlertState.CLOSED).values_list("pk", flat=True)) if facts else set()
    return [fact for fact in facts if fact.alert_id in still]


def _taken_back(change: Change, facts: Iterable[AlertFact]) -> set[uuid.UUID]:
    """The alerts with a fact that this change takes back."""
    earlier = [fact for fact in facts if fact.changed_at <= change.changed_at and fact.change != change.pk]
    if change.kind != Kind.ELEMENT:
        return {fact.alert_id for fact in earlier if TAKEN_BACK_BY.get(fact.kind) == change.kind}
    earlier = [fact for fact in earlier if fact.kind == Kind.ELEMENT and _overlap(fact.element, change.element)]
    rows = Change.objects.in_bulk([fact.change for fact in earlier]) if earlier else {}
    return {fact.alert_id for fact in earlier if fact.change in rows and _goes_back(rows[fact.change], change)}


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def _goes_back(first: Change, second: Change) -> bool:
    """Whether some value that the first changed is again what it was; a flag that was never set counts as "no"."""
    after = {leaf.path: leaf for leaf in _leaves(second)}
    pairs = [(leaf, after[leaf.path]) for leaf in _leaves(first) if leaf.path in after]
    return any(_is_back(one, two) for one, two in pairs)


def _leaves(change: Change) -> Iterable[Facet]:
    for leaf in leaves(Facet(change.element, from_json(change.previous), from_json(change.current))):
        if not same_value(leaf.previous, leaf.current):
            yield leaf


def _is_back(one: Facet, two: Facet) -> bool:
    if one.current is True:
        return two.current is False or two.current is None
    return same_value(one.previous, two.current) and same_value(one.current, two.previous)


def _note(change: Change, alerts: set[uuid.UUID], words: str) -> int:
    """Once for each alert: what is noted already stays."""
    now = timezone.now()
    text = gettext("Taken back on %(moment)s: %(words)s") % {"moment": moment_text(change.changed_at), "words": words}
    rows = Alert.objects.filter(pk__in=alerts, reversed_at__isnull=True)
    count = rows.filter(~Q(state=AlertState.NEW)).update(reversal=text, reversed_at=now)
    return count + rows.filter(state=AlertState.NEW).update(
        reversal=text, reversed_at=now, state=AlertState.CLOSED, closed_at=now, closed_by=PROGRAM
    )
