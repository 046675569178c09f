"""What new companies bring along: one summary a registration and day, instead of an alert for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

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
    AlertState,
    Change,
    Delivery,
    Kind,
    Notification,
    Publication,
    Severity,
    content_key,
)
from portfolio.models import Company

SEED = "SEED"
AT_ONCE = 50


def with_baselines(publications: Sequence[Publication], rules: Iterable[Rule]) -> list[Publication]:
    """Those that brought whole documents, where a rule waits for what they may hold."""
    if not any(rule.takes_baselines for rule in rules):
        return []
    deliveries = [publication.delivery_id for publication in publications]
    seeds = Notification.objects.filter(delivery__in=deliveries, type=SEED).order_by()
    found = set(seeds.values_list("delivery_id", flat=True).distinct())
    return [publication for publication in publications if publication.delivery_id in found]


def note_baselines(publication: Publication, rules: Sequence[Rule]) -> list[Raised]:
    """Count the companies that were added, and note those that already are what a rule waits for."""
    rules = [rule for rule in rules if rule.takes_baselines]
    seeds = first_seeds(publication) if rules else {}
    if not seeds:
        return []
    delivery = Delivery.objects.select_related("registration").get(pk=publication.delivery_id)
    matches = list(_matches(seeds, rules, delivery))
    # Most new companies are what no rule waits for: only of the others it is asked whether they are the rule's.
    scope = Scope.of(duns for _, duns, *_ in matches)
    found = [match for match in matches if scope.has(match[0], match[1], delivery.registration_id)]
    # Written again from the rows where it was interrupted; in one transaction, only because that is faster.
    with transaction.atomic():
        key = _summary(publication, delivery)
        insert_new(AlertItem, [_fact(publication, key, scope, *match) for match in found])
        _count(publication, key, delivery, len(seeds))
    if not found:
        return []
    rows = {rule.key: rule.row for rule, *_ in found}
    return [Raised(Alert.objects.get(pk=key), publication.sequence, list(rows.values()), set())]


def first_seeds(publication: Publication) -> dict[uuid.UUID, str]:
    """The baselines of companies that this registration has not brought one of before, with their companies."""
    rows = Notification.objects.filter(delivery=publication.delivery_id, type=SEED).order_by("id")
    seeds = list(rows.values_list("pk", "company_id", "registration_id"))
    known: set[tuple[str, uuid.UUID]] = set()
    for batch in in_batches(seeds):
        companies = {company for _, company, _ in batch}
        others = Notification.objects.filter(company__in=companies, type=SEED).exclude(delivery=publication.delivery_id)
        # Keys begin with the time: what came later makes nothing old.
        known.update(
            (company, registration)
            for key, company, registration in others.values_list("pk", "company_id", "registration_id")
            if key < max(seed for seed, its, _ in batch if its == company)
        )
    first = {(company, registration): key for key, company, registration in reversed(seeds)}
    return {key: pair[0] for pair, key in first.items() if pair not in known}


def _summary(publication: Publication, delivery: Delivery) -> uuid.UUID:
    """The alert of the registration and day; closed until there is something to note."""
    day = publication.published_at.astimezone(UTC).date()
    key = content_key("baseline", delivery.registration_id, day)
    alert = Alert(
        id=key,
        kind=AlertKind.BASELINE,
        rule_name=gettext("New companies"),
        registration_id=delivery.registration_id,
        severity=Severity.LOW,
        state=AlertState.CLOSED,
        title=gettext("Companies were added to %(reference)s") % {"reference": delivery.registration.reference},
        reason=gettext("These companies already met the rules when their baseline was received."),
        happened_at=publication.published_at,
        raised_at=timezone.now(),
        rate_window=publication.published_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
        sequence=publication.sequence,
    )
    insert_new(Alert, [alert])
    return key


Found = tuple[Rule, str, uuid.UUID, str]


def _matches(seeds: Mapping[uuid.UUID, str], rules: Sequence[Rule], delivery: Delivery) -> Iterator[Found]:
    """Rule, company, change and reason of each baseline that is already so, of whatever companies the rule is."""
    names = {rule.key: [name_within(path, ROOT) for path in rule.paths] for rule in rules}
    rows = Change.objects.filter(delivery=delivery.pk, kind=Kind.BASELINE)
    changes = dict(rows.values_list("notification_id", "pk"))
    for batch in in_batches(sorted(seeds), AT_ONCE):
        for key, text in Notification.objects.filter(pk__in=batch).values_list("pk", "organization"):
            named = [rule for rule in rules if any(name in (text or "") for name in names[rule.key])]
            organization: Any = from_json(text) if text and named else None
            for rule in named if isinstance(organization, dict) else ():
                if why := rule.reason_in(organization):
                    yield rule, seeds[key], changes.get(key, key), why


def _fact(
    publication: Publication, alert: uuid.UUID, scope: Scope, rule: Rule, duns: str, change: uuid.UUID, why: str
) -> AlertItem:
    company = scope.companies.get(duns) or Company(duns=duns)
    place = ", ".join(filter(None, [company.name, duns, company.city]))
    return AlertItem(
        id=content_key("fact", rule.key, change),
        alert_id=alert,
        rule_name=rule.row.name,
        change=change,
        company=duns,
        kind=Kind.BASELINE,
        text=clean_text(f"{place}: {why}"),
        severity=rule.row.severity,
        changed_at=publication.published_at,
        sequence=publication.sequence,
    )


def _count(publication: Publication, key: uuid.UUID, delivery: Delivery, added: int) -> None:
    """Each publication once; all else is taken from the rows."""
    uncounted = Alert.objects.filter(pk=key, last_counted__lt=publication.sequence)
    uncounted.update(total=F("total") + added, last_counted=publication.sequence)
    alert = Alert.objects.get(pk=key)
    by_rule = counts_by_rule(AlertItem.objects.filter(alert=key))
    fields = {"fact_count": sum(by_rule.values()), "title": title_of(alert, delivery.registration.reference, by_rule)}
    if AlertItem.objects.filter(alert=key, sequence=publication.sequence).exists():
        severities = AlertItem.objects.filter(alert=key).values_list("severity", flat=True).distinct()
        fields |= {"severity": max(severities)}
    Alert.objects.filter(pk=key).update(**fields)
    if "severity" in fields:
        _open(key, publication)


def _open(key: uuid.UUID, publication: Publication) -> None:
    """It had nothing to note so far, or was closed before this came."""
    was_closed = Q(closed_at=None) | Q(closed_at__lt=publication.published_at)
    closed = Alert.objects.filter(was_closed, pk=key, state=AlertState.CLOSED)
    closed.update(**REOPENED, **due_again())


def counts_by_rule(items: QuerySet[AlertItem]) -> dict[str, int]:
    rows = items.order_by().values_list("rule_name").annotate(found=Count("id"))
    return dict(sorted(rows, key=lambda row: -row[1]))


def title_of(alert: Alert, reference: str, by_rule: Mapping[str, int]) -> str:
    """ "Of 5,000 companies added to ACME_LOD_01: 12 out of business"."""
    added = ngettext(
        "%(count)s company added to %(reference)s", "%(count)s companies added to %(reference)s", alert.total
    ) % {"count": counted(alert.total), "reference": reference}
    if not by_rule:
        return gettext("%(added)s, no findings") % {"added": added}
    found = ", ".join(f"{counted(count)} × {name}" for name, count in by_rule.items())
    return gettext("%(added)s: %(found)s") % {"added": added, "found": found}
