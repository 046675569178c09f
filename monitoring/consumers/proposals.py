"""Reads what is published and proposes what a person should decide: mergers, deletions, companies that left.

A consumer of the publications with an offset of its own. What counts is how a company stands after all that
is known of it, whatever the order in which it came: a deletion that was undone later is not proposed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.db import in_batches
from monitoring.elements.formatting import from_json
from monitoring.models import Change, Kind, Publication
from monitoring.publications.consumers import PublicationConsumer
from portfolio.models import ProposalKind, Subject
from portfolio.proposals.create import Sign, propose
from portfolio.proposals.withdraw import withdraw

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
FIELDS = ("id", "registration_id", "company_id", "kind", "current", "changed_at", "place")


class Fact(NamedTuple):
    id: uuid.UUID
    registration: uuid.UUID
    company: str
    kind: str
    current: str | None
    changed_at: datetime
    place: str

    @property
    def about(self) -> tuple[uuid.UUID, str, ProposalKind]:
        return self.registration, self.company, OPENS.get(self.kind) or CLOSES[self.kind]


def read_publications() -> int:
    """Propose what publications not read yet suggest; returns how many publications were read."""
    return CONSUMER.read(_take, PUBLICATIONS)


def propose_for_requested(registration: uuid.UUID) -> None:
    """What is known already of the companies that became requested: a merger or deletion may have been published
    before, when no one requested them."""
    rows = Subject.objects.filter(registration=registration, requested=True).order_by("company")
    for batch in in_batches(list(rows.values_list("company_id", flat=True))):
        _consider(_facts(registration=registration, company__in=list(batch)))


def _take(publications: Sequence[Publication]) -> None:
    told = [publication.delivery_id for publication in publications if publication.change_count]
    for batch in in_batches(told):
        _consider(_facts(delivery__in=list(batch)))


def _facts(**which: object) -> list[Fact]:
    rows = Change.objects.filter(kind__in=[*OPENS, *CLOSES], superseded=False, **which)
    return [Fact(*row) for row in rows.values_list(*FIELDS)]


def _consider(touched: list[Fact]) -> None:
    subjects = {fact.about for fact in touched}
    latest = [fact for fact in _latest({fact.company for fact in touched}) if fact.about in subjects]
    propose(_sign(fact) for fact in latest if fact.kind in OPENS)
    for fact in latest:
        if fact.kind in CLOSES:
            registration, company, kind = fact.about
            withdraw(kind=kind, registration=registration, duns=[company], note=str(NOTES[kind]))


def _latest(companies: Iterable[str]) -> Iterator[Fact]:
    """The last thing of each sort that happened to each company in each registration."""
    for batch in in_batches(sorted(companies)):
        last: dict[tuple[uuid.UUID, str, ProposalKind], Fact] = {}
        for fact in sorted(
            _facts(company__in=list(batch)), key=lambda fact: (fact.changed_at, fact.place, fact.id.int)
        ):
            last[fact.about] = fact
        yield from last.values()


def _sign(fact: Fact) -> Sign:
    retained = from_json(fact.current) if fact.kind == Kind.TRANSFERRED else None
    replacement = retained if isinstance(retained, str) else ""
    return Sign(OPENS[fact.kind], fact.registration, fact.company, replacement, str(fact.id), fact.changed_at)
