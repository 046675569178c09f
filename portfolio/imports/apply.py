"""What was confirmed becomes requested, chunk by chunk; and what only this import requested is withdrawn."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.audit import record
from core.bulk import among
from core.cached_counts import update_counts
from core.db import clean_text, in_batches
from core.text import counted
from portfolio.billing.approval_limits import Act, do_alone, forget
from portfolio.billing.contract_year import plan_numbers
from portfolio.billing.new_billable import billed_already
from portfolio.imports.chunks import CHUNK
from portfolio.imports.confirm import confirmed_lists, confirmer_of, demand_another
from portfolio.imports.states import NotAllowed, demand_moved, demand_state, move
from portfolio.imports.validate import load_chunk, numbers_named
from portfolio.models import ImportMode, ImportState, Subject, SubjectImport, SubjectState, Validation
from portfolio.subjects.requests import AT_ONCE, describe_subjects, request_subjects, withdraw_subjects

CHUNKS_AT_ONCE = AT_ONCE // CHUNK
AT_DNB = (SubjectState.MONITORED, SubjectState.PENDING_ADD, SubjectState.PENDING_REMOVE)
WANTING = (Validation.NEW, Validation.REFORMATTED, Validation.REQUESTED)


class _Overtaken(Exception):
    """Somebody else has done this step: what we did of it is taken back where the engine can."""


def apply_import(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Request, or withdraw, what was confirmed and nothing else. Call it again and it goes on."""
    if import_.state != ImportState.CONFIRMED:
        return
    lists = confirmed_lists(import_)
    adds = set(lists.add)
    try:
        for first in range(import_.position // CHUNK, import_.chunks, CHUNKS_AT_ONCE):
            if until and timezone.now() >= until:
                return
            _apply_chunks(import_, range(first, min(first + CHUNKS_AT_ONCE, import_.chunks)), adds)
        _remove(import_, lists.remove)
    except _Overtaken:
        return
    move(import_, state=ImportState.APPLIED, position=import_.total)
    update_counts("held")


def _apply_chunks(import_: SubjectImport, numbers: range, adds: set[str]) -> None:
    rows = [row for number in numbers for row in load_chunk(import_, number) if row.validation in WANTING]
    described = [row.entry for row in rows if row.duns not in adds]
    with transaction.atomic():
        request_subjects(
            registration=import_.registration,
            entries=[row.entry for row in rows if row.duns in adds],
            requested_by=confirmer_of(import_),
            import_id=import_.pk,
        )
        describe_subjects(registration=import_.registration, entries=described)
        _step(import_, position=min(numbers.stop * CHUNK, import_.total or 0))


def _remove(import_: SubjectImport, numbers: list[str]) -> None:
    for batch in in_batches(numbers, AT_ONCE):
        with transaction.atomic():
            if import_.remove_on:
                plan_numbers(import_.registration, batch, import_.remove_on, by=confirmer_of(import_))
            else:
                withdraw_subjects(registration=import_.registration, duns=batch, requested_by=confirmer_of(import_))
            _step(import_)


def _step(import_: SubjectImport, **fields: int) -> None:
    if not move(import_, **fields):
        raise _Overtaken


def undo_import(*, import_: SubjectImport, undone_by: Actor, may_confirm: bool) -> None:
    """Ask for what only this import requested to be withdrawn. Above the limit a second person approves it."""
    if not may_confirm:
        raise NotAllowed(gettext("You do not have permission to undo imports. Ask a user who may confirm imports."))
    demand_state(import_, ImportState.APPLIED)
    alone = do_alone(Act(undone_by, import_.registration, removals=undone_removals(import_)))
    state = ImportState.UNDOING if alone else ImportState.AWAITING_UNDO
    moved = move(import_, state=state, undo_requested_by=clean_text(undone_by, 200), undo_requester_id=undone_by.id)
    if alone and not moved:
        forget(alone)
    demand_moved(moved)
    _record_undo(import_, undone_by, ImportState.APPLIED)


def approve_undo(*, import_: SubjectImport, approved_by: Actor, may_approve: bool) -> None:
    """The second person's yes to undoing it."""
    if not may_approve:
        raise NotAllowed(gettext("You do not have permission to approve imports. Ask a user who does."))
    demand_state(import_, ImportState.AWAITING_UNDO)
    demand_another(approved_by, import_.undo_requester_id)
    demand_moved(move(import_, state=ImportState.UNDOING))
    _record_undo(import_, approved_by, ImportState.AWAITING_UNDO)


def keep_requests(*, import_: SubjectImport, maintained_by: Actor) -> None:
    """It is not undone after all."""
    demand_state(import_, ImportState.AWAITING_UNDO)
    demand_moved(move(import_, state=ImportState.APPLIED, undo_requested_by="", undo_requester_id=None))
    _record_undo(import_, maintained_by, ImportState.AWAITING_UNDO)


UNDO_RECORDED: Mapping[str, tuple[str, Any]] = {
    ImportState.UNDOING: (
        "import.undo",
        _("%(import)s undone: companies that only this import requested are no longer requested"),
    ),
    ImportState.AWAITING_UNDO: ("import.undo_asked", _("Undo of %(import)s requested, awaiting a second approval")),
    ImportState.APPLIED: ("import.undo_cancelled", _("Undo of %(import)s cancelled")),
}


def _record_undo(import_: SubjectImport, actor: Actor, before: ImportState) -> None:
    action, words = UNDO_RECORDED[import_.state]
    record(
        actor=actor,
        action=action,
        thing=import_,
        summary=words % {"import": import_},
        before={"state": before, "undone_by": None},
        after={"state": import_.state, "undone_by": actor},
    )


def undone_removals(import_: SubjectImport) -> int:
    """Companies that D&B would take out: what was never sent is only withdrawn."""
    later = {number for other in _later_imports(import_) for number in numbers_named(other)}
    there = _requested_by_it(import_).filter(state__in=AT_DNB)
    return sum(number not in later for number in there)


def carry_out_undo(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Resumable: what is done already is not found again."""
    if import_.state != ImportState.UNDOING:
        return
    later = {number: other for other in _later_imports(import_) for number in numbers_named(other)}
    while numbers := list(_requested_by_it(import_)[:AT_ONCE]):
        if until and timezone.now() >= until:
            return
        with transaction.atomic():
            _hand_over(import_, [number for number in numbers if number in later], later)
            alone = [number for number in numbers if number not in later]
            withdraw_subjects(
                registration=import_.registration,
                duns=alone,
                requested_by=gettext("undo of %(import)s") % {"import": import_},
            )
        if not move(import_, error=""):
            return
    move(import_, state=ImportState.UNDONE, note=_after_undo(import_))
    update_counts("held")


def _requested_by_it(import_: SubjectImport) -> QuerySet[Subject, str]:
    """Numbers that are requested because of this import."""
    rows = Subject.objects.filter(requested_import=import_.pk, requested=True)
    return rows.values_list("company_id", flat=True)


def _later_imports(import_: SubjectImport) -> Iterable[SubjectImport]:
    """Those that named companies again after this one: what they request stays."""
    return SubjectImport.objects.filter(
        registration=import_.registration_id,
        mode__in=[ImportMode.ADD, ImportMode.EQUAL],
        state__in=[ImportState.CONFIRMED, ImportState.APPLIED, ImportState.AWAITING_UNDO],
        confirmed_at__gt=import_.confirmed_at,
    ).exclude(pk=import_.pk)


def _hand_over(import_: SubjectImport, numbers: Sequence[str], later: Mapping[str, SubjectImport]) -> None:
    by_import: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for number in numbers:
        by_import[later[number].pk].append(Subject.key(import_.registration_id, number))
    for owner, keys in by_import.items():
        for batch in in_batches(keys):
            Subject.objects.filter(pk__in=batch, requested_import=import_.pk).update(requested_import=owner)


def _after_undo(import_: SubjectImport) -> str:
    rows = Subject.objects.filter(requested_import=import_.pk, requested=False)
    numbers = list(rows.values_list("company_id", flat=True))
    elsewhere = _held_elsewhere(import_, numbers)
    billed = len(billed_already(import_.registration.contract, numbers) - elsewhere)
    taken_back = ngettext(
        "%(count)s company is no longer requested.", "%(count)s companies are no longer requested.", len(numbers)
    ) % {"count": counted(len(numbers))}
    return " ".join([taken_back, *_what_stays(billed, len(elsewhere))]) if numbers else taken_back


def _held_elsewhere(import_: SubjectImport, numbers: Sequence[str]) -> set[str]:
    """Those that other registrations of the contract hold or request: the undo changes nothing there."""
    others = Subject.objects.filter(registration__contract=import_.registration.contract_id, reported_by=None)
    rows = others.exclude(registration=import_.registration_id).filter(Q(state__in=AT_DNB) | Q(requested=True))
    rows = rows.exclude(state=SubjectState.REFUSED)
    found: set[str] = set()
    for batch in in_batches(list(numbers), AT_ONCE):
        found.update(rows.filter(among("company", batch)).values_list("company_id", flat=True))
    return found


def _what_stays(billed: int, elsewhere: int) -> Iterator[str]:
    if billed:
        yield ngettext(
            "%(count)s of them was monitored and stays billed for this contract year.",
            "%(count)s of them were monitored and stay billed for this contract year.",
            billed,
        ) % {"count": counted(billed)}
    if elsewhere:
        yield ngettext(
            "%(count)s of them is still monitored or requested in other registrations.",
            "%(count)s of them are still monitored or requested in other registrations.",
            elsewhere,
        ) % {"count": counted(elsewhere)}
    if not billed and not elsewhere:
        yield gettext("None of them was monitored, so nothing is billed.")
