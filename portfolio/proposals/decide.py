"""What a person says to proposals: accepted, approved by a second person, dismissed; with what it costs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.db import clean_text
from core.text import counted
from portfolio.billing.approval_limits import Act, do_all_alone, reasons_for_second
from portfolio.billing.new_billable import new_billable
from portfolio.models import (
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
)
from portfolio.proposals.apply import carry_out
from portfolio.proposals.create import by_contract, replacements
from portfolio.proposals.registrations import UNDECIDED, as_text, registrations_of

MERGERS = (ProposalKind.TRANSFER, ProposalKind.REPLACEMENT)


class Refused(Exception):
    """Why a decision was not taken, for the person who wanted it."""


# Deciding


@dataclass(slots=True)
class Decided:
    """What became of the proposals somebody decided on."""

    accepted: list[Proposal] = field(default_factory=list)
    waiting: list[Proposal] = field(default_factory=list)
    dismissed: list[Proposal] = field(default_factory=list)
    too_late: list[Proposal] = field(default_factory=list)
    # References of those in which the accepted ones were carried out.
    registrations: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        parts = (
            (self.accepted, gettext("%(proposals)s accepted")),
            (self.waiting, gettext("%(proposals)s awaiting second approval")),
            (self.dismissed, gettext("%(proposals)s dismissed")),
            (self.too_late, gettext("%(proposals)s already decided by another user")),
        )
        told = [words % {"proposals": plurals.proposals(len(rows))} for rows, words in parts if rows]
        if not told:
            return gettext("There were no proposals to decide.")
        where = gettext("Registrations: %(names)s.") % {"names": ", ".join(sorted(self.registrations))}
        return " ".join([f"{', '.join(told)}.", *([where] if len(self.registrations) > 1 else [])])


def cost_of(proposals: Iterable[Proposal]) -> int:
    """New billable companies that accepting all of these adds, as of now."""
    return sum(len(new_billable(contract, replacements(rows))) for contract, rows in by_contract(proposals).items())


@dataclass(frozen=True, slots=True)
class Together:
    """Proposals of the same registrations on which is decided together: those that cost something in the same
    contracts, or those that do not."""

    registrations: list[Registration]
    proposals: list[Proposal]
    billed_in: frozenset[str]

    def acts(self, by: Actor) -> Iterator[Act]:
        """A merged company goes on under its new number: only what nothing replaces is lost to the list. What a
        contract bills, it bills once, in however many registrations."""
        removals = sum(not row.replacement for row in self.proposals)
        additions = dict.fromkeys(self.billed_in, len(set(replacements(self.proposals))))
        for registration in self.registrations:
            billed = additions.pop(registration.contract_id, 0)
            yield Act(by, registration, additions=billed, removals=removals)


def together(proposals: Collection[Proposal]) -> list[Together]:
    registrations = registrations_of(proposals)
    contracts = by_contract(proposals, registrations)
    billed = {contract.pk: new_billable(contract, replacements(rows)) for contract, rows in contracts.items()}
    groups: dict[object, Together] = {}
    for row in proposals:
        its = registrations[row.pk]
        costs = frozenset(one.contract_id for one in its if row.replacement in billed[one.contract_id])
        key = (tuple(one.pk for one in its), costs)
        groups.setdefault(key, Together(its, [], costs)).proposals.append(row)
    return list(groups.values())


def needs_approval(proposals: Collection[Proposal], by: Actor) -> list[Proposal]:
    """Those that a second person has to approve: what is more than the contract lets this one do alone."""
    return [row for one in together(proposals) if any(map(reasons_for_second, one.acts(by))) for row in one.proposals]


def accept(proposals: Sequence[Proposal], *, by: Actor, confirmed: int) -> Decided:
    """Accept open proposals; `confirmed` is the number of new billable companies that the person has agreed to."""
    _demand_number(cost_of(proposals), confirmed)
    result = Decided()
    for one in together(proposals):
        alone = do_all_alone(one.acts(by))
        for row in one.proposals:
            if alone:
                _accept(row, by, result, {"state": ProposalState.OPEN}, one.registrations)
            else:
                _await_approval(row, by, result)
    return result


def approve(proposals: Sequence[Proposal], *, by: Actor, confirmed: int) -> Decided:
    """A second person agrees to what one may not do alone."""
    _demand_number(cost_of(proposals), confirmed)
    if any(row.confirmer_id is None for row in proposals):
        raise Refused(
            gettext(
                "It is not known who accepted this proposal. Dismiss it. If it still applies, it will be proposed "
                "again."
            )
        )
    if any(row.confirmer_id == by.id for row in proposals):
        raise Refused(gettext("You accepted this proposal, so another user must approve it."))
    result, registrations = Decided(), registrations_of(proposals)
    for row in proposals:
        waiting = {"state": ProposalState.AWAITING_APPROVAL, "confirmer_id": row.confirmer_id}
        _accept(row, by, result, waiting, registrations[row.pk])
    return result


def dismiss(proposals: Sequence[Proposal], *, by: Actor, note: str) -> Decided:
    """Decide against them, and say why."""
    if not note.strip():
        raise Refused(gettext("Enter a reason. It is kept with the proposal."))
    result = Decided()
    for row in proposals:
        (result.dismissed if dismiss_row(row, by=by, note=note) else result.too_late).append(row)
    return result


def _demand_number(cost: int, confirmed: int) -> None:
    if cost != confirmed:
        companies = plurals.new_billable_companies(cost)
        raise Refused(
            gettext(
                "This adds %(companies)s, but you entered %(confirmed)s. Check the proposals, then enter the correct "
                "number."
            )
            % {"companies": companies, "confirmed": counted(confirmed)}
        )


def _await_approval(row: Proposal, by: Actor, result: Decided) -> None:
    waiting = {"state": ProposalState.AWAITING_APPROVAL, "confirmed_by": clean_text(by, 200)} | {"confirmer_id": by.id}
    if not _swap(row, {"state": ProposalState.OPEN}, waiting):
        result.too_late.append(row)
        return
    _audit(
        row,
        by,
        "accept proposal",
        gettext("Accepted, awaiting second approval: %(words)s") % {"words": _words(row)},
    )
    result.waiting.append(row)


def _accept(
    row: Proposal, by: str, result: Decided, known: Mapping[str, object], registrations: Sequence[Registration]
) -> None:
    decided = {"state": ProposalState.ACCEPTED, "decided_by": clean_text(by, 200), "decided_at": timezone.now()}
    # Whoever carries it out, however late, does so where it was accepted.
    if not _swap(row, known, decided | {"accepted_in": as_text(registrations)}):
        result.too_late.append(row)
        return
    told = {"words": _words(row), "registrations": _names(registrations)}
    _audit(row, by, "accept proposal", gettext("Accepted: %(words)s, in %(registrations)s") % told)
    carry_out(row)
    result.accepted.append(row)
    result.registrations |= {one.reference for one in registrations}


def dismiss_row(row: Proposal, *, by: str, note: str) -> bool:
    decided = {
        "state": ProposalState.DISMISSED,
        "decided_by": clean_text(by, 200),
        "decided_at": timezone.now(),
        "note": clean_text(note.strip()),
    }
    if not _swap(row, {"state__in": UNDECIDED}, decided):
        return False
    _audit(
        row,
        by,
        "dismiss proposal",
        gettext("Dismissed: %(words)s. %(note)s") % {"words": _words(row), "note": row.note},
    )
    return True


def _swap(row: Proposal, known: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """Write the values where the row still stands as it is known; of two who decide, one wins."""
    before = row.state
    if not Proposal.objects.filter(pk=row.pk, **known).update(**values):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    row.state_before = before  # type: ignore[attr-defined]
    return True


def _audit(row: Proposal, actor: str, action: str, summary: str) -> None:
    record(
        actor=actor,
        action=action,
        thing=row,
        summary=summary,
        before={"state": getattr(row, "state_before", "")},
        after={"state": row.state, "company": row.company_id, "replacement": row.replacement, "note": row.note},
    )


def _words(row: Proposal) -> str:
    words = gettext("remove %(duns)s, add %(replacement)s") if row.replacement else gettext("remove %(duns)s")
    return words % {"duns": row.company_id, "replacement": row.replacement}


def _names(registrations: Iterable[Registration]) -> str:
    return ", ".join(registration.reference for registration in registrations)


# Reading: a company goes on under another number


@dataclass(frozen=True, slots=True)
class Continued:
    """Accepted mergers of a company, with their times: what it was before, and what it goes on as."""

    before: dict[str, datetime | None]
    after: dict[str, datetime | None]


def continued(duns: str) -> Continued:
    """Each company once, however many registrations told of it."""
    accepted = Q(state=ProposalState.ACCEPTED, kind__in=MERGERS) & (Q(replacement=duns) | Q(company=duns))
    found = Continued({}, {})
    for row in Proposal.objects.filter(accepted).exclude(replacement="").order_by("created_at", "id")[:100]:
        since = row.happened_at or row.decided_at
        if row.company_id == duns:
            found.after[row.replacement] = since
        else:
            found.before[row.company_id] = since
    return found
