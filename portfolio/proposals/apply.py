"""What was accepted becomes requested, also what a process that died has left behind."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext

from portfolio.models import (
    Proposal,
    ProposalState,
    Registration,
    Subject,
)
from portfolio.proposals.registrations import registrations_of
from portfolio.subjects.requests import SubjectEntry, request_subjects, withdraw_subjects

LEFT_BEHIND_AFTER = timedelta(minutes=1)

# Carrying out


def carry_out(row: Proposal) -> None:
    """Request what was accepted. The replacement comes first: a company is never left unwatched in between."""
    actor = gettext("%(person)s (proposal)") % {"person": row.decided_by}
    for registration in registrations_of([row])[row.pk]:
        if row.replacement:
            request_subjects(registration=registration, entries=[_entry(row, registration)], requested_by=actor)
        withdraw_subjects(registration=registration, duns=[row.company_id], requested_by=actor)
    row.applied_at = timezone.now()
    Proposal.objects.filter(pk=row.pk).update(applied_at=row.applied_at)


def _entry(row: Proposal, registration: Registration) -> SubjectEntry:
    """What was said about the company goes on with the one that replaces it."""
    subject = Subject.objects.filter(pk=Subject.key(registration.pk, row.company_id)).first()
    if subject is None:
        return SubjectEntry(row.replacement)
    return SubjectEntry(
        row.replacement, customer_reference=subject.customer_reference, tags=subject.tags, owner=subject.owner
    )


def carry_out_left_behind() -> int:
    """What a process accepted and did not come to carry out; returns how many."""
    limit = timezone.now() - LEFT_BEHIND_AFTER
    rows = Proposal.objects.filter(state=ProposalState.ACCEPTED, applied_at__isnull=True, decided_at__lte=limit)
    found = list(rows.order_by("decided_at")[:1000])
    for row in found:
        carry_out(row)
    return len(found)
