"""The facts of alerts whose changes were replaced: they live on in the change that reports the same fact.

Nobody is notified of that: the alert stays, and says what the other change says.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Container, Iterable, Mapping
from datetime import datetime
from typing import Any

from core.db import in_batches, insert_new
from monitoring.company_page.timeline import lines_of, sentence
from monitoring.models import Alert, AlertItem, Change, content_key
from portfolio.companies.search import with_companies


def is_replaced(change: Change) -> bool:
    return change.superseded and change.replaced_by is not None


def replacing(changes: Iterable[Change]) -> dict[uuid.UUID, Change]:
    """For those that were replaced: the change at the end, where one that replaces was itself replaced."""
    known = {change.pk: change for change in changes}
    waiting = _named(known.values()) - known.keys()
    while waiting:
        found: dict[uuid.UUID, Change] = {}
        for keys in in_batches(list(waiting)):
            found.update(Change.objects.in_bulk(keys))
        known |= found
        waiting = _named(found.values()) - known.keys()
    ends = {key: _end(change, known) for key, change in known.items() if is_replaced(change)}
    return {key: end for key, end in ends.items() if end.pk != key}


def _named(changes: Iterable[Change]) -> set[uuid.UUID]:
    return {change.replaced_by for change in changes if change.superseded and change.replaced_by}


def _end(change: Change, known: Mapping[uuid.UUID, Change]) -> Change:
    seen: set[uuid.UUID] = set()
    while change.superseded and change.replaced_by and change.replaced_by in known and change.pk not in seen:
        seen.add(change.pk)
        change = known[change.replaced_by]
    return change


def move_facts(replaced: Iterable[Change], written: Container[uuid.UUID] = ()) -> set[uuid.UUID]:
    """Give the facts of these changes to what replaces them; returns the alerts that say something else now.

    The same again changes nothing. A fact stays where it is while another alert of its rule has the other change; but
    one that was `written` just now, of which nobody was notified, goes.
    """
    ends = replacing(replaced)
    facts: list[AlertItem] = []
    for keys in in_batches(list(ends)):
        companies = {ends[key].company_id for key in keys}
        facts += AlertItem.objects.filter(company__in=companies, change__in=keys)
    return _move(facts, ends, written) if facts else set()


def _move(
    facts: Collection[AlertItem], ends: Mapping[uuid.UUID, Change], written: Container[uuid.UUID]
) -> set[uuid.UUID]:
    rules = _rules_of({fact.alert_id for fact in facts})
    words = words_of([ends[fact.change] for fact in facts])
    moved: set[uuid.UUID] = set()
    for fact in facts:
        end = ends[fact.change]
        # Facts of a rule that is gone are none that it could raise again.
        key = content_key("fact", rules.get(fact.alert_id) or fact.alert_id, end.pk)
        insert_new(AlertItem, [_as_told_by(end, fact, key, words[end.pk])])
        if AlertItem.objects.filter(pk=key, alert=fact.alert_id).exists():
            AlertItem.objects.filter(pk=fact.pk).delete()
            tell(fact.alert_id, {fact.text}, title=words[end.pk], happened_at=end.changed_at)
            moved.add(fact.alert_id)
        elif fact.pk in written:
            AlertItem.objects.filter(pk=fact.pk).delete()
    return moved


def _rules_of(alerts: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID | None]:
    rules: dict[uuid.UUID, uuid.UUID | None] = {}
    for keys in in_batches(sorted(alerts)):
        rules.update(Alert.objects.filter(pk__in=keys).values_list("pk", "rule_id"))
    return rules


def _as_told_by(end: Change, fact: AlertItem, key: uuid.UUID, text: str) -> AlertItem:
    return AlertItem(
        id=key,
        alert_id=fact.alert_id,
        rule_name=fact.rule_name,
        change=end.pk,
        company=end.company_id,
        kind=end.kind,
        element=end.element,
        text=text,
        severity=end.severity,
        changed_at=end.changed_at,
        place=end.place,
        sequence=fact.sequence,
    )


def words_of(changes: Iterable[Change]) -> dict[uuid.UUID, str]:
    rows = list({change.pk: change for change in changes}.values())
    with_companies(rows)
    return {line.change.pk: sentence(line) for line in lines_of(rows)}


def tell(alert: uuid.UUID, left: Collection[str], *, title: str, happened_at: datetime, **more: Any) -> None:
    """The alert counts its facts again, and is named by another one where its title was a text that it has `left`."""
    rows = Alert.objects.filter(pk=alert)
    rows.update(fact_count=AlertItem.objects.filter(alert=alert).count())
    rows.filter(title__in=left).update(title=title, happened_at=happened_at, **more)
