"""Proposals that nothing speaks for any more, taken back by the program."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from django.utils.translation import gettext

from core.db import in_batches
from portfolio.models import Proposal, ProposalKind
from portfolio.proposals.create import Sign, replacement_of
from portfolio.proposals.decide import dismiss_row
from portfolio.proposals.registrations import UNDECIDED, holders

THE_PROGRAM = "program"

# What decides by itself


def withdraw(*, kind: ProposalKind, registration: uuid.UUID | None, duns: Sequence[str], note: str) -> int:
    """Dismiss what waits for a decision and has no reason any more; returns how many. What happened to the company as
    a whole is of no registration."""
    rows = Proposal.objects.filter(kind=kind, registration=registration, company__in=duns, state__in=UNDECIDED)
    return sum(dismiss_row(row, by=THE_PROGRAM, note=note) for row in rows)


def withdraw_other_mergers(latest: Iterable[Sign]) -> int:
    """A company goes on as one other: what D&B said last counts."""
    count = 0
    for sign in latest:
        rows = Proposal.objects.filter(kind=ProposalKind.TRANSFER, company=sign.duns, state__in=UNDECIDED)
        for row in rows.exclude(replacement=replacement_of(sign)):
            note = gettext("D&B has merged the company into another one since.")
            count += dismiss_row(row, by=THE_PROGRAM, note=note)
    return count


def withdraw_not_requested() -> int:
    """Nobody has to decide on a company that nobody requests any more."""
    count = 0
    rows = list(Proposal.objects.filter(state__in=UNDECIDED).order_by("created_at", "id")[:5000])
    for batch in in_batches(rows):
        held = holders(row.company_id for row in batch)
        gone = [row for row in batch if not _is_held(row, held.get(row.company_id, ()))]
        count += sum(
            dismiss_row(row, by=THE_PROGRAM, note=gettext("The company is no longer requested.")) for row in gone
        )
    return count


def _is_held(row: Proposal, registrations: Collection[uuid.UUID]) -> bool:
    return row.registration_id in registrations if row.registration_id else bool(registrations)
