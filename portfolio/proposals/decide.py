"""What a person says to proposals: accepted, approved by a second person, dismissed; with what it costs."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from portfolio.billing.approval_limits import Act, do_alone, reasons_for_second
from portfolio.billing.new_billable import new_billable
from portfolio.models import (
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
)
from portfolio.proposals.apply import carry_out
from portfolio.proposals.create import UNDECIDED, by_contract, replacements

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

    def __str__(self) -> str:
        parts = (
            (self.accepted, gettext("%(proposals)s accepted")),
            (self.waiting, gettext("%(proposals)s awaiting second approval")),
            (self.dismissed, gettext("%(proposals)s dismissed")),
            (self.too_late, gettext("%(proposals)s already decided by another user")),
        )
        told = [words % {"proposals": plurals.proposals(len(rows))} for rows, words in parts if rows]
        return f"{', '.join(told)}." if told else gettext("There were no proposals to decide.")


def cost_of(proposals: Iterable[Proposal]) -> int:
    """New billable companies that accepting all of these adds, as of now."""
    return sum(len(new_billable(contract, replacements(rows))) for contract, rows in by_contract(proposals).items())


@dataclass(frozen=True, slots=True)
class Together:
    """Proposals of one registration on which is decided together: those that cost something, or those that do not."""

    registration: Registration
    proposals: list[Proposal]
    billed: int

    def act(self, by: Actor) -> Act:
        """A merged company goes on under its new number: only what nothing replaces is lost to the list."""
        removals = sum(not row.replacement for row in self.proposals)
        return Act(by, self.registration, additions=self.billed, removals=removals)


def together(proposals: Iterable[Proposal]) -> Iterator[Together]:
    for contract, rows in by_contract(proposals).items():
        billed = new_billable(contract, replacements(rows))
        groups: dict[tuple[uuid.UUID, bool], list[Proposal]] = defaultdict(list)
        for row in rows:
            groups[row.registration_id, row.replacement in billed].append(row)
        for (_, costs), found in groups.items():
            yield Together(found[0].registration, found, len({row.replacement for row in found}) if costs else 0)


def needs_approval(proposals: Iterable[Proposal], by: Actor) -> list[Proposal]:
    """Those that a second person has to approve: what is more than the contract lets this one do alone."""
    return [row for one in together(proposals) if reasons_for_second(one.act(by)) for row in one.proposals]


def accept(proposals: Sequence[Proposal], *, by: Actor, confirmed: int) -> Decided:
    """Accept open proposals; `confirmed` is the number of new billable companies that the person has agreed to."""
    _demand_number(cost_of(proposals), confirmed)
    result = Decided()
    for one in list(together(proposals)):
        alone = do_alone(one.act(by))
        for row in one.proposals:
            if alone:
                _accept(row, by, result, {"state": ProposalState.OPEN})
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
    result = Decided()
    for row in proposals:
        _accept(row, by, result, {"state": ProposalState.AWAITING_APPROVAL, "confirmer_id": row.confirmer_id})
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


def _accept(row: Proposal, by: str, result: Decided, known: Mapping[str, object]) -> None:
    decided = {"state": ProposalState.ACCEPTED, "decided_by": clean_text(by, 200), "decided_at": timezone.now()}
    if not _swap(row, known, decided):
        result.too_late.append(row)
        return
    _audit(row, by, "accept proposal", gettext("Accepted: %(words)s") % {"words": _words(row)})
    carry_out(row)
    result.accepted.append(row)


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
