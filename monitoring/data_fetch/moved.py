"""What D&B says of a company instead of its data: it was merged into another one, or deleted. Both are proposed."""

from __future__ import annotations

from django.utils import timezone

from monitoring.models import FetchedCompany
from portfolio.models import ProposalKind
from portfolio.proposals.create import Sign, propose


def propose_merger(item: FetchedCompany, replacement: str) -> None:
    propose([_sign(item, ProposalKind.TRANSFER, replacement)])


def propose_removal(item: FetchedCompany) -> None:
    propose([_sign(item, ProposalKind.DELETE)])


def _sign(item: FetchedCompany, kind: ProposalKind, replacement: str = "") -> Sign:
    """One occasion for each fetch: whoever dismissed it and fetches the company again is asked again."""
    source = f"fetch {item.fetch_id}"
    return Sign(kind, item.registration_id, item.company_id, replacement, source, timezone.now())
