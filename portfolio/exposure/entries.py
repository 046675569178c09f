"""Amounts one by one: as other systems send them, and a company's taken out when it is erased."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from core.actors import Actor
from core.audit import record
from core.db import clean_text, database_now, one_by_one
from core.text import counted
from portfolio.exposure.books import book_key, first_spellings
from portfolio.exposure.currencies import code_of
from portfolio.exposure.flaws import Check
from portfolio.exposure.ledger import books_at
from portfolio.exposure.packed import (
    GONE,
    AmountsGone,
    Position,
    TooManyParts,
    parts_of,
    positions_of,
    remove_left_over,
    replace,
)
from portfolio.imports.states import Refused, with_counts
from portfolio.models import ExposureImport, ExposureMode, ImportState

TRIES = 20
API = "api"
# A row that holds more is not written again for a few more.
MOST_TOGETHER = 20_000


def set_exposures(positions: Sequence[Position], *, requested_by: Actor, source: str = API) -> list[str]:
    """Each replaces what the book had for the company from its day on. Repeating it changes nothing that counts.
    Returns the books that are new."""
    for _ in range(TRIES):
        applied = list(_applied())
        # Before they are kept: the caller's own row of today then has the new ones, too.
        known = first_spellings(part.book for row in applied for part in parts_of(row))
        named = _with_names(known, positions)
        if _keep(named, applied[-1] if applied else None, requested_by, source):
            _record_set(named, requested_by)
            return sorted({one.book for one in named if book_key(one.book) not in known})
    raise Refused(gettext("Other amounts are being saved. Yours were not saved: try again in a few seconds."))


def _applied() -> QuerySet[ExposureImport]:
    return ExposureImport.objects.filter(state=ImportState.APPLIED).order_by("confirmed_at", "id")


def _with_names(known: Mapping[str, str], positions: Sequence[Position]) -> list[Position]:
    """The books by the names that they have, whatever the spelling that was sent."""
    names = {**first_spellings(one.book for one in positions), **known}
    return [msgspec.structs.replace(one, book=names[book_key(one.book)]) for one in positions]


def end_exposure(duns: str, book: str, day: date, *, requested_by: Actor, source: str = API) -> bool:
    """The book has nothing for the company from that day on. False where it has nothing on that day."""
    found = next((one for one in books_at(day) if book_key(one.name) == book_key(book)), None)
    place = found.place_of(int(duns)) if found else None
    if found is None or place is None:
        return False
    gone = [Position(duns, GONE, code_of(int(found.currencies[place])), found.name, day)]
    if not any(_keep(gone, _applied().last(), requested_by, source) for _ in range(TRIES)):
        raise Refused(gettext("Other amounts are being saved. Yours were not saved: try again in a few seconds."))
    _record_removal(gone[0], requested_by)
    return True


def _keep(positions: Sequence[Position], last: ExposureImport | None, requested_by: Actor, source: str) -> bool:
    """In the row that was applied last, if it is this caller's own of today; else in one of its own."""
    if last is None or not _may_hold(last, requested_by, source):
        return _keep_apart(positions, requested_by, source)
    try:
        return _write(last, [*positions_of(last), *positions])
    except AmountsGone:
        return False
    except TooManyParts:
        return _keep_apart(positions, requested_by, source)


def _keep_apart(positions: Sequence[Position], requested_by: Actor, source: str) -> bool:
    with transaction.atomic():
        return _write(_begin(positions, requested_by, source), positions)


def _write(row: ExposureImport, every: Sequence[Position]) -> bool:
    return replace(row, every, position=len(every), counts=with_counts({}, {Check.ACCEPTED: len(every)}))


def _may_hold(row: ExposureImport, requested_by: Actor, source: str) -> bool:
    is_own = row.source == source and row.confirmer_id == requested_by.id
    return is_own and row.created_at.date() == timezone.now().date() and row.position < MOST_TOGETHER


def _begin(positions: Sequence[Position], requested_by: Actor, source: str) -> ExposureImport:
    """A row that holds nothing yet."""
    now = timezone.now()
    return ExposureImport.objects.create(
        mode=ExposureMode.ADD,
        state=ImportState.APPLIED,
        source=source,
        as_of=max(one.day for one in positions),
        created_by=clean_text(requested_by, 200),
        created_at=now,
        moved_at=now,
        confirmed_by=clean_text(requested_by, 200),
        confirmer_id=requested_by.id,
        confirmed_at=database_now(),
    )


def _record_set(positions: Sequence[Position], actor: str) -> None:
    count, books = len({one.duns for one in positions}), sorted({one.book for one in positions})
    words = {"count": counted(count), "book": ", ".join(books)[:200]}
    text = ngettext("Exposure of %(count)s company in %(book)s", "Exposure of %(count)s companies in %(book)s", count)
    after = {"companies": count, "books": books, "days": sorted({one.day for one in positions})}
    if count == 1:
        words, text = {**words, "company": positions[0].duns}, gettext("%(company)s: exposure in %(book)s set")
        after = {**after, "company": positions[0].duns}
    _record("exposure.set", books, actor, text % words, after=after)


def _record_removal(gone: Position, actor: str) -> None:
    text = gettext("%(company)s: exposure in %(book)s removed from %(day)s on")
    words = {"company": gone.duns, "book": gone.book, "day": gone.day}
    before = {"companies": 1, "books": [gone.book], "company": gone.duns}
    after = {"companies": 0, "books": [], "days": [gone.day]}
    _record("exposure.remove", [gone.book], actor, text % words, before=before, after=after)


def _record(action: str, books: Sequence[str], actor: str, summary: str, **changed: Mapping[str, Any]) -> None:
    """Without the amounts, which the audit log would show to users who may not see money."""
    thing = ExposureImport(pk=uuid.uuid5(uuid.NAMESPACE_OID, "\n".join(books)))
    record(actor=actor, action=action, thing=thing, summary=summary, **changed)


# Erasing a company


def forget_exposure(duns: str) -> int:
    """In all amounts, also in those that no longer count; how many imports held it. May be stopped and begun again."""
    return sum(_take_out(duns, row) for row in one_by_one(ExposureImport.objects.order_by("pk")))


def _take_out(duns: str, row: ExposureImport) -> bool:
    """Again wherever somebody changes the import meanwhile: they may have read it before."""
    was_in_it = False
    while True:
        every = _all_of(row)
        left = [one for one in every if one.duns != duns]
        is_in_it = len(left) < len(every)
        if not is_in_it and remove_left_over(row):
            return was_in_it
        if is_in_it and replace(row, left, parts_of(row)):
            was_in_it = True
        else:
            row.refresh_from_db()


def _all_of(row: ExposureImport) -> list[Position]:
    """Reads the row again where its amounts were replaced meanwhile."""
    while True:
        try:
            return positions_of(row)
        except AmountsGone:
            version = row.version
            row.refresh_from_db()
            if row.version == version:
                raise
