"""Proposals that nothing speaks for any more, taken back by the program."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.utils.translation import gettext

from core.db import in_batches
from portfolio.models import (
    Proposal,
    ProposalKind,
    Subject,
)
from portfolio.proposals.create import UNDECIDED
from portfolio.proposals.decide import dismiss_row

THE_PROGRAM = "program"

# What decides by itself


def withdraw(*, kind: ProposalKind, registration: uuid.UUID, duns: Sequence[str], note: str) -> int:
    """Dismiss what waits for a decision and has no reason any more; returns how many."""
    rows = Proposal.objects.filter(kind=kind, registration=registration, company__in=duns, state__in=UNDECIDED)
    return sum(dismiss_row(row, by=THE_PROGRAM, note=note) for row in rows)


def withdraw_not_requested() -> int:
    """Nobody has to decide on a company that nobody requests any more."""
    count = 0
    rows = list(Proposal.objects.filter(state__in=UNDECIDED).order_by("created_at", "id")[:5000])
    for batch in in_batches(rows):
        keys = {row.pk: Subject.key(row.registration_id, row.company_id) for row in batch}
        requested = Subject.objects.filter(pk__in=list(keys.values()), requested=True).values_list("pk", flat=True)
        still = set(requested)
        gone = [row for row in batch if keys[row.pk] not in still]
        count += sum(
            dismiss_row(row, by=THE_PROGRAM, note=gettext("The company is no longer requested.")) for row in gone
        )
    return count
