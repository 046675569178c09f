"""Proposals, made once from what D&B says."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext

from core.cached_counts import update_counts
from core.db import in_batches, insert_new
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.billing.new_billable import new_billable
from portfolio.models import (
    OF_COMPANY,
    Contract,
    Proposal,
    ProposalKind,
    Registration,
    Subject,
    SubjectState,
)
from portfolio.proposals.registrations import UNDECIDED, holders, registrations_of

PROPOSAL_KEYS = uuid.UUID("5b0f2f5c-58f0-5d0b-8c6e-6d1a4c5a9b37")
TRANSFERRED_CODE = "40003"  # the third column holds the replacement


@dataclass(frozen=True, slots=True)
class Sign:
    """Why something should be proposed; `source` tells one occasion from another, by whichever of its names.

    What happened to the company as a whole is one occasion, so no matter which registration reported it.
    """

    kind: ProposalKind
    reported_by: uuid.UUID
    duns: str
    replacement: str = ""
    source: str = ""
    happened_at: datetime | None = None
    other_sources: tuple[str, ...] = ()

    @property
    def registration(self) -> uuid.UUID | None:
        return None if self.kind in OF_COMPANY else self.reported_by

    @property
    def key(self) -> uuid.UUID:
        return self._key(self.source)

    @property
    def keys(self) -> list[uuid.UUID]:
        return [self._key(source) for source in (self.source, *self.other_sources)]

    def _key(self, source: str) -> uuid.UUID:
        parts = (self.kind, self.registration or "", self.duns, self.replacement, source)
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


Same = tuple[str, uuid.UUID | None, str, str]


def _where_requested(signs: Sequence[Sign]) -> list[Sign]:
    held = holders(sign.duns for sign in signs)
    waiting, known = _undecided(signs), _known(signs)
    return [sign for sign in signs if _is_held(sign, held) and _same(sign) not in waiting and sign not in known]


def _is_held(sign: Sign, held: Mapping[str, Collection[uuid.UUID]]) -> bool:
    registrations = held.get(sign.duns, ())
    return bool(registrations) if sign.registration is None else sign.registration in registrations


def _same(sign: Sign) -> Same:
    return (sign.kind.value, sign.registration, sign.duns, replacement_of(sign))


def _known(signs: Sequence[Sign]) -> set[Sign]:
    """Those that were proposed by another name of the occasion, whatever was decided."""
    renamed = [sign for sign in signs if sign.other_sources]
    keys = [key for sign in renamed for key in sign.keys]
    found: set[uuid.UUID] = set()
    for batch in in_batches(keys):
        found.update(Proposal.objects.filter(pk__in=batch).values_list("pk", flat=True))
    return {sign for sign in renamed if not found.isdisjoint(sign.keys)}


def _undecided(signs: Sequence[Sign]) -> set[Same]:
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
                "D&B merged this company into %(replacement)s. D&B sends no more notifications under the old number."
            ) % {"replacement": replacement}
        return gettext("D&B merged this company into another one but does not state which.")
    if kind == ProposalKind.DELETE:
        return gettext("D&B deleted this company and sends no more notifications about it.")
    if kind == ProposalKind.EXIT:
        return gettext(
            "D&B no longer monitors this company in this registration and sends no more notifications about it."
        )
    return gettext("D&B refused this number and suggests %(replacement)s instead.") % {"replacement": replacement}


def _notify_of_costs(proposals: Sequence[Proposal]) -> None:
    """What each would cost, as of now; it is counted again when somebody decides."""
    costs: Counter[uuid.UUID] = Counter()
    for contract, rows in by_contract(proposals).items():
        billed = new_billable(contract, replacements(rows))
        costs.update(row.pk for row in rows if row.replacement in billed)
    for row in proposals:
        row.cost = costs[row.pk]
    for cost in set(costs.values()):
        for batch in in_batches([key for key in costs if costs[key] == cost]):
            Proposal.objects.filter(pk__in=list(batch)).update(cost=cost)


def by_contract(
    proposals: Iterable[Proposal], registrations: Mapping[uuid.UUID, Sequence[Registration]] | None = None
) -> dict[Contract, list[Proposal]]:
    """A proposal stands with each contract in which it acts."""
    rows = list(proposals)
    acting = registrations_of(rows) if registrations is None else registrations
    found: dict[Contract, list[Proposal]] = defaultdict(list)
    for row in rows:
        for contract in dict.fromkeys(registration.contract for registration in acting[row.pk]):
            found[contract].append(row)
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
