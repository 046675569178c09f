"""The registrations in which a proposal acts: all that hold the company, where D&B has merged or deleted it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db.models import Q

from core.db import in_batches
from portfolio.models import OF_COMPANY, Proposal, ProposalState, Registration, Subject

UNDECIDED = (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)
MOST_UNDECIDED = 5000


def holders(companies: Iterable[str]) -> dict[str, set[uuid.UUID]]:
    """The registrations in which each of the companies is requested."""
    found: dict[str, set[uuid.UUID]] = defaultdict(set)
    for batch in in_batches(sorted(set(companies))):
        rows = Subject.objects.filter(company__in=batch, requested=True)
        for company, registration in rows.values_list("company_id", "registration_id"):
            found[company].add(registration)
    return found


def registrations_of(proposals: Collection[Proposal]) -> dict[uuid.UUID, list[Registration]]:
    """Where each acts, by reference: as it was when it was accepted, else as it is now."""
    held = holders(row.company_id for row in proposals if row.kind in OF_COMPANY and not row.accepted_in)
    keys = {row.pk: _keys(row, held) for row in proposals}
    named = set().union(*keys.values())
    rows = Registration.objects.select_related("contract").in_bulk(list(named)) if named else {}
    by_reference = sorted(rows.values(), key=lambda registration: (registration.reference, registration.pk))
    return {key: [registration for registration in by_reference if registration.pk in keys[key]] for key in keys}


def _keys(row: Proposal, held: Mapping[str, set[uuid.UUID]]) -> set[uuid.UUID]:
    if row.registration_id:
        return {row.registration_id}
    if row.accepted_in:
        return {uuid.UUID(key) for key in row.accepted_in.split()}
    return held.get(row.company_id, set())


def as_text(registrations: Iterable[Registration]) -> str:
    """For `accepted_in`."""
    return " ".join(registration.pk.hex for registration in registrations)


def acting_in(registration: uuid.UUID) -> Q:
    """The proposals that act in a registration, or did."""
    waiting = Proposal.objects.filter(kind__in=OF_COMPANY, state__in=UNDECIDED).order_by("created_at", "id")
    rows = list(waiting.values_list("pk", "company_id")[:MOST_UNDECIDED])
    held = holders(company for _, company in rows)
    here = [key for key, company in rows if registration in held.get(company, ())]
    return Q(registration=registration) | Q(accepted_in__contains=registration.hex) | Q(pk__in=here)
