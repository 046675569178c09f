"""Proposals, made once from what D&B says."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.db import in_batches, insert_new
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.billing.new_billable import new_billable
from portfolio.models import (
    Contract,
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
    Subject,
    SubjectState,
)

PROPOSAL_KEYS = uuid.UUID("5b0f2f5c-58f0-5d0b-8c6e-6d1a4c5a9b37")
TRANSFERRED_CODE = "40003"  # the third column holds the replacement
UNDECIDED = (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class Sign:
    """Why something should be proposed; `source` tells one occasion from another."""

    kind: ProposalKind
    registration: uuid.UUID
    duns: str
    replacement: str = ""
    source: str = ""
    happened_at: datetime | None = None

    @property
    def subject(self) -> uuid.UUID:
        return Subject.key(self.registration, self.duns)

    @property
    def key(self) -> uuid.UUID:
        parts = (self.kind, self.registration, self.duns, self.replacement, self.source)
        return uuid.uuid5(PROPOSAL_KEYS, "\n".join(map(str, parts)))


# Making proposals


def propose(signs: Iterable[Sign]) -> list[Proposal]:
    """Propose what the signs suggest, where the company is requested; returns the proposals that are new."""
    made: list[Proposal] = []
    for batch in in_batches(list(signs)):
        rows = [_proposal(sign) for sign in _where_requested(batch)]
        made += insert_new(Proposal, rows)
    _notify_of_costs(made)
    if made:
        update_counts("proposals")
    return made


def _where_requested(signs: Sequence[Sign]) -> list[Sign]:
    keys = [sign.subject for sign in signs]
    requested = set(Subject.objects.filter(pk__in=keys, requested=True).values_list("pk", flat=True))
    waiting = _undecided(signs)
    return [sign for sign in signs if sign.subject in requested and _same(sign) not in waiting]


def _same(sign: Sign) -> tuple[str, uuid.UUID, str, str]:
    return (sign.kind.value, sign.registration, sign.duns, replacement_of(sign))


def _undecided(signs: Sequence[Sign]) -> set[tuple[str, uuid.UUID, str, str]]:
    """What waits for a decision already: the same suggestion is not made beside it."""
    rows = Proposal.objects.filter(company__in=[sign.duns for sign in signs], state__in=UNDECIDED)
    return set(rows.values_list("kind", "registration_id", "company_id", "replacement"))


def replacement_of(sign: Sign) -> str:
    """The company that remains; nothing where D&B names none that can be asked for."""
    try:
        number = normalise_duns(sign.replacement)
    except InvalidDuns:
        return ""
    return "" if number == sign.duns else number


def _proposal(sign: Sign) -> Proposal:
    replacement = replacement_of(sign)
    return Proposal(
        id=sign.key,
        kind=sign.kind,
        registration_id=sign.registration,
        company_id=sign.duns,
        replacement=replacement,
        reason=reason(sign.kind, replacement),
        created_at=timezone.now(),
        happened_at=sign.happened_at,
    )


def reason(kind: str, replacement: str) -> str:
    """What happened, in a sentence."""
    if kind == ProposalKind.TRANSFER:
        if replacement:
            return gettext(
                "D&B merged this company into %(replacement)s. There will be no more notifications under the old "
                "number."
            ) % {"replacement": replacement}
        return gettext("D&B merged this company into another one but does not state which.")
    if kind == ProposalKind.DELETE:
        return gettext("D&B deleted this company. There will be no more notifications.")
    if kind == ProposalKind.EXIT:
        return gettext(
            "This company left the set that D&B monitors in this registration. There will be no more notifications."
        )
    return gettext("D&B refused this number and suggests %(replacement)s instead.") % {"replacement": replacement}


def _notify_of_costs(proposals: Sequence[Proposal]) -> None:
    """What each would cost, as of now; it is counted again when somebody decides."""
    for contract, rows in by_contract(proposals).items():
        billed = new_billable(contract, replacements(rows))
        for row in rows:
            row.cost = int(row.replacement in billed)
        keys = [row.pk for row in rows if row.cost]
        for batch in in_batches(keys):
            Proposal.objects.filter(pk__in=list(batch)).update(cost=1)


def by_contract(proposals: Iterable[Proposal]) -> dict[Contract, list[Proposal]]:
    rows = list(proposals)
    registrations = Registration.objects.select_related("contract").in_bulk(list({row.registration_id for row in rows}))
    found: dict[Contract, list[Proposal]] = defaultdict(list)
    for row in rows:
        row.registration = registrations[row.registration_id]
        found[row.registration.contract].append(row)
    return dict(found)


def replacements(proposals: Iterable[Proposal]) -> list[str]:
    return sorted({row.replacement for row in proposals if row.replacement})


def propose_replacements() -> list[Proposal]:
    """D&B refused a requested company and named another: propose that one."""
    made: list[Proposal] = []
    for registration in Registration.objects.order_by("reference").values_list("pk", flat=True):
        refused = Subject.objects.filter(registration=registration, requested=True, state=SubjectState.REFUSED)
        rows = refused.filter(code=TRANSFERRED_CODE).exclude(replacement="")
        made += propose(_refusals(rows))
    return made


def _refusals(rows: Iterable[Subject]) -> Iterator[Sign]:
    for row in rows:
        # Asked for anew and refused again, it is proposed anew.
        source = row.requested_at.isoformat(timespec="milliseconds") if row.requested_at else ""
        sign = Sign(
            ProposalKind.REPLACEMENT, row.registration_id, row.company_id, row.replacement, source, row.checked_at
        )
        if replacement_of(sign):
            yield sign
