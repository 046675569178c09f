"""What the program will not do unasked: proposals, made once from what D&B says and decided by a person (design §5).

A decision is a compare-and-swap on the proposal's state; what follows from it is repeatable and is done again where a
process died in between, until the proposal says that it was applied.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext

from core import plurals
from core.actors import Actor
from core.audit import record
from core.cached_counts import tally
from core.db import clean_text, in_batches, insert_new
from core.text import counted
from direct_plus.duns import InvalidDuns, normalise_duns
from portfolio.limits import Act, do_alone, reasons_for_second
from portfolio.models import (
    Contract,
    Proposal,
    ProposalKind,
    ProposalState,
    Registration,
    Subject,
    SubjectState,
)
from portfolio.wanting import Wish, new_billable, unwant_subjects, want_subjects

PROPOSAL_KEYS = uuid.UUID("5b0f2f5c-58f0-5d0b-8c6e-6d1a4c5a9b37")
TRANSFERRED_CODE = "40003"  # contract §4: the third column holds the replacement
LEFT_BEHIND_AFTER = timedelta(minutes=1)
THE_PROGRAM = "program"
UNDECIDED = (ProposalState.OPEN, ProposalState.AWAITING_APPROVAL)
MERGERS = (ProposalKind.TRANSFER, ProposalKind.REPLACEMENT)


class Refused(Exception):
    """Why a decision was not taken, for the person who wanted it."""


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
    """Propose what the signs suggest, where the company is wanted; returns the proposals that are new."""
    made: list[Proposal] = []
    for batch in in_batches(list(signs)):
        rows = [_proposal(sign) for sign in _where_wanted(batch)]
        made += insert_new(Proposal, rows)
    _tell_costs(made)
    if made:
        tally("proposals")
    return made


def _where_wanted(signs: Sequence[Sign]) -> list[Sign]:
    keys = [sign.subject for sign in signs]
    wanted = set(Subject.objects.filter(pk__in=keys, wanted=True).values_list("pk", flat=True))
    waiting = _undecided(signs)
    return [sign for sign in signs if sign.subject in wanted and _same(sign) not in waiting]


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
            return gettext("D&B has merged it into %(replacement)s: there will be no more news under this number.") % {
                "replacement": replacement
            }
        return gettext("D&B has merged it into another company and does not say which one.")
    if kind == ProposalKind.DELETE:
        return gettext("D&B has deleted it: there will be no more news.")
    if kind == ProposalKind.EXIT:
        return gettext("It has left the set that D&B watches in this registration: there will be no more news.")
    return gettext("D&B refuses this number and names %(replacement)s in its place.") % {"replacement": replacement}


def _tell_costs(proposals: Sequence[Proposal]) -> None:
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
    """D&B refused a wanted company and named another (contract §4): propose that one."""
    made: list[Proposal] = []
    for registration in Registration.objects.order_by("reference").values_list("pk", flat=True):
        refused = Subject.objects.filter(registration=registration, wanted=True, state=SubjectState.REFUSED)
        rows = refused.filter(code=TRANSFERRED_CODE).exclude(replacement="")
        made += propose(_refusals(rows))
    return made


def _refusals(rows: Iterable[Subject]) -> Iterator[Sign]:
    for row in rows:
        # Asked for anew and refused again, it is proposed anew.
        source = row.wanted_at.isoformat(timespec="milliseconds") if row.wanted_at else ""
        sign = Sign(
            ProposalKind.REPLACEMENT, row.registration_id, row.company_id, row.replacement, source, row.checked_at
        )
        if replacement_of(sign):
            yield sign


# What decides by itself


def withdraw(*, kind: ProposalKind, registration: uuid.UUID, duns: Sequence[str], note: str) -> int:
    """Dismiss what waits for a decision and has no reason any more; returns how many."""
    rows = Proposal.objects.filter(kind=kind, registration=registration, company__in=duns, state__in=UNDECIDED)
    return sum(_dismiss(row, by=THE_PROGRAM, note=note) for row in rows)


def withdraw_unwanted() -> int:
    """Nobody has to decide on a company that nobody wants any more."""
    count = 0
    rows = list(Proposal.objects.filter(state__in=UNDECIDED).order_by("created_at", "id")[:5000])
    for batch in in_batches(rows):
        keys = {row.pk: Subject.key(row.registration_id, row.company_id) for row in batch}
        wanted = Subject.objects.filter(pk__in=list(keys.values()), wanted=True).values_list("pk", flat=True)
        still = set(wanted)
        gone = [row for row in batch if keys[row.pk] not in still]
        count += sum(_dismiss(row, by=THE_PROGRAM, note=gettext("Nobody wants the company any more.")) for row in gone)
    return count


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
            (self.waiting, gettext("%(proposals)s waiting for a second person")),
            (self.dismissed, gettext("%(proposals)s dismissed")),
            (self.too_late, gettext("%(proposals)s decided by somebody else meanwhile")),
        )
        told = [words % {"proposals": plurals.proposals(len(rows))} for rows, words in parts if rows]
        return f"{', '.join(told)}." if told else gettext("Nothing was there to decide.")


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
            gettext("It is not known who accepted it. Dismiss it: where it still holds it is proposed again.")
        )
    if any(row.confirmer_id == by.id for row in proposals):
        raise Refused(gettext("You have accepted this yourself: somebody else has to approve it."))
    result = Decided()
    for row in proposals:
        _accept(row, by, result, {"state": ProposalState.AWAITING_APPROVAL, "confirmer_id": row.confirmer_id})
    return result


def dismiss(proposals: Sequence[Proposal], *, by: Actor, note: str) -> Decided:
    """Decide against them, and say why."""
    if not note.strip():
        raise Refused(gettext("Say why, for those who ask later."))
    result = Decided()
    for row in proposals:
        (result.dismissed if _dismiss(row, by=by, note=note) else result.too_late).append(row)
    return result


def _demand_number(cost: int, confirmed: int) -> None:
    if cost != confirmed:
        companies = plurals.new_billable_companies(cost)
        raise Refused(
            gettext("This adds %(companies)s, and you confirmed %(confirmed)s. Look again, then confirm that number.")
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
        gettext("Accepted, and waits for a second person: %(words)s") % {"words": _words(row)},
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


def _dismiss(row: Proposal, *, by: str, note: str) -> bool:
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


# Carrying out


def carry_out(row: Proposal) -> None:
    """Make what was accepted wanted. The replacement comes first: a company is never left unwatched in between."""
    registration = Registration.objects.select_related("contract").get(pk=row.registration_id)
    actor = gettext("%(person)s (proposal)") % {"person": row.decided_by}
    if row.replacement:
        want_subjects(registration=registration, wishes=[_wish(row)], asked_by=actor)
    unwant_subjects(registration=registration, duns=[row.company_id], asked_by=actor)
    row.applied_at = timezone.now()
    Proposal.objects.filter(pk=row.pk).update(applied_at=row.applied_at)


def _wish(row: Proposal) -> Wish:
    """What was said about the company goes on with the one that replaces it."""
    subject = Subject.objects.filter(pk=Subject.key(row.registration_id, row.company_id)).first()
    if subject is None:
        return Wish(row.replacement)
    return Wish(row.replacement, customer_reference=subject.customer_reference, tags=subject.tags, owner=subject.owner)


def carry_out_left_behind() -> int:
    """What a process accepted and did not come to carry out; returns how many."""
    limit = timezone.now() - LEFT_BEHIND_AFTER
    rows = Proposal.objects.filter(state=ProposalState.ACCEPTED, applied_at__isnull=True, decided_at__lte=limit)
    found = list(rows.order_by("decided_at")[:1000])
    for row in found:
        carry_out(row)
    return len(found)


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
