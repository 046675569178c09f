"""Reads what is published and proposes what a person should decide: mergers, deletions, companies that left.

A consumer of the publications with an offset of its own. What counts is how a company stands after all that
is known of it, whatever the order in which it came: a deletion that was undone later is not proposed.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.db import in_batches
from monitoring.elements.formatting import from_json
from monitoring.models import Change, Kind, Observation, Publication
from monitoring.publications.consumers import PublicationConsumer
from portfolio.models import ProposalKind, Subject
from portfolio.proposals.create import Sign, propose
from portfolio.proposals.withdraw import withdraw, withdraw_other_mergers

CONSUMER = PublicationConsumer("proposals")
PUBLICATIONS = 500
OPENS: Mapping[str, ProposalKind] = {
    Kind.TRANSFERRED: ProposalKind.TRANSFER,
    Kind.DELETED: ProposalKind.DELETE,
    Kind.LEFT: ProposalKind.EXIT,
}
CLOSES: Mapping[str, ProposalKind] = {Kind.RESTORED: ProposalKind.DELETE, Kind.ENTERED: ProposalKind.EXIT}
NOTES: Mapping[ProposalKind, str | Promise] = {
    ProposalKind.DELETE: _("D&B has restored the company."),
    ProposalKind.EXIT: _("D&B monitors the company again."),
}
# Mergers and deletions are about the company, whichever registration reports them.
OF_REGISTRATION = frozenset({Kind.LEFT, Kind.ENTERED})
FIELDS = ("id", "registration_id", "company_id", "kind", "current", "changed_at", "place")


About = tuple[uuid.UUID | None, str, ProposalKind]


class Fact(NamedTuple):
    id: uuid.UUID
    registration: uuid.UUID
    company: str
    kind: str
    current: str | None
    changed_at: datetime
    place: str

    @property
    def about(self) -> About:
        registration = self.registration if self.kind in OF_REGISTRATION else None
        return registration, self.company, OPENS.get(self.kind) or CLOSES[self.kind]


def read_publications(until: datetime) -> int:
    """Propose what publications not read yet suggest; returns how many publications were read."""
    return CONSUMER.read_on(_take, PUBLICATIONS, until)


def propose_for_requested(registration: uuid.UUID) -> None:
    """What is known already of the companies that became requested: a merger or deletion may have been published
    before, when no one requested them."""
    rows = Subject.objects.filter(registration=registration, requested=True).order_by("company")
    for batch in in_batches(list(rows.values_list("company_id", flat=True))):
        _consider(_facts(registration=registration, company__in=list(batch)))


def _take(publications: Sequence[Publication]) -> None:
    told = [publication.delivery_id for publication in publications if publication.entry_count]
    for batch in in_batches(told):
        _consider([*_facts(delivery__in=batch), *_observed(batch)])


def _observed(deliveries: Sequence[uuid.UUID]) -> Iterator[Fact]:
    """Changes that others published first, and that are reported again, withdrawn or reinstated."""
    entries = Observation.objects.filter(delivery__in=deliveries)
    for batch in in_batches(sorted(set(entries.values_list("change_id", flat=True)))):
        yield from _facts(pk__in=batch)


def _facts(**which: object) -> list[Fact]:
    rows = Change.objects.filter(kind__in=[*OPENS, *CLOSES], **which)
    return [Fact(*row) for row in rows.values_list(*FIELDS)]


def _consider(touched: list[Fact]) -> None:
    subjects = {fact.about for fact in touched}
    latest = [fact for fact in _latest({fact.company for fact in touched}) if fact.about in subjects]
    opening = [fact for fact in latest if fact.kind in OPENS]
    others = _replaced_by(opening)
    signs = [_sign(fact, others.get(fact.id, ())) for fact in opening]
    propose(signs)
    withdraw_other_mergers(sign for sign in signs if sign.kind == ProposalKind.TRANSFER)
    for fact in latest:
        if fact.kind in CLOSES:
            registration, company, kind = fact.about
            withdraw(kind=kind, registration=registration, duns=[company], note=str(NOTES[kind]))


def _latest(companies: Iterable[str]) -> Iterator[Fact]:
    """The last thing of each sort that happened to each company, and to each in each registration."""
    for batch in in_batches(sorted(companies)):
        last: dict[About, Fact] = {}
        live = _facts(company__in=list(batch), superseded=False)
        for fact in sorted(live, key=lambda fact: (fact.changed_at, fact.place, fact.id.int)):
            last[fact.about] = fact
        yield from last.values()


def _replaced_by(facts: Iterable[Fact]) -> dict[uuid.UUID, list[str]]:
    """The other changes that report each: a person may have decided on one of them."""
    found: dict[uuid.UUID, list[str]] = defaultdict(list)
    for batch in in_batches([fact.id for fact in facts]):
        rows = Change.objects.filter(replaced_by__in=batch).values_list("replaced_by", "pk")
        for key, other in rows:
            found[cast(uuid.UUID, key)].append(str(other))
    return found


def _sign(fact: Fact, others: Sequence[str]) -> Sign:
    retained = from_json(fact.current) if fact.kind == Kind.TRANSFERRED else None
    replacement = retained if isinstance(retained, str) else ""
    kind, source = OPENS[fact.kind], str(fact.id)
    return Sign(kind, fact.registration, fact.company, replacement, source, fact.changed_at, tuple(others))
