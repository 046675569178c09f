"""What was confirmed becomes wanted, chunk by chunk; and what only this import made wanted is taken back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from portfolio.auditing import record
from portfolio.importing.confirming import confirmed_lists
from portfolio.importing.states import NotAllowed, demand_moved, demand_state, move
from portfolio.importing.verdicts import CHUNK, load_chunk, numbers_named
from portfolio.models import ImportMode, ImportState, Subject, SubjectImport, Verdict
from portfolio.rows import in_batches
from portfolio.wanting import billed_already, describe_subjects, unwant_subjects, want_subjects
from portfolio.wording import counted

WANTING = (Verdict.NEW, Verdict.REPAIRED, Verdict.WANTED)


class _Overtaken(Exception):
    """Somebody else has done this step: what we did of it is taken back where the engine can."""


def apply_import(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Make wanted, or no longer wanted, what was confirmed and nothing else. Call it again and it goes on."""
    if import_.state != ImportState.CONFIRMED:
        return
    lists = confirmed_lists(import_)
    adds = set(lists.add)
    try:
        for number in range(import_.position // CHUNK, import_.chunks):
            if until and timezone.now() >= until:
                return
            _apply_chunk(import_, number, adds)
        _remove(import_, lists.remove)
    except _Overtaken:
        return
    move(import_, state=ImportState.APPLIED, position=import_.total)


def _apply_chunk(import_: SubjectImport, number: int, adds: set[str]) -> None:
    rows = [row for row in load_chunk(import_, number) if row.verdict in WANTING]
    described = [row.wish for row in rows if row.duns not in adds]
    with transaction.atomic():
        want_subjects(
            registration=import_.registration,
            wishes=[row.wish for row in rows if row.duns in adds],
            asked_by=import_.confirmed_by,
            import_id=import_.pk,
        )
        describe_subjects(registration=import_.registration, wishes=described)
        _step(import_, position=min((number + 1) * CHUNK, import_.total or 0))


def _remove(import_: SubjectImport, numbers: list[str]) -> None:
    for batch in in_batches(numbers, CHUNK):
        with transaction.atomic():
            unwant_subjects(registration=import_.registration, duns=batch, asked_by=import_.confirmed_by)
            _step(import_)


def _step(import_: SubjectImport, **fields: int) -> None:
    if not move(import_, **fields):
        raise _Overtaken


def undo_import(*, import_: SubjectImport, undone_by: str, may_confirm: bool) -> None:
    """Ask for what only this import made wanted to be wanted no more."""
    if not may_confirm:
        raise NotAllowed(gettext("You may not undo imports. Ask somebody who may."))
    demand_state(import_, ImportState.APPLIED)
    demand_moved(move(import_, state=ImportState.UNDOING))
    record(
        actor=undone_by,
        action="import.undo",
        thing=import_,
        summary=gettext("%(import)s is undone: what only it made wanted is wanted no more") % {"import": import_},
        before={"state": ImportState.APPLIED, "undone_by": None},
        after={"state": ImportState.UNDOING, "undone_by": undone_by},
    )


def carry_out_undo(import_: SubjectImport, *, until: datetime | None = None) -> None:
    """Resumable: what is done already is not found again."""
    if import_.state != ImportState.UNDOING:
        return
    later = {number: other for other in _later_imports(import_) for number in numbers_named(other)}
    while numbers := list(_made_wanted(import_)[:CHUNK]):
        if until and timezone.now() >= until:
            return
        with transaction.atomic():
            _hand_over(import_, [number for number in numbers if number in later], later)
            alone = [number for number in numbers if number not in later]
            unwant_subjects(
                registration=import_.registration,
                duns=alone,
                asked_by=gettext("undo of %(import)s") % {"import": import_},
            )
        if not move(import_, error=""):
            return
    move(import_, state=ImportState.UNDONE, note=_after_undo(import_))


def _made_wanted(import_: SubjectImport) -> QuerySet[Subject, str]:
    """Numbers that are wanted because of this import."""
    rows = Subject.objects.filter(wanted_import=import_.pk, wanted=True)
    return rows.values_list("company_id", flat=True)


def _later_imports(import_: SubjectImport) -> Iterable[SubjectImport]:
    """Those that named companies again after this one: what they want stays."""
    return SubjectImport.objects.filter(
        registration=import_.registration_id,
        mode__in=[ImportMode.ADD, ImportMode.EQUAL],
        state__in=[ImportState.CONFIRMED, ImportState.APPLIED],
        confirmed_at__gt=import_.confirmed_at,
    ).exclude(pk=import_.pk)


def _hand_over(import_: SubjectImport, numbers: Sequence[str], later: Mapping[str, SubjectImport]) -> None:
    by_import: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for number in numbers:
        by_import[later[number].pk].append(Subject.key(import_.registration_id, number))
    for owner, keys in by_import.items():
        for batch in in_batches(keys):
            Subject.objects.filter(pk__in=batch, wanted_import=import_.pk).update(wanted_import=owner)


def _after_undo(import_: SubjectImport) -> str:
    rows = Subject.objects.filter(wanted_import=import_.pk, wanted=False)
    numbers = list(rows.values_list("company_id", flat=True))
    billed = len(billed_already(import_.registration.contract, numbers))
    taken_back = ngettext(
        "%(count)s company is no longer wanted.", "%(count)s companies are no longer wanted.", len(numbers)
    ) % {"count": counted(len(numbers))}
    stay = gettext("None of them was monitored, so none is billed.")
    if billed:
        stay = ngettext(
            "%(count)s of them was monitored, and stay billed this contract year.",
            "%(count)s of them were monitored, and stay billed this contract year.",
            billed,
        ) % {"count": counted(billed)}
    return f"{taken_back} {stay}" if numbers else taken_back
