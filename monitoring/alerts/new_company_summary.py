"""What new companies bring along: one summary a registration and day, instead of an alert for each."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.bulk import select_values
from core.db import clean_text, in_batches, insert_new
from core.text import counted
from monitoring.alerts.events import Raised
from monitoring.alerts.rules import Rule, Scope
from monitoring.alerts.workflow.due_times import due_again
from monitoring.elements.formatting import from_json
from monitoring.elements.json_paths import ROOT
from monitoring.elements.paths import name_within
from monitoring.models import (
    REOPENED,
    Alert,
    AlertItem,
    AlertKind,
    AlertRule,
    AlertState,
    Change,
    Kind,
    Notification,
    Publication,
    Severity,
    content_key,
)
from portfolio.models import Company, Registration

SEED = "SEED"
AT_ONCE = 100


class Seed(NamedTuple):
    """A baseline, and where it came from."""

    id: uuid.UUID
    company: str
    registration: uuid.UUID
    delivery: uuid.UUID


COLUMNS = ("id", "company_id", "registration_id", "delivery_id")
# The companies that a publication added, by the keys of their baselines.
Added = tuple[Publication, list[Seed]]
# What a rule waits for, in a baseline, and why it already is so.
Found = tuple[Rule, Seed, str]


def note_baselines(publications: Sequence[Publication], rules: Iterable[Rule]) -> list[Raised]:
    """Count the companies that were added, and note those that already are what a rule waits for."""
    waiting = [rule for rule in rules if rule.takes_baselines]
    first = first_seeds(publications) if waiting else {}
    found = list(_found([seed for its in first.values() for seed in its], waiting))
    registrations = Registration.objects.in_bulk({seed.registration for its in first.values() for seed in its})
    raised: list[Raised] = []
    for (key, registration), added in _by_summary(publications, first).items():
        keys = {publication.delivery_id for publication, _ in added}
        raised += _note(key, registrations[registration], added, [one for one in found if one[1].delivery in keys])
    return raised


def first_seeds(publications: Sequence[Publication]) -> dict[uuid.UUID, list[Seed]]:
    """The baselines of companies that their registration has not brought one of before, by the deliveries that brought
    them."""
    seeds = _seeds("delivery", sorted(row.delivery_id for row in publications))
    others: dict[tuple[str, uuid.UUID], list[Seed]] = defaultdict(list)
    for seed in _seeds("company", sorted({seed.company for seed in seeds})):
        others[seed.company, seed.registration].append(seed)
    its: dict[tuple[uuid.UUID, str], list[Seed]] = defaultdict(list)
    for seed in sorted(seeds):
        its[seed.delivery, seed.company].append(seed)
    first: dict[uuid.UUID, list[Seed]] = defaultdict(list)
    for (delivery, company), told in its.items():
        # Keys begin with the time: what came later makes nothing old.
        known = (one for one in others[company, told[0].registration] if one.delivery != delivery)
        if not any(one.id < told[-1].id for one in known):
            first[delivery].append(told[0])
    return first


def _seeds(column: str, keys: Sequence[Any]) -> list[Seed]:
    found: list[Seed] = []
    for batch in in_batches(keys):
        found += [Seed(*row) for row in select_values(Notification, COLUMNS, **{f"{column}__in": batch}, type=SEED)]
    return found


def _by_summary(
    publications: Iterable[Publication], first: Mapping[uuid.UUID, list[Seed]]
) -> dict[tuple[uuid.UUID, uuid.UUID], list[Added]]:
    """By the alert of a registration and day, and by the registration."""
    added: dict[tuple[uuid.UUID, uuid.UUID], list[Added]] = defaultdict(list)
    for publication in publications:
        if seeds := first.get(publication.delivery_id):
            day, registration = publication.published_at.astimezone(UTC).date(), seeds[0].registration
            added[content_key("baseline", registration, day), registration].append((publication, seeds))
    return added


def _note(key: uuid.UUID, registration: Registration, added: Sequence[Added], found: Sequence[Found]) -> list[Raised]:
    # Most new companies are what no rule waits for: only of the others it is asked whether they are the rule's.
    scope = Scope.of(seed.company for _, seed, _ in found)
    found = [one for one in found if scope.has(one[0], one[1].company, registration.pk)]
    publications = {publication.delivery_id: publication for publication, _ in added}
    # Written again from the rows where it was interrupted; in one transaction, only because that is faster.
    with transaction.atomic():
        insert_new(Alert, [_summary(key, added[0][0], registration)])
        insert_new(AlertItem, list(_facts(key, found, publications, scope)))
        _count(key, added, registration.reference)
    return list(_raised(key, found, publications))


def _raised(key: uuid.UUID, found: Iterable[Found], publications: Mapping[uuid.UUID, Publication]) -> Iterator[Raised]:
    rows: dict[uuid.UUID, dict[uuid.UUID, AlertRule]] = defaultdict(dict)
    for rule, seed, _ in found:
        rows[seed.delivery][rule.key] = rule.row
    alert = Alert.objects.get(pk=key) if rows else None
    for delivery, publication in publications.items():
        if alert and delivery in rows:
            yield Raised(alert, publication.sequence, list(rows[delivery].values()), set())


def _summary(key: uuid.UUID, publication: Publication, registration: Registration) -> Alert:
    """The alert of the registration and day; closed until there is something to note."""
    return Alert(
        id=key,
        kind=AlertKind.BASELINE,
        rule_name=gettext("New companies"),
        registration_id=registration.pk,
        severity=Severity.LOW,
        state=AlertState.CLOSED,
        title=gettext("Companies were added to %(reference)s") % {"reference": registration.reference},
        reason=gettext("These companies already met the rules when their baseline was received."),
        happened_at=publication.published_at,
        raised_at=timezone.now(),
        rate_window=publication.published_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
        sequence=publication.sequence,
    )


def _found(seeds: Sequence[Seed], rules: Sequence[Rule]) -> Iterator[Found]:
    """The baselines that are already so, of whatever companies the rule is."""
    letters = {rule.key: [name_within(path, ROOT) for path in rule.paths] for rule in rules}
    all_letters = set().union(*letters.values())
    by_key = {seed.id: seed for seed in seeds}
    for batch in in_batches(sorted(by_key), AT_ONCE):
        for key, text in select_values(Notification, ("id", "organization"), pk__in=batch):
            if not text or not any(name in text for name in all_letters):
                continue
            named = [rule for rule in rules if any(name in text for name in letters[rule.key])]
            organization: Any = from_json(text)
            for rule in named if isinstance(organization, dict) else ():
                if why := rule.reason_in(organization):
                    yield rule, by_key[key], why


def _facts(
    alert: uuid.UUID, found: Sequence[Found], publications: Mapping[uuid.UUID, Publication], scope: Scope
) -> Iterator[AlertItem]:
    changes = _changes_of(publications) if found else {}
    for rule, seed, why in found:
        company = scope.companies.get(seed.company) or Company(duns=seed.company)
        place = ", ".join(filter(None, [company.name, seed.company, company.city]))
        publication, change = publications[seed.delivery], changes.get(seed.id, seed.id)
        yield AlertItem(
            id=content_key("fact", rule.key, change),
            alert_id=alert,
            rule_name=rule.row.name,
            change=change,
            company=seed.company,
            kind=Kind.BASELINE,
            text=clean_text(f"{place}: {why}"),
            severity=rule.row.severity,
            changed_at=publication.published_at,
            sequence=publication.sequence,
        )


def _changes_of(deliveries: Iterable[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The change that each baseline makes."""
    rows = select_values(Change, ("notification_id", "id"), delivery__in=list(deliveries), kind=Kind.BASELINE)
    return dict(rows)


def _count(key: uuid.UUID, added: Sequence[Added], reference: str) -> None:
    """All but the number of companies is taken from the rows."""
    _add_up(key, {publication.sequence: len(seeds) for publication, seeds in added})
    items = AlertItem.objects.filter(alert=key)
    by_rule = counts_by_rule(items)
    title = title_of(Alert.objects.get(pk=key), reference, by_rule)
    fields: dict[str, Any] = {"fact_count": sum(by_rule.values()), "title": title}
    at = {publication.sequence: publication.published_at for publication, _ in added}
    noted = set(items.filter(sequence__in=list(at)).values_list("sequence", flat=True)) if by_rule else set()
    if noted:
        fields |= {"severity": max(items.values_list("severity", flat=True).distinct())}
    Alert.objects.filter(pk=key).update(**fields)
    if noted:
        _open(key, max(at[sequence] for sequence in noted))


def _add_up(key: uuid.UUID, added: Mapping[int, int]) -> None:
    """Each publication once."""
    while True:
        counted = Alert.objects.values_list("last_counted", flat=True).get(pk=key)
        new = {sequence: count for sequence, count in added.items() if sequence > counted}
        uncounted = Alert.objects.filter(pk=key, last_counted=counted)
        if not new or uncounted.update(total=F("total") + sum(new.values()), last_counted=max(new)):
            return


def _open(key: uuid.UUID, noted_at: datetime) -> None:
    """It had nothing to note so far, or was closed before this came."""
    was_closed = Q(closed_at=None) | Q(closed_at__lt=noted_at)
    closed = Alert.objects.filter(was_closed, pk=key, state=AlertState.CLOSED)
    closed.update(**REOPENED, **due_again())


def counts_by_rule(items: QuerySet[AlertItem]) -> dict[str, int]:
    rows = items.order_by().values_list("rule_name").annotate(found=Count("id"))
    return dict(sorted(rows, key=lambda row: -row[1]))


def title_of(alert: Alert, reference: str, by_rule: Mapping[str, int]) -> str:
    """ "5,000 new companies in ACME_LOD_01: 12 out of business"."""
    added = ngettext(
        "%(count)s new company in %(reference)s", "%(count)s new companies in %(reference)s", alert.total
    ) % {"count": counted(alert.total), "reference": reference}
    if not by_rule:
        return gettext("%(added)s, no findings") % {"added": added}
    found = ", ".join(f"{counted(count)} × {name}" for name, count in by_rule.items())
    return gettext("%(added)s: %(found)s") % {"added": added, "found": found}
