"""The proposal that a merged or deleted company waits for, as its alert and its page name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from core.visibility import is_restricted
from portfolio.models import OF_COMPANY, Company, Proposal
from portfolio.proposals.registrations import UNDECIDED

MAY_SEE = "portfolio.view_proposal"


@dataclass(frozen=True, slots=True)
class Pending:
    row: Proposal
    text: str


def pending_proposal(duns: str, reader: Any) -> Pending | None:
    """None where nothing is left to decide, and for those who see no proposals."""
    if not reader.has_perm(MAY_SEE) or is_restricted(reader):
        return None
    rows = Proposal.objects.filter(company=duns, kind__in=OF_COMPANY, state__in=UNDECIDED)
    row = rows.order_by("-created_at", "-id").first()
    return Pending(row, _review_text(row)) if row else None


def _review_text(row: Proposal) -> str:
    if not row.replacement:
        return gettext("Review the proposal: remove the company")
    successor = Company.objects.filter(pk=row.replacement).first()
    name = f"{successor.name} ({row.replacement})" if successor and successor.name else row.replacement
    return gettext("Review the proposal: replace it with %(company)s") % {"company": name}
